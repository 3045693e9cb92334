/** Pictures shown to a network: as many at a time as a device takes, and only those of the right size. */
import assert from "node:assert/strict";
import { UserError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import { withinMemory } from "../../kernels/runtime/out_of_memory.ts";
import { randomWeights } from "../../models/random_weights.ts";
import { createModel } from "../../models/registry.ts";
import { planProgram } from "../../ops/compiler/compile.ts";
import { mean, type Tensor, Variable } from "../../ops/mod.ts";
import {
  askPhotos,
  batchThatFits,
  poolActivations,
  Showing,
} from "../../vis/photos/activations.ts";
import { requireSize } from "../../vis/photos/images.ts";
import { openGpu } from "../../kernels/runtime/device.ts";
import { chooseParameters } from "../../vis/presets.ts";
import { visualize } from "../../vis/visualize.ts";
import { openTrunk, type Trunk } from "../../vis/trunk.ts";
import { gpuForTests } from "../compare.ts";
import { exhaust } from "../reliability/exhaust.ts";
import { maxDifference } from "../goldens.ts";

const SIZE = 32;

async function motifs(): Promise<Trunk> {
  const model = createModel("motifs");
  return openTrunk(model, await model.builtInWeights!(), { layer: "features.20" }, SIZE);
}

function noise(seed: number, size = SIZE): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: 3 * size * size }, () => random.uniform(0, 255));
}

/** A device that, on paper, keeps tensors in buffers of at most so many bytes. */
function onPaper(largest: number): Gpu {
  const limits = {
    maxTextureDimension2D: 16384,
    maxStorageBufferBindingSize: largest,
    maxBufferSize: largest,
    minUniformBufferOffsetAlignment: 256,
  };
  const adapter = { info: { vendor: "nvidia" } };
  return { adapter, device: { limits }, storage: "buffer", software: false } as unknown as Gpu;
}

Deno.test("ResNet-18 shows as many pictures of 2048 pixels at a time as take a gigabyte", () => {
  const model = createModel("resnet18");
  const trunk = openTrunk(model, randomWeights(model), { layer: "layer1" }, 2048);
  const ask = (pictures: Tensor) => [trunk.observe(pictures).pooled];
  const paper = onPaper(2 ** 40);
  const batch = batchThatFits(paper, ask, 8, 2048);
  const bytes = (pictures: number) => {
    using input = new Variable(paper, [pictures, 3, 2048, 2048]);
    return planProgram(paper, { outputs: ask(input.tensor) }).own;
  };
  assert.ok(batch >= 1 && batch < 8, `${batch}`);
  assert.ok(bytes(batch) <= 2 ** 30 && bytes(batch + 1) > 2 ** 30);
});

Deno.test("what fits no device even alone is one line with the bytes and what to lower", () => {
  const model = createModel("resnet18");
  const trunk = openTrunk(model, randomWeights(model), { layer: "layer1" }, 2048);
  const ask = (pictures: Tensor) => [trunk.observe(pictures).pooled];
  assert.throws(() => batchThatFits(onPaper(2 ** 27), ask, 8, 2048), (error: Error) => {
    assert.ok(error instanceof UserError);
    // The first convolution gives 64 channels of 1024 × 1024.
    assert.match(error.message, /2048 pixels needs \d+ MB .* 256 MB of them in one piece.*smaller/);
    assert.ok(!error.message.includes("\n"));
    return true;
  });
  // The pictures themselves count too.
  const small = (pictures: Tensor) => [mean(pictures, [2, 3])];
  assert.throws(() => batchThatFits(onPaper(2 ** 20), small, 8, 512), UserError);
});

Deno.test("where memory is short fewer pictures go together, with the same answers", async () => {
  const trunk = await motifs();
  const pictures = Array.from({ length: 9 }, (_, i) => noise(i));
  using gpu = await gpuForTests();
  const usual = await poolActivations(gpu, trunk, 9, SIZE, (i) => pictures[i]!);
  const { tried } = exhaust(gpu, 2);
  const told: number[] = [];
  const fewer = await poolActivations(gpu, trunk, 9, SIZE, (i) => pictures[i]!, (done) => {
    told.push(done);
  });
  assert.equal(tried(), 3); // eight, four, two
  assert.deepEqual(told, [2, 4, 6, 8, 9]);
  const largest = usual.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  assert.ok(maxDifference(fewer, usual) < 1e-5 * largest);
});

