/** Networks and weights on the command line: fetched, looked into, converted, from files. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openWeights } from "../../models/formats/open_weights.ts";
import { encodeSafetensors } from "../../models/formats/safetensors.ts";
import { stateDict } from "../../models/module.ts";
import { findOfficial } from "../../models/official/weights.ts";
import { randomWeights } from "../../models/random_weights.ts";
import { createModel, MODELS } from "../../models/registry.ts";
import { encodePng } from "../../vis/photos/png.ts";
import { hasShared, sharedPath, testWithShared } from "../goldens.ts";
import { mindseye } from "./mindseye.ts";

const NETWORKS = sharedPath("networks");

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Random weights of a network as safetensors. */
function weightsOf(name: string): Uint8Array<ArrayBuffer> {
  const model = createModel(name);
  const random = randomWeights(model);
  return encodeSafetensors(Object.fromEntries(
    [...stateDict(model.root)].map(([key, shape]) => [key, { shape, values: random.read(key) }]),
  ));
}

Deno.test("weights are fetched into the cache, and then they are used", () =>
  withFolder(async (folder) => {
    const content = weightsOf("squeezenet1_1");
    using server = new Server(content);
    const env = { XDG_CACHE_HOME: folder, MINDSEYE_WEIGHTS_URL: server.url };
    const { file, hash } = findOfficial("squeezenet1_1");
    // The hash in the name is that of the real file: what comes from here is another.
    const lied = await mindseye(["weights", "fetch", "squeezenet1_1"], env);
    assert.equal(lied.code, 1);
    assert.match(lied.err, new RegExp(`${file}: its SHA-256 begins with .*, expected ${hash}`));
    assert.ok(!existsSync(join(folder, "mindseye", "weights", file)));
    const absent = await mindseye(["doctor", "--model", "squeezenet1_1"], env);
    assert.match(absent.err, /fetch torchvision's with: weights fetch squeezenet1_1/);

    await Deno.writeFile(join(folder, "mindseye", "weights", file), content);
    const listed = await mindseye(["models"], env);
    assert.match(listed.out, /^squeezenet1_1 .*IMAGENET1K_V1 \(\d MB\)$/m);
    for (const name of Object.keys(MODELS)) assert.match(listed.out, new RegExp(`^${name} `, "m"));
    const used = await mindseye(["doctor", "--model", "squeezenet1_1"], env);
    assert.equal(used.code, 0, used.err);
    assert.match(used.out, new RegExp(`squeezenet1_1, weights .*${file}`));
  }));

/** Gives the same file to everyone. */
class Server implements Disposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(content: Uint8Array<ArrayBuffer>) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response(content),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  [Symbol.dispose](): void {
    this.#server.shutdown();
  }
}

Deno.test("weights that torchvision has not are named", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["resnet81", /no network "resnet81"; nearest: resnet/],
    ["motifs", /torchvision publishes no weights of motifs/],
    ["resnet50:V3", /no weights "V3"; there are IMAGENET1K_V2, IMAGENET1K_V1/],
  ];
  for (const [name, message] of cases) {
    const { code, err } = await mindseye(["weights", "fetch", name]);
    assert.equal(code, 1);
    assert.match(err, message);
  }
});

const CHECKPOINT = "networks/exports/squeezenet1_1.pth";
testWithShared(
  "checkpoints are looked into and converted",
  [CHECKPOINT],
  () =>
    withFolder(async (folder) => {
      const path = sharedPath(CHECKPOINT);
      const inspected = await mindseye(["weights", "inspect", path]);
      assert.match(inspected.out, /squeezenet1_1: all 52 tensors, 10 classes/);
      assert.match(inspected.out, /^features\.0\.weight +\[64,3,3,3\] +F32$/m);
      const out = join(folder, "net.safetensors");
      assert.equal((await mindseye(["weights", "convert", path, "--out", out])).code, 0);
      using before = openWeights(path);
      using after = openWeights(out);
      assert.deepEqual(after.names, before.names);
      for (const key of before.names) assert.deepEqual(after.read(key), before.read(key), key);
      const again = await mindseye(["weights", "convert", path, "--out", out]);
      assert.match(again.err, /is there already/);
    }),
);

