/** Tuning: what is measured, remembered, and used. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Gpu } from "../../kernels/runtime/device.ts";
import { candidates, chooseVariant, variantOf, variantsOf } from "../../ops/conv2d/variants.ts";
import type { Geometry } from "../../ops/graph/convolution.ts";
import { geometriesOf } from "../../ops/compiler/compile.ts";
import { compile, conv2d, gradients, Random, relu, type Tensor } from "../../ops/mod.ts";
import { tuned } from "../../ops/tuning/tune.ts";
import { cacheFolder, type Measured, TuningFile } from "../../ops/tuning/tuning_file.ts";
import { assertClose, evaluate, gpuForTests, randomValues, tensorOf } from "../compare.ts";
import { inTwoProcesses } from "../processes.ts";
import { reference } from "../reference.ts";

const gpu = await gpuForTests();

async function withFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The same device, as if it were a GPU of some vendor. */
function gpuOf(vendor: string, precise = false): Gpu {
  const { features, limits } = gpu.adapter;
  const info = { vendor, architecture: "", device: "0", description: vendor };
  const adapter = { info, features, limits } as unknown as GPUAdapter;
  return new Gpu(adapter, gpu.device, "buffer", false, precise);
}

const FASTEST: Measured = {
  variant: { algorithm: "direct", tile: { quads: 2, pixels: 4, workgroup: 64 }, rolled: false },
  ms: 1.5,
};
const STAGED: Measured = {
  variant: {
    algorithm: "implicitGemm",
    tile: { quads: 1, pixels: 4, workgroup: 64, staged: { blocks: 8, step: 4 } },
  },
  ms: 0.25,
};

/** A small network's layer and its gradient: three convolutions of two geometries. */
function layer(): { outputs: Tensor[]; expected: ReturnType<typeof reference.conv2d> } {
  const random = new Random(3);
  const x = randomValues(random, [1, 8, 6, 7]);
  const w = [0, 1].map(() => randomValues(random, [8, 8, 3, 3], 0.2));
  const last = randomValues(random, [4, 8, 1, 1]);
  const options = { padding: 1 };
  const [first, second] = w.map(tensorOf);
  const hidden = relu(
    conv2d(conv2d(tensorOf(x), first!, undefined, options), second!, undefined, options),
  );
  const f = reference;
  const two = f.relu(
    f.conv2d(f.conv2d(x, w[0]!, undefined, options), w[1]!, undefined, options),
  );
  return { outputs: [conv2d(hidden, tensorOf(last))], expected: f.conv2d(two, last) };
}

Deno.test("the user's folder for caches is the system's", () => {
  const env = (values: Record<string, string>) => (name: string) => values[name];
  const home = { HOME: "/home/eye" };
  assert.equal(cacheFolder("linux", env(home)), join("/home/eye", ".cache", "mindseye"));
  assert.equal(
    cacheFolder("linux", env({ ...home, XDG_CACHE_HOME: "/cache" })),
    join("/cache", "mindseye"),
  );
  assert.equal(
    cacheFolder("darwin", env(home)),
    join("/home/eye", "Library", "Caches", "mindseye"),
  );
  assert.equal(cacheFolder("windows", env({ LOCALAPPDATA: "/local" })), join("/local", "mindseye"));
  assert.equal(cacheFolder("linux", env({})), undefined);
});

Deno.test("measurements come back from their file", () =>
  withFolder((folder) => {
    const below = join(folder, "not", "there", "yet");
    const file = new TuningFile(gpu, below, assert.fail);
    assert.equal(file.size, 0);
    file.set("a", FASTEST);
    file.set("b", STAGED);
    file.save();
    const again = new TuningFile(gpu, below, assert.fail);
    assert.equal(again.size, 2);
    assert.deepEqual(again.get("a"), FASTEST);
    assert.deepEqual(again.get("b"), STAGED);
    assert.equal(again.get("c"), undefined);
    assert.deepEqual([...Deno.readDirSync(below)].map(({ name }) => join(below, name)), [
      file.path,
    ]);
    assert.ok(again.clear());
    assert.equal(new TuningFile(gpu, below, assert.fail).size, 0);
    assert.ok(!again.clear());
  }));

Deno.test("two processes that measure at the same time lose nothing", () =>
  withFolder(async (folder) => {
    const paper = { adapter: { info: {}, limits: {}, features: [] }, name: "paper" };
    await inTwoProcesses(
      `import { TuningFile } from ${
        JSON.stringify(import.meta.resolve("../../ops/tuning/tuning_file.ts"))
      };
      const [folder, me] = Deno.args;
      for (let i = 0; i < 100; i++) { // opened anew each time, as another run does
        const file = new TuningFile(${JSON.stringify(paper)}, folder, (text) => {
          throw new Error(text);
        });
        file.set(me + i, ${JSON.stringify(FASTEST)});
        file.save();
      }`,
      folder,
    );
    assert.equal(new TuningFile(paper as unknown as Gpu, folder, assert.fail).size, 200);
    assert.equal([...Deno.readDirSync(folder)].length, 1, "no half file is left");
  }));

