import assert from "node:assert/strict";
import { planar } from "../cli/demo.ts";
import { openGpu } from "../kernels/device.ts";
import { UserError } from "../kernels/errors.ts";
import { drawClass, FACETS } from "../models/motifs/draw.ts";
import { createModel } from "../models/registry.ts";
import { compile, gaussianKernel, Random, Variable } from "../ops/mod.ts";
import { Canvas } from "../vis/canvas.ts";
import { Loop } from "../vis/loop.ts";
import { allowed, chooseParameters, optionName, PRESETS } from "../vis/parameters.ts";
import { adjustedRandIndex } from "../vis/rand_index.ts";
import { blurWeights, drawWarp, ramp, scheduleAt, warpMatrix } from "../vis/schedule.ts";
import { openTrunk } from "../vis/trunk.ts";
import { pictureIterations, visualize, type VisualizeEvent } from "../vis/visualize.ts";

const SIZE = 64;

/** Small drawings of the built-in class as the method wants them. */
function images(count: number) {
  return drawClass({ count, size: SIZE }).map(({ name, pixels, facet }) => (
    { name, facet, pixels: planar(pixels, SIZE * SIZE) }
  ));
}

Deno.test("the whole method runs: facets are found, activation rises, distance falls", async () => {
  const model = createModel("motifs");
  using weights = model.builtInWeights!();
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  using gpu = await openGpu();
  const drawn = images(60);
  const kinds: VisualizeEvent["kind"][] = [];
  const run = await visualize(gpu, {
    trunk,
    images: drawn,
    size: SIZE,
    facets: FACETS.length,
    parameters: chooseParameters("default", { iterations: 40 }),
    seed: 1,
    saveEvery: 20,
  }, (event) => {
    kinds.push(event.kind);
    if (event.kind === "iterations") {
      for (const { metrics } of event.results) {
        for (const m of metrics) assert.ok(Object.values(m).every(Number.isFinite));
      }
    }
  });
  assert.ok(adjustedRandIndex(drawn.map((d) => d.facet), run.facets.labels) >= 0.9);
  run.after.forEach((after, i) => {
    assert.ok(after.own > run.before[i]!.own, `facet ${i + 1}: own ${after.own}`);
    assert.ok(after.other_distance < run.before[i]!.other_distance, `facet ${i + 1}: distance`);
  });
  assert.ok(run.pictures.every((v) => v >= 0 && v <= 255));
  assert.deepEqual([...new Set(kinds)], [
    "activations",
    "facets",
    "ready",
    "pictures",
    "iterations",
  ]);
});

Deno.test("the loop creates no GPU memory and no pipeline once it runs", async () => {
  const model = createModel("motifs");
  using weights = model.builtInWeights!();
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  using gpu = await openGpu();
  const random = new Random(5);
  const c = trunk.channels;
  const noise = (length: number, high: number) =>
    Float32Array.from({ length }, () => random.uniform(0, high));
  using loop = await Loop.create(gpu, {
    trunk,
    goals: {
      targets: noise(2 * c, 1),
      channels: [[0, 1, 2], [3, 4, 5]],
      mean: noise(c, 1),
    },
    start: noise(2 * 3 * SIZE * SIZE, 255),
    size: SIZE,
    parameters: chooseParameters("default", { iterations: 30 }),
    seed: 0,
  });
  const made: string[] = [];
  for (
    const name of [
      "createBuffer",
      "createTexture",
      "createBindGroup",
      "createShaderModule",
    ] as const
  ) {
    const original = gpu.device[name].bind(gpu.device) as (descriptor: unknown) => unknown;
    Object.defineProperty(gpu.device, name, {
      value: (descriptor: unknown) => (made.push(name), original(descriptor)),
    });
  }
  await loop.run();
  assert.equal(loop.iteration, 30);
  assert.deepEqual(made, []);
  await assert.rejects(async () => {
    for (let i = 0; i < 11; i++) await loop.step();
  }, /read the results first/);
  await loop.results();
});

Deno.test("a layer that answers nothing, and fewer images than facets, are the user's to mend", async () => {
  const model = createModel("motifs");
  using weights = model.builtInWeights!();
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  using gpu = await openGpu();
  const options = { trunk, size: SIZE, parameters: chooseParameters(), seed: 0 };
  await assert.rejects(
    visualize(gpu, { ...options, images: images(4).slice(0, 2), facets: 3 }),
    new UserError("2 images cannot make 3 facets; add images or ask for fewer"),
  );
});

Deno.test("every parameter has a range, and every preset keeps to it", () => {
  for (const preset of Object.keys(PRESETS)) chooseParameters(preset);
  const bad: [string, unknown][] = [
    ["iterations", 0],
    ["iterations", 1.5],
    ["start_lr", NaN],
    ["momentum", 1],
    ["weighting", "mean"],
    ["gradient_bands", [0, -1]],
    ["gradient_bands", "0+x"],
    ["momentum_restart", "yes"],
    ["scale", ""],
  ];
  for (const [name, value] of bad) {
    assert.throws(() => chooseParameters("default", { [name]: value }), UserError, name);
  }
  for (const key of Object.keys(PRESETS.default!)) {
    assert.ok(allowed(key as never).length > 3, key);
  }
  assert.equal(optionName("startMaskSigma"), "start_mask_sigma");
});