Deno.test("when there is no memory for one, that is said", async () => {
  using gpu = await gpuForTests();
  exhaust(gpu, 9);
  const trunk = await motifs();
  await assert.rejects(
    poolActivations(gpu, trunk, 3, SIZE, () => noise(1)),
    /a picture of 32 pixels needs \d+ MB on this device besides the weights.*smaller size/,
  );
});

Deno.test("work that runs out of memory leaves the device as it was; other errors are thrown", async () => {
  using gpu = await gpuForTests();
  const { device } = gpu;
  let disposed = 0;
  const owner = { [Symbol.dispose]: () => disposed++ };
  assert.equal(await withinMemory(gpu, () => Promise.resolve(owner)), owner);
  assert.equal(disposed, 0);
  const invalid = () => {
    device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    return Promise.resolve(owner);
  };
  await assert.rejects(withinMemory(gpu, invalid), /the GPU reported: /);
  assert.equal(disposed, 1);
  await assert.rejects(
    withinMemory(gpu, () => Promise.reject(new Error("something else"))),
    /^Error: something else$/,
  );
  exhaust(gpu, 1);
  assert.equal(await withinMemory(gpu, invalid), undefined);
  assert.equal(disposed, 2);
  gpu.check();
});

Deno.test("any tensor may be asked for, several at once", async () => {
  using gpu = await gpuForTests();
  const pictures = Array.from({ length: 3 }, (_, i) => noise(i, 4));
  const levels = (of: (pictures: Tensor) => Tensor) =>
    askPhotos(gpu, { count: 3, size: 4, photo: (i) => pictures[i]!, ask: of });
  const whole = await levels((x) => x);
  pictures.forEach((picture, i) => {
    const seen = whole.subarray(i * 48, (i + 1) * 48);
    assert.ok(maxDifference(seen, picture.map((v) => v / 255 - 0.5)) < 1e-6);
  });
  const rows: [string, number[]][] = [];
  const ask = (x: Tensor) => [mean(x, [2, 3]), mean(x, [1, 2, 3])];
  using showing = await Showing.open<string>(gpu, { ask, size: 4, most: 2 }, (names, answers) => {
    names.forEach((name, i) => rows.push([name, answers.map((each) => each[i]!.length)]));
  });
  assert.equal(showing.batch, 2);
  for (const [i, picture] of pictures.entries()) await showing.add(`photo ${i}`, picture);
  assert.equal(rows.length, 2);
  await showing.finish();
  await showing.finish();
  assert.deepEqual(rows, [0, 1, 2].map((i) => [`photo ${i}`, [3, 1]]));
});

Deno.test("a picture of another size is refused, not read in part", async () => {
  using gpu = await gpuForTests();
  const trunk = await motifs();
  for (const size of [SIZE * 2, SIZE / 2]) {
    await assert.rejects(
      poolActivations(gpu, trunk, 2, SIZE, () => noise(1, size)),
      (error: Error) => error instanceof UserError && error.message.includes(`of ${size} pixels`),
    );
  }
  assert.throws(
    () => requireSize(new Float32Array(7), 2, "a.jpg"),
    /a\.jpg: expected the 12 values of 2 × 2 pixels in three colours, got 7;/,
  );
});

Deno.test("images of another size are refused, not read in part, whether they are shown or only blended", async () => {
  using gpu = await openGpu();
  const trunk = await motifs();
  const images = [1, 2].map((seed) => ({ name: `${seed}.png`, pixels: noise(seed, 2 * SIZE) }));
  const parameters = chooseParameters("soft", { iterations: 1 });
  const options = { trunk, images, size: SIZE, facets: 1, parameters, seed: 0 };
  const pooled = new Float32Array(2 * trunk.channels).fill(1);
  for (const known of [undefined, pooled]) {
    await assert.rejects(
      visualize(gpu, { ...options, pooled: known }),
      /expected the 3072 values of 32 × 32 pixels in three colours, got those of 64 pixels/,
    );
  }
});