Deno.test("a damaged file is told of and written anew", () =>
  withFolder((folder) => {
    const file = new TuningFile(gpu, folder);
    file.set("a", FASTEST);
    file.save();
    const whole = Deno.readTextFileSync(file.path!);
    for (const damaged of [whole.slice(0, -20), "", "null", "[]", "\0\0"]) {
      Deno.writeTextFileSync(file.path!, damaged);
      const notes: string[] = [];
      const read = new TuningFile(gpu, folder, (text) => notes.push(text));
      assert.equal(read.size, 0, damaged);
      // A list is read as a file of other code, an empty file as one that is being made.
      if (damaged !== "[]" && damaged !== "") assert.match(notes.join(), /damaged/);
      read.set("a", FASTEST);
      read.save();
      assert.equal(new TuningFile(gpu, folder, assert.fail).size, 1);
    }
  }));

Deno.test("only a candidate is used, whatever the file holds", () =>
  withFolder(async (folder) => {
    const { outputs } = layer();
    const other = new Gpu(gpu.adapter, gpu.device, gpu.storage, gpu.software);
    const [geometry] = geometriesOf(other, { outputs });
    const known = candidates(other, geometry!);
    const tuning = tuned(other, { cache: folder, note: assert.fail });
    await Array.fromAsync(tuning.tuneAll({ outputs }));
    const path = tuning.file.path!;
    const content = JSON.parse(Deno.readTextFileSync(path));
    const chosen = (variant: unknown, ms: unknown = 1) => {
      content.measured = Object.fromEntries(
        Object.keys(content.measured).map((key) => [key, { variant, ms }]),
      );
      Deno.writeTextFileSync(path, JSON.stringify(content));
      const later = new Gpu(gpu.adapter, gpu.device, gpu.storage, gpu.software);
      return tuned(later, { cache: folder, note: assert.fail }).choose(later, geometry!);
    };
    const last = known.at(-1)!;
    assert.notDeepEqual(last, known[0]);
    assert.deepEqual(chosen(last), last);
    const { tile } = last;
    for (
      const wrong of [
        null,
        "direct",
        { ...last, algorithm: "magic" },
        { ...last, algorithm: "__proto__" },
        { algorithm: last.algorithm },
        { ...last, tile: { ...tile, quads: 0 } },
        { ...last, tile: { ...tile, pixels: 1e9 } },
        { ...last, tile: { ...tile, pixels: 7 } }, // sound, but nothing that would be measured
        { ...last, tile: { ...tile, workgroup: "16" } },
        { ...last, tile: { ...tile, staged: { blocks: 7, step: 1 } } },
      ]
    ) {
      assert.deepEqual(chosen(wrong), chooseVariant(gpu, geometry!), JSON.stringify(wrong));
    }
    assert.deepEqual(chosen(last, "fast"), chooseVariant(gpu, geometry!));
  }));

Deno.test("a file of other code, or of another adapter, is not used", () =>
  withFolder((folder) => {
    const file = new TuningFile(gpu, folder);
    file.set("a", FASTEST);
    file.save();
    const text = Deno.readTextFileSync(file.path!);
    for (const name of ["format", "code", "driver"]) {
      const changed = JSON.stringify({ ...JSON.parse(text), [name]: "another" });
      Deno.writeTextFileSync(file.path!, changed);
      assert.equal(new TuningFile(gpu, folder, assert.fail).size, 0, name);
    }
    assert.notEqual(new TuningFile(gpuOf("nvidia"), folder).path, file.path);
  }));

Deno.test("where nothing can be written, that is said and nothing fails", () =>
  withFolder((folder) => {
    const blocked = join(folder, "file");
    Deno.writeTextFileSync(blocked, "");
    const notes: string[] = [];
    const file = new TuningFile(gpu, join(blocked, "below"), (text) => notes.push(text));
    file.set("a", FASTEST);
    file.save();
    assert.match(notes.at(-1)!, /measurements are not kept/);
    assert.deepEqual(file.get("a"), FASTEST);
    const nowhere = new TuningFile(gpu, undefined, assert.fail);
    nowhere.set("a", FASTEST);
    nowhere.save();
    assert.deepEqual(nowhere.get("a"), FASTEST);
  }));

Deno.test("tuning measures each geometry once and programs take what was fastest", () =>
  withFolder(async (folder) => {
    const { device, adapter, storage, software } = gpu;
    const other = new Gpu(adapter, device, storage, software);
    const { outputs, expected } = layer();
    const tuning = tuned(other, { cache: folder, note: assert.fail });
    const results = await Array.fromAsync(tuning.tuneAll({ outputs }));
    assert.equal(geometriesOf(other, { outputs }).length, 3);
    assert.equal(results.length, 2);
    assert.equal(new TuningFile(other, folder).size, 2);
    for (const { geometry, usual, best } of results) {
      assert.deepEqual(usual.variant, chooseVariant(other, geometry));
      assert.ok(best.ms > 0 && best.ms <= usual.ms);
      assert.deepEqual(tuning.choose(other, geometry), best.variant);
    }
    // The file decides, in another process as well.
    const { geometry } = results.find(({ geometry }) => geometry.kernel[0] === 3)!;
    const [key] = Object.keys(JSON.parse(Deno.readTextFileSync(tuning.file.path!)).measured)
      .filter((key) => key.includes("3x3"));
    const winograd = candidates(other, geometry).find(({ algorithm }) =>
      algorithm === "winograd2"
    )!;
    tuning.file.set(key!, { variant: winograd, ms: 0.25 });
    tuning.file.save();
    const later = new Gpu(adapter, device, storage, software);
    tuned(later, { cache: folder, note: assert.fail });
    assert.deepEqual(variantsOf(later)(later, geometry), winograd);
    using program = await compile(later, { outputs });
    assert.ok(program.kernelNames.includes("winograd2Input"), `${program.kernelNames}`);
    const [actual] = await evaluate(later, outputs);
    assertClose(actual!, expected, "with the remembered variants");
  }));