Deno.test("parameters come as text or values, under either name", () => {
  const p = chooseParameters("paper", {
    start_lr: "0.3",
    endLr: 0.05,
    gradient_bands: "0+2",
    momentum_restart: "false",
  });
  assert.equal(p.startLr, 0.3);
  assert.equal(p.endLr, 0.05);
  assert.deepEqual(p.gradientBands, [0, 2]);
  assert.equal(p.momentumRestart, false);
  assert.deepEqual(chooseParameters("default", { gradient_bands: "none" }).gradientBands, []);
});

Deno.test("schedules are linear, and end where they should", () => {
  assert.equal(ramp(2, 8, 1, 60), 2);
  assert.equal(ramp(2, 8, 60, 60), 8);
  assert.equal(ramp(2, 8, 1, 1), 2);
  const p = chooseParameters("paper", { iterations: 100, brightness_step: 50, window_step: 40 });
  const s = scheduleAt(p, 40, 512);
  assert.ok(s.regularise && s.moveWindow && !s.brighten);
  assert.ok(scheduleAt(p, 50, 512).brighten);
  assert.ok(!scheduleAt(p, 41, 512).regularise);
  // The mask's numbers: ring at one pixel, sigma / 6 pixels at 512, extremes of the whole picture.
  const [edge, sigma, low, high] = scheduleAt(p, 1, 512).mask;
  assert.equal(edge, 1);
  assert.equal(sigma, 70);
  assert.equal(high, 1);
  assert.ok(Math.abs(low! - Math.exp(-0.5 * ((Math.hypot(256, 256) - 1) / 70) ** 2)) < 1e-12);
});

Deno.test("blur kernels sum to one, whatever the sigma", () => {
  for (const preset of ["default", "paper"]) {
    const p = chooseParameters(preset);
    for (const sigma of [0, 0.04, 0.2, 0.5, 0.9, 3]) {
      const weights = blurWeights(p, sigma, 64, 12);
      const total = weights.reduce((sum, w, k) => sum + (k === 0 ? w : 2 * w), 0);
      assert.ok(Math.abs(total - 1) < 1e-6, `${preset} ${sigma}: ${total}`);
    }
  }
  assert.deepEqual([...gaussianKernel(1, 0, 3)], [1, 0, 0]);
});

Deno.test("the same seed draws the same warps, within their ranges", () => {
  const p = chooseParameters();
  const [a, b] = [new Random(9), new Random(9)];
  for (let i = 0; i < 50; i++) {
    const warp = drawWarp(p, 224, a);
    assert.deepEqual(warp, drawWarp(p, 224, b));
    assert.ok(Math.abs(Math.log(warp.zoom)) <= 0.2 && Math.abs(warp.turn) <= Math.PI / 12);
    assert.ok(Math.abs(warp.dx) <= 24 && Math.abs(warp.dy) <= 24);
  }
  assert.deepEqual(warpMatrix({ zoom: 1, turn: 0, dx: 0, dy: 0 }, 8), [1, -0, 0, 0, 1, 0]);
});

Deno.test("the canvas keeps what its window no longer shows", () => {
  const size = 10;
  const start = Float32Array.from({ length: 3 * size * size }, (_, i) => i);
  const canvas = new Canvas(start, 1, size, 1.2);
  assert.equal(canvas.side, 12);
  const seen = canvas.window();
  canvas.paste(seen.map((v) => v + 1000));
  const before = canvas.offset;
  const random = new Random(3);
  for (let i = 0; i < 20; i++) {
    canvas.move(0.4, random);
    const [x, y] = canvas.offset;
    assert.ok(x >= 0 && x <= 2 && y >= 0 && y <= 2);
  }
  const [x, y] = canvas.offset;
  const now = canvas.window();
  // A pixel both windows show is the changed one.
  const at = (window: Float32Array, ox: number, oy: number) => window[(6 - oy) * size + 6 - ox];
  assert.equal(at(now, x, y), at(seen, before[0], before[1])! + 1000);
});

Deno.test("a scale of one leaves the start picture alone", () => {
  const start = Float32Array.from({ length: 2 * 3 * 64 }, (_, i) => i / 7);
  assert.deepEqual(new Canvas(start, 2, 8, 1).window(), start);
});

Deno.test("the paper preset runs, window moves and brightness included", async () => {
  const model = createModel("motifs");
  using weights = model.builtInWeights!();
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  using gpu = await openGpu();
  const p = chooseParameters("paper", {
    iterations: 25,
    window_step: 8,
    brightness_step: 5,
    start_lr: 1e-3,
    end_lr: 1e-3,
  });
  const run = await visualize(gpu, {
    trunk,
    images: images(12),
    size: SIZE,
    facets: 2,
    parameters: p,
    seed: 0,
  });
  assert.ok(run.pictures.every((v) => v >= 0 && v <= 255));
  assert.ok(run.after.every((m) => Number.isFinite(m.loss)));
});

Deno.test("pictures are handed out at the start, the end and where they are saved", () => {
  const at = pictureIterations(450, 200);
  assert.equal(at.get(200), true);
  assert.equal(at.get(400), true);
  assert.ok(at.has(450));
  assert.deepEqual([...pictureIterations(1, 200).keys()], [1]);
});

Deno.test("a variable keeps what is written, and refuses the wrong number of values", async () => {
  for (const storage of ["texture", "buffer"] as const) {
    using gpu = await openGpu({ storage });
    using v = new Variable(gpu, [2, 5, 3, 4]);
    const values = Float32Array.from({ length: 120 }, (_, i) => i - 60);
    v.write(values);
    assert.deepEqual(await v.read(), values);
    assert.throws(() => v.write([1, 2]), /expected 120 values, got 2/);
    using program = await compile(gpu, { outputs: [v.tensor] });
    assert.deepEqual(await program.read(v.tensor), values);
  }
});