const EVIL = "networks/pth/bad/evil_os_system.pth";
testWithShared("a file that would run something is one line and exit code 1", [EVIL], async () => {
  for (const args of [["weights", "inspect"], ["doctor", "--model", "resnet18", "--weights"]]) {
    const { code, err } = await mindseye([...args, sharedPath(EVIL)]);
    assert.equal(code, 1);
    assert.match(err.trimEnd().split("\n").at(-1)!, /^error: .*asks for "posix.system"/);
  }
});

const ONNX = "networks/exports/squeezenet1_1.onnx";
testWithShared(
  "an ONNX network is visualised as its twin by name is",
  [ONNX, CHECKPOINT],
  () =>
    withFolder(async (folder) => {
      const common = [
        "--layer",
        "features.7",
        "--size",
        "64",
        "--channels",
        "3",
        "--set",
        "iterations=3",
      ];
      const runs = [["--model", sharedPath(ONNX)], ["--weights", sharedPath(CHECKPOINT)]];
      const pictures = await Promise.all(runs.map(async (network, i) => {
        const out = join(folder, String(i));
        const { code, err } = await mindseye(["visualize", ...network, ...common, "--out", out]);
        assert.equal(code, 0, err);
        const names = [...Deno.readDirSync(out)].map(({ name }) => name);
        const hash = (name: string) =>
          createHash("sha256").update(readFileSync(name)).digest("hex");
        const pictures = names.filter((name) => /picture|channel/.test(name));
        assert.ok(pictures.length > 0, `${names}`);
        return pictures.sort().flatMap((name) => {
          const path = join(out, name);
          return Deno.statSync(path).isDirectory
            ? [...Deno.readDirSync(path)].filter((entry) => entry.name.endsWith(".png"))
              .map((entry) => hash(join(path, entry.name)))
            : [hash(path)];
        });
      }));
      assert.deepEqual(pictures[0], pictures[1]);
    }),
);

testWithShared(
  "bad ONNX files are one line and exit code 1",
  ["networks/exports/bad"],
  async () => {
    for (const name of ["truncated", "not_onnx", "external_absolute"]) {
      const path = join(NETWORKS, "exports/bad", `${name}.onnx`);
      const { code, err, out } = await mindseye(["layers", "--model", path]);
      assert.deepEqual([code, out], [1, ""]);
      assert.match(err.trimEnd(), /^error: [^\n]*$/);
    }
    assert.ok(hasShared("networks"));
  },
);

Deno.test("quality asks classifiers and several seeds, and leaves a sheet", () =>
  withFolder(async (folder) => {
    const out = join(folder, "quality");
    const photos = join(folder, "photos");
    await Deno.mkdir(photos);
    for (let i = 0; i < 8; i++) {
      const rgba = Uint8ClampedArray.from(
        { length: 32 * 32 * 4 },
        (_, j) => (j * (i + 3) * 37) % 251,
      );
      await Deno.writeFile(join(photos, `${i}.png`), await encodePng(rgba, 32, 32));
    }
    const run = await mindseye([
      ...["quality", photos, "--net", "motifs:features.20", "--size", "32", "--facets", "2"],
      ...["--judge", "motifs:0,1", "--seeds", "2", "--set", "iterations=2", "--out", out],
    ]);
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /\| motifs 0\+1, best \| mean \|$/m);
    assert.match(run.out, /\| photos \| 1\.00 ± 0\.00 \|/);
    assert.equal(JSON.parse(readFileSync(join(out, "quality.json"), "utf8")).length, 4);
    assert.ok(existsSync(join(out, "quality.png")) && existsSync(join(out, "quality.svg")));
    const wrong = await mindseye([
      ...["quality", photos, "--net", "motifs:features.20", "--size", "32"],
      ...["--judge", "motifs:99", "--out", out],
    ]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /motifs has classes 0 to \d+, none is 99/);
  }));