Deno.test("compiling measures what is unknown within the budget", () =>
  withFolder(async (folder) => {
    const { device, adapter, storage, software } = gpu;
    const { outputs } = layer();
    const sizes: number[] = [];
    for (const budget of [undefined, 0, 1e-9, 1000]) {
      const other = new Gpu(adapter, device, storage, software);
      const options = budget === undefined ? {} : { budget };
      const tuning = tuned(other, { cache: folder, note: assert.fail, ...options });
      using _ = await compile(other, { outputs });
      sizes.push(tuning.file.size);
    }
    // A software adapter does not measure unless told to; neither does who has no time.
    assert.deepEqual(sizes, [software ? 0 : 2, ...(software ? [0, 0] : [2, 2]), 2]);
    assert.equal(new TuningFile(gpu, folder).size, 2);
  }));

const LAYER: Geometry = {
  pictures: 2,
  inputs: 64,
  outputs: 128,
  size: [28, 28],
  kernel: [3, 3],
  stride: [1, 1],
  dilation: [1, 1],
  groups: 1,
  whole: true,
  sameSize: false,
  constantWeights: true,
};

Deno.test("candidates start with the usual variant and can all compute the convolution", () => {
  const vendors = ["nvidia", "amd", "intel", "apple", "4318", "unheard-of"].map((v) => gpuOf(v));
  const changes: Partial<Geometry>[] = [
    {},
    { kernel: [1, 1], sameSize: true },
    { stride: [2, 2] },
    { groups: 2 },
    { whole: false },
    { outputs: 3 },
  ];
  for (const device of [gpu, gpuOf("nvidia", true), ...vendors]) {
    for (const change of changes) {
      const geometry = { ...LAYER, ...change };
      const list = candidates(device, geometry);
      assert.deepEqual(list[0], chooseVariant(device, geometry));
      assert.equal(new Set(list.map((v) => JSON.stringify(v))).size, list.length);
      assert.ok(list.length >= 2 && list.length <= 20, `${list.length} candidates`);
      for (const { algorithm, tile } of list) {
        assert.ok(!device.precise || !algorithm.startsWith("winograd"));
        assert.equal(tile.workgroup % (tile.staged?.blocks ?? 1), 0);
        const staged = tile.staged
          ? tile.staged.step *
            (tile.pixels * tile.workgroup / tile.staged.blocks +
              tile.staged.blocks * 4 * tile.quads)
          : 0;
        assert.ok(staged * 16 <= 16384, "more workgroup memory than every adapter has");
      }
    }
  }
  assert.deepEqual(candidates(gpuOf("4318"), LAYER), candidates(gpuOf("nvidia"), LAYER));
});

Deno.test("every tile a GPU may get computes the same", async () => {
  const random = new Random(5);
  const cases: [number, number, number, number][] = [[1, 20, 36, 3], [2, 12, 3, 3], [1, 36, 24, 1]];
  for (const [n, inputs, outputs, size] of cases) {
    const x = randomValues(random, [n, inputs, 9, 13]);
    const w = randomValues(random, [outputs, inputs, size, size], 0.1);
    const options = { padding: (size - 1) / 2 };
    const y = conv2d(tensorOf(x), tensorOf(w), undefined, options);
    const expected = reference.conv2d(x, w, undefined, options);
    const [geometry] = geometriesOf(gpu, { outputs: [y] });
    for (const variant of candidates(gpuOf("nvidia"), geometry!)) {
      const [actual] = await evaluate(gpu, [y], { choose: () => variant });
      assertClose(actual!, expected, JSON.stringify(variant));
    }
  }
});

Deno.test("a whole gradient on a GPU's usual variants", async () => {
  const random = new Random(6);
  const x = randomValues(random, [2, 8, 9, 9]);
  const w = randomValues(random, [12, 8, 3, 3], 0.2);
  const xs = tensorOf(x);
  const y = conv2d(xs, tensorOf(w), undefined, { padding: 1, stride: 2 });
  const [dx] = gradients(relu(y), [xs]);
  const device = gpuOf("amd");
  const [actual] = await evaluate(gpu, [dx!], {
    choose: (_, geometry) => variantOf("implicitGemm", device, geometry),
  });
  const [expected] = await evaluate(gpu, [dx!]);
  assertClose(actual!, expected!, "gradient");
});
