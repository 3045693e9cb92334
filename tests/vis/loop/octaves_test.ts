/** Octaves, optimizers, distances, start pictures: what a run may be asked for besides a preset. */
import assert from "node:assert/strict";
import { planar } from "../../../vis/drawings.ts";
import { type Gpu, openGpu } from "../../../kernels/runtime/device.ts";
import { UserError } from "../../../base/errors.ts";
import { drawClass } from "../../../models/motifs/draw.ts";
import { createModel } from "../../../models/registry.ts";
import {
  compile,
  constant,
  conv2d,
  DISTANCES,
  globalAveragePool,
  mul,
  Random,
  type Shape,
  type Tensor,
  Variable,
} from "../../../ops/mod.ts";
import { distanceTerm } from "../../../vis/objectives/distances.ts";
import type { HeldImage } from "../../../vis/photos/images.ts";
import { Loop, type LoopOptions } from "../../../vis/loop/loop.ts";
import { Optimizer } from "../../../vis/loop/optimizer.ts";
import {
  optionName,
  PARAMETER_NAMES,
  PARAMETERS,
  type Parameters,
} from "../../../vis/parameters.ts";
import { chooseOctaves, chooseParameters, firstIterations, PRESETS } from "../../../vis/presets.ts";
import { resizeArea } from "../../../vis/photos/area_resize.ts";
import { startPictures } from "../../../vis/loop/start.ts";
import { asSeen, startSeen } from "../../../vis/photos/seen.ts";
import { openTrunk } from "../../../vis/trunk.ts";
import { visualize, type VisualizeOptions } from "../../../vis/visualize.ts";
import type { RunEvent } from "../../../vis/events.ts";
import { maxDifference } from "../../goldens.ts";
import { facets } from "../../../vis/objectives/facets.ts";
import type { Viewer } from "../../../vis/network.ts";

const SIZE = 64;
const random = new Random(11);
const noise = (length: number, low: number, high: number) =>
  Float32Array.from({ length }, () => random.uniform(low, high));

/** Values of tensors, computed in poisoned memory. */
async function compute(gpu: Gpu, outputs: readonly Tensor[]): Promise<Float32Array[]> {
  using program = await compile(gpu, { outputs });
  program.poison();
  program.run();
  const results: Float32Array[] = [];
  for (const output of outputs) results.push(await program.read(output));
  return results;
}

function atMost(value: number, bound: number, what: string): void {
  assert.ok(value <= bound, `${what}: ${value}, expected at most ${bound}`);
}

Deno.test("every parameter has a sentence of help, and a preset is what it changes", () => {
  const names = new Set<string>();
  for (const key of PARAMETER_NAMES) {
    const { help, allowed, standard, accepts, unit } = PARAMETERS[key];
    assert.ok(help.length > 10 && !help.endsWith("."), key);
    assert.ok(allowed.length > 3 && typeof unit === "string", key);
    assert.ok(accepts(standard), key);
    assert.ok(!accepts(undefined) && !accepts({}), key);
    assert.match(optionName(key), /^[a-z][a-z0-9_]*$/);
    names.add(optionName(key));
  }
  assert.equal(names.size, PARAMETER_NAMES.length);
  // vis.py's octave dictionary, by its own names.
  for (
    const name of ["scale", "iter_n", "start_lr", "end_lr", "start_mask_sigma", "end_mask_sigma"]
      .concat(["start_sigma", "end_sigma", "start_denoise_weight", "end_denoise_weight"])
      .concat(["start_lambda", "end_lambda", "window", "window_step", "brightness_step"])
  ) chooseParameters("original", { [name]: 2 });
  // What `original` differs in from `paper`: one parameter for each of vis.py's slips.
  const { original, paper } = PRESETS as Record<"original" | "paper", Parameters>;
  assert.deepEqual(
    PARAMETER_NAMES.filter((key) => original[key] !== paper[key]).map(optionName),
    [
      ...["choose", "colour_order", "whole_levels", "schedule", "channel_sets", "distance"],
      ...["distance_formulas", "term_sums", "mask_divisor", "mask_scales", "brightness_gated"],
      "window_mode",
    ],
  );
});

Deno.test("octaves: a preset, changes for all, changes for each", () => {
  const octaves = chooseOctaves("soft", { channels: "20" }, [
    { size: 112, iter_n: "60" },
    { start_lr: 0.01, end_lr: "0.005" },
  ]);
  assert.deepEqual(octaves.map((p) => p.channels), [20, 20]);
  assert.deepEqual(octaves.map((p) => p.size), [112, 0]);
  assert.deepEqual(octaves.map((p) => p.iterations), [60, 200]);
  assert.deepEqual(octaves.map((p) => p.startLr), [0.034, 0.01]);
  assert.equal(chooseOctaves("paper").length, 1);

  const refused = (octaves: Record<string, unknown>[], pattern: RegExp, preset = "default") =>
    assert.throws(() => chooseOctaves(preset, {}, octaves), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, pattern);
      return true;
    });
  refused([{}, { start_lr: -1 }], /^octave 2: start_lr: expected a number from 0 .*, got -1$/);
  refused([{ lr: 1 }, {}], /^octave 1: no parameter "lr"; nearest: /);
  refused([{ lr: 1 }], /^no parameter "lr"/);
  refused(
    [{}, { channels: 5 }],
    /^octave 2: channels is 5, but 50 in octave 1; it must be the same/,
  );
  refused([{ gradient_bands: [] }, { size: 1.5 }], /^octave 2: size: expected a whole number/);
  refused([{ start_lr: [1] }], /^start_lr: expected .*, got \[1\]$/);
  // A second octave of the original goes on in the middle of its schedule, or has none left.
  refused(
    [{}, {}],
    /^octave 2: schedule=continued goes on at iteration 2002 of its 2001/,
    "original",
  );
  const continued = chooseOctaves("original", {}, [{ iterations: 10 }, { iterations: 25 }]);
  assert.deepEqual(firstIterations(continued), [1, 11]);
  assert.deepEqual(firstIterations(chooseOctaves("soft", {}, [{}, {}])), [1, 1]);
});

/** What PyTorch's SGD and Adam subtract, step by step, for lr 1. */
function torchUpdates(gradients: readonly number[][], p: Parameters): number[][] {
  const zero = () => gradients[0]!.map(() => 0);
  let [v, m, s] = [zero(), zero(), zero()];
  return gradients.map((g, index) => {
    if (p.optimizerRestart) [v, m, s] = [zero(), zero(), zero()];
    const t = p.optimizerRestart ? 1 : index + 1;
    v = v.map((value, i) => p.momentum * value + g[i]!);
    m = m.map((value, i) => p.momentum * value + (1 - p.momentum) * g[i]!);
    s = s.map((value, i) => p.beta2 * value + (1 - p.beta2) * g[i]! ** 2);
    if (p.optimizer === "sgd") return v;
    if (p.optimizer === "nesterov") return g.map((value, i) => value + p.momentum * v[i]!);
    const [c1, c2] = [1 - p.momentum ** t, 1 - p.beta2 ** t];
    return m.map((value, i) => value / c1 / (Math.sqrt(s[i]! / c2) + 1e-8));
  });
}

Deno.test("sgd, nesterov and adam step as in PyTorch, restarted or not", async () => {
  using gpu = await openGpu();
  const shape: Shape = [2, 3, 5, 1];
  const gradients = Array.from({ length: 6 }, () => [...noise(30, -2, 2)]);
  for (const optimizer of ["sgd", "nesterov", "adam"]) {
    for (const optimizer_restart of [false, true]) {
      const p = chooseParameters("paper", { optimizer, optimizer_restart, beta2: 0.99 });
      using optimizerOf = new Optimizer(gpu, p);
      using gradient = new Variable(gpu, shape);
      const { update, assign } = optimizerOf.step(gradient.tensor);
      using program = await compile(gpu, { outputs: [update], assign });
      const run = async (values: number[]) => {
        gradient.write(values);
        optimizerOf.advance();
        program.run();
        return await program.read(update);
      };
      for (const [i, expected] of torchUpdates(gradients, p).entries()) {
        const error = maxDifference(await run(gradients[i]!), expected);
        atMost(error, 1e-5, `${optimizer}, restart ${optimizer_restart}, step ${i + 1}`);
      }
      optimizerOf.reset();
      const again = torchUpdates(gradients, p)[0]!;
      atMost(maxDifference(await run(gradients[0]!), again), 1e-5, `${optimizer} after a reset`);
    }
  }
  // Damping keeps the long run's step at lr; Adam's is that without it.
  const gain = (changes: Record<string, unknown>) => {
    using optimizer = new Optimizer(gpu, chooseParameters("soft", changes));
    return optimizer.gain;
  };
  assert.ok(Math.abs(gain({}) - 0.1) < 1e-12);
  assert.equal(gain({ optimizer: "adam" }), 1);
  assert.equal(gain({ momentum_damping: false }), 1);
});

Deno.test("every distance is what it is called, or what vis.py makes of it", async () => {
  using gpu = await openGpu();
  const [k, c] = [2, 7];
  const [x, t] = [noise(k * c, 0, 3), noise(k * c, 0, 3)];
  const tensor = (values: Float32Array) => constant([k, c, 1, 1], () => values);
  const energy = constant([k, 1, 1, 1], () => Float32Array.of(0.5, 0.25));
  const meanOf = (f: (d: number, x: number, t: number) => number) =>
    Array.from({ length: k }, (_, i) => {
      let sum = 0;
      for (let j = i * c; j < (i + 1) * c; j++) sum += f(x[j]! - t[j]!, x[j]!, t[j]!);
      return sum / c;
    });
  const logCosh = (d: number) => 2 * Math.log(Math.cosh(d / 2));
  const expected: [Record<string, unknown>, number[]][] = [
    [{ distance: "relative" }, meanOf((d) => c * d * d).map((v, i) => v * [0.5, 0.25][i]!)],
    [{ distance: "charbonnier" }, meanOf((d) => Math.sqrt(d * d + 1) - 1)],
    [{ distance: "l1" }, meanOf(Math.abs)],
    [{ distance: "l2" }, meanOf((d) => d * d)],
    [{ distance: "minkowski", distance_p: 4 }, meanOf((d) => d ** 4).map((v) => v ** 0.25)],
    [{ distance: "canberra" }, meanOf((d, x, t) => Math.abs(d) / (x + t))],
    [{ distance: "logit" }, meanOf(logCosh)],
    [
      { distance: "huber", distance_delta: 0.5 },
      meanOf((d) => {
        const size = Math.abs(d);
        return size <= 0.5 ? d * d / 2 : 0.5 * (size - 0.25);
      }),
    ],
    [{ distance: "quantile", distance_q: 0.2 }, meanOf((d) => d > 0 ? 0.8 * d : -0.2 * d)],
    [
      { distance: "robust", distance_alpha: 0, distance_c: 2 },
      meanOf((d) => Math.log1p((d / 2) ** 2 / 2)),
    ],
  ];
  const deviant: typeof expected = [
    [{ distance: "l1" }, meanOf(Math.abs)],
    [{ distance: "l2" }, meanOf(Math.abs)],
    [{ distance: "minkowski", distance_p: 4 }, meanOf(Math.abs)],
    [{ distance: "canberra" }, meanOf((d, x, t) => Math.abs(d) / x + t)],
    [{ distance: "logit" }, meanOf((d) => -logCosh(d))],
    [{ distance: "quantile", distance_q: 0.2 }, meanOf((d) => 0.2 * Math.abs(d))],
  ];
  const cases = expected.concat(
    deviant.map(([changes, values]) => [{ ...changes, distance_formulas: "vis_py" }, values]),
  );
  const outputs = cases.map(([changes]) =>
    distanceTerm(tensor(x), tensor(t), energy, undefined, chooseParameters("soft", changes))
  );
  const results = await compute(gpu, outputs);
  cases.forEach(([changes, values], i) => {
    const scale = Math.max(...values.map(Math.abs));
    atMost(maxDifference(results[i]!, values) / scale, 1e-5, JSON.stringify(changes));
  });
  const offered = PARAMETERS.distance.allowed.split(" or ");
  assert.deepEqual(offered.slice(0, 3), ["relative", "charbonnier", "adaptive"]);
  assert.deepEqual(offered.slice(3), Object.keys(DISTANCES));
});

/** A smooth network of four channels: a convolution, squared. */
function smoothTrunk() {
  const kernel = noise(4 * 3 * 25, -0.2, 0.2);
  const network: Viewer = {
    model: { normalisation: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } },
    see(pictures) {
      const penalty = conv2d(pictures, constant([4, 3, 5, 5], () => kernel), undefined, {
        stride: 2,
      });
      return {
        get: ({ of }) => of === "input" ? penalty : globalAveragePool(mul(penalty, penalty)),
      };
    },
  };
  return { network, target: "squares", penalty: "squares", channels: 4 };
}

Deno.test("distance adaptive learns shape and scale along the slopes of the loss, and keeps them", async () => {
  using gpu = await openGpu();
  const trunk = smoothTrunk();
  const parameters = chooseParameters("soft", {
    ...{ distance: "adaptive", activation_weight: 0, start_lambda: 0, end_lambda: 0 },
    ...{ optimizer: "sgd", momentum: 0, start_lr: 0.01, end_lr: 0.01, adaptive_lr: 3 },
    ...{ warp_shift: 0, warp_zoom: 0, warp_turn: 0, regularise_step: 1000, iterations: 30 },
  });
  const before = {
    alpha: Float32Array.of(0.3, -0.2, 0, 0.1),
    scale: Float32Array.of(0, 0.2, -0.4, 0),
  };
  const options: LoopOptions = {
    network: trunk.network,
    objective: facets(trunk, {
      targets: Float32Array.of(0.4, 0.1, 3, 0.2, 0.1, 0.5, 2, 0.3),
      channels: [[0], [1]],
      mean: new Float32Array(4),
    }),
    start: noise(2 * 3 * 16 * 16, 0, 255),
    size: 16,
    parameters,
    seed: 0,
    state: { learned: before, factors: [] },
  };
  const lossAt = async (learned: typeof before) => {
    using loop = await Loop.create(gpu, { ...options, state: { learned, factors: [] } });
    return (await loop.evaluate()).reduce((sum, { loss }) => sum + loss, 0);
  };
  using loop = await Loop.create(gpu, options);
  loop.step();
  const first = (await loop.state()).learned as typeof before;
  const h = 0.05;
  for (const name of ["alpha", "scale"] as const) {
    for (let i = 0; i < 4; i++) {
      const moved = (by: number) => ({
        ...before,
        [name]: before[name].with(i, before[name][i]! + by),
      });
      const slope = (await lossAt(moved(h)) - await lossAt(moved(-h))) / (2 * h);
      // Four channels, two pictures: each channel learns from its own mean over pictures.
      const expected = before[name][i]! - 0.01 * 3 * (4 / 2) * slope;
      atMost(Math.abs(first[name][i]! - expected), 5e-5, `${name} ${i}: ${first[name][i]}`);
      assert.notEqual(first[name][i], before[name][i]);
    }
  }
  await loop.results();
  await loop.run();
  const last = (await loop.state()).learned as typeof before;
  // Channel 2 is far from its target, so it comes to count as one of many outliers: c grows.
  assert.ok(last.scale[2]! > before.scale[2]! + 0.2, `${last.scale}`);

  // Forgotten after every step, nothing is learned.
  using restarted = await Loop.create(gpu, {
    ...options,
    state: undefined,
    parameters: { ...parameters, optimizerRestart: true },
  });
  await restarted.run();
  assert.equal((await restarted.state()).learned, undefined);
});

Deno.test("each optimizer brings the pictures nearer to their targets", async () => {
  using gpu = await openGpu();
  const trunk = smoothTrunk();
  const start = noise(2 * 3 * 16 * 16, 0, 255);
  for (const optimizer of ["sgd", "nesterov", "adam"]) {
    using loop = await Loop.create(gpu, {
      network: trunk.network,
      objective: facets(trunk, {
        targets: Float32Array.of(0.4, 0.1, 0.3, 0.2, 0.1, 0.5, 0.2, 0.3),
        channels: [[0], [1]],
        mean: new Float32Array(4),
      }),
      start,
      size: 16,
      parameters: chooseParameters("soft", {
        ...{ optimizer, iterations: 25, start_lambda: 0, end_lambda: 0 },
        ...{ warp_shift: 0, warp_zoom: 0, warp_turn: 0 },
      }),
      seed: 0,
    });
    const before = await loop.evaluate();
    await loop.run();
    const after = await loop.evaluate();
    after.forEach((m, i) => assert.ok(m.loss < before[i]!.loss, `${optimizer}: ${m.loss}`));
  }
});

/** Small drawings of the built-in class as the method wants them. */
function images(count: number): HeldImage[] {
  return drawClass({ count, size: SIZE })
    .map(({ name, pixels }) => ({ name, pixels: planar(pixels, SIZE * SIZE) }));
}

/** A run on the drawings. */
async function runOn(
  gpu: Gpu,
  sources: readonly HeldImage[],
  parameters: Parameters | readonly Parameters[],
  more: Partial<VisualizeOptions> = {},
) {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  const events: RunEvent[] = [];
  const run = await visualize(
    gpu,
    { trunk, images: sources, size: SIZE, facets: 2, parameters, seed: 0, ...more },
    (event) => void events.push(event),
  );
  return { ...run, events };
}

Deno.test("octaves go on from the last one's pictures, each at its size and with its schedule", async () => {
  using gpu = await openGpu();
  const still = { start_lr: 0, end_lr: 0, regularise_step: 1000 };
  const octaves = chooseOctaves("soft", {}, [
    { size: 32, iterations: 15 },
    { iterations: 12, start_lr: 0.02 },
    { ...still, size: 48, iterations: 3 },
  ]);
  const { events, pictures, size, before, after } = await runOn(gpu, images(12), octaves, {
    saveEvery: 27,
  });
  assert.equal(size, 48);
  assert.equal(pictures.length, 2 * 3 * 48 * 48);
  const of = <K extends RunEvent["kind"]>(kind: K) =>
    events.filter((event): event is Extract<RunEvent, { kind: K }> => event.kind === kind);
  assert.deepEqual(of("ready").map((e) => [e.octave, e.size]), [[0, 32], [1, 64], [2, 48]]);
  assert.deepEqual(
    of("iterations").flatMap((e) => e.results.map((r) => r.iteration)),
    Array.from({ length: 30 }, (_, i) => i + 1),
  );
  assert.ok(of("iterations").every((e) => e.total === 30));
  assert.deepEqual(before, of("ready")[0]!.before);
  assert.ok(after.every((m, i) => m.own > before[i]!.own));
  // The last octave does nothing, so it ends with the second's pictures at its own size.
  const second = of("pictures").find((e) => e.iteration === 27)!;
  assert.equal(second.size, 64);
  const square = (side: number) => ({ width: side, height: side });
  const shrunk = resizeArea(second.pictures, square(64), square(48));
  atMost(maxDifference(pictures, shrunk), 1e-3, "pictures of an octave without steps");
  const first = of("pictures").find((e) => e.iteration === 0)!;
  assert.equal(first.size, 32);
});

Deno.test("a continued schedule goes on where the last octave's ended", async () => {
  using gpu = await openGpu();
  const common = { schedule: "continued", optimizer_restart: true };
  const noWarp = { warp_shift: 0, warp_zoom: 0, warp_turn: 0, lambda_scale: "raw" };
  const octaves = (list: Record<string, unknown>[]) =>
    chooseOctaves("soft", { ...common, ...noWarp, start_lambda: 0, end_lambda: 0 }, list);
  const sources = images(12);
  // Both octaves have the same schedule of 10, of which the first does 8: together they are one run.
  // Longer runs would enlarge the rounding of the pictures that are handed over.
  const whole = await runOn(gpu, sources, octaves([{ iterations: 10 }]));
  const ramp = (at: number) => 0.034 + (0.009 - 0.034) * (at - 1) / 9;
  const mask = (at: number) => 420 - 80 * (at - 1) / 9;
  const parts = await runOn(
    gpu,
    sources,
    octaves([
      { iterations: 8, end_lr: ramp(8), end_mask_sigma: mask(8) },
      { iterations: 10 },
    ]),
  );
  assert.equal(parts.events.filter((event) => event.kind === "ready").length, 2);
  atMost(maxDifference(whole.pictures, parts.pictures), 1e-3, "grey levels between the two");
});

Deno.test("what distance adaptive learned goes over to the next octave", async () => {
  using gpu = await openGpu();
  const sources = images(12);
  const learn = { distance: "adaptive", adaptive_lr: 50, iterations: 10 };
  const one = await runOn(gpu, sources, chooseOctaves("soft", learn));
  const two = await runOn(
    gpu,
    sources,
    chooseOctaves("soft", learn, [{}, { start_lr: 0, end_lr: 0 }]),
  );
  assert.ok(one.learned!.alpha!.some((v) => Math.abs(v) > 0.01), `${one.learned!.alpha}`);
  assert.deepEqual(two.learned, one.learned);
});

Deno.test("with red for blue, swapped images give the pictures that images give, swapped", async () => {
  using gpu = await openGpu();
  const sources = images(12);
  const swapped = sources.map(({ name, pixels }) => ({
    name,
    pixels: asSeen(pixels, { colourOrder: "bgr", wholeLevels: false }),
  }));
  assert.deepEqual(
    swapped[0]!.pixels.subarray(0, SIZE ** 2),
    sources[0]!.pixels.subarray(2 * SIZE ** 2),
  );
  const of = (colour_order: string) => chooseParameters("soft", { colour_order, iterations: 5 });
  const plain = await runOn(gpu, sources, of("rgb"));
  const both = await runOn(gpu, swapped, of("bgr"));
  assert.deepEqual(both.pictures, plain.pictures);
});

Deno.test("whole levels stay whole, and a flat picture stays what it is", async () => {
  using gpu = await openGpu();
  const parameters = chooseParameters("soft", {
    ...{ whole_levels: true, iterations: 20, start_lr: 0, end_lr: 0, scale: 1.2 },
  });
  const trunk = smoothTrunk();
  const flat = Float32Array.from(
    { length: 3 * 20 * 20 },
    (_, i) => [17, 128, 254][Math.floor(i / 400)]!,
  );
  const grow = async (start: Float32Array) => {
    using loop = await Loop.create(gpu, {
      network: trunk.network,
      objective: facets(trunk, {
        targets: Float32Array.of(1, 1, 1, 1),
        channels: [[0]],
        mean: new Float32Array(4),
      }),
      start,
      size: 20,
      parameters,
      seed: 0,
    });
    await loop.run();
    return await loop.pictures();
  };
  atMost(maxDifference(await grow(flat), flat), 1e-3, "grey levels of a flat picture");
  const grained = await grow(noise(3 * 20 * 20, 0, 255).map(Math.round));
  assert.ok(grained.every((v) => Math.abs(v - Math.round(v)) < 1e-3));
});

Deno.test("pictures start from the mean, from noise or from a picture", async () => {
  const size = 16;
  const plane = size * size;
  const mean = Float32Array.from(
    { length: 2 * 3 * plane },
    (_, i) => 40 * Math.floor(i / plane) + 0.6,
  );
  const parameters = PRESETS.soft!;
  const of = (start: "mean" | "noise" | Float32Array, seed = 1, p = parameters) =>
    startPictures(startSeen(start, p), { mean, size, seed, parameters: p });
  assert.deepEqual(of("mean"), mean);
  assert.deepEqual(of("mean", 1, PRESETS.original), mean.map(Math.floor));
  const grain = of("noise");
  assert.deepEqual(grain, of("noise"));
  assert.notDeepEqual(grain, of("noise", 2));
  for (let channel = 0; channel < 6; channel++) {
    const values = grain.subarray(channel * plane, (channel + 1) * plane);
    const middle = values.reduce((a, b) => a + b) / plane;
    atMost(Math.abs(middle - mean[channel * plane]!), 9, `mean of channel ${channel}`);
    assert.ok(values.some((v) => Math.abs(v - middle) > 10));
    assert.ok(values.every((v) => v >= 0 && v <= 255));
  }
  const picture = noise(3 * plane, 0, 255);
  assert.deepEqual(of(picture).subarray(3 * plane), picture);
  assert.deepEqual(
    of(picture, 1, PRESETS.original).subarray(0, plane),
    picture.subarray(2 * plane).map(Math.round),
  );
  assert.throws(() => of(new Float32Array(5)), /expected 768 values for a picture of 16, got 5/);

  using gpu = await openGpu();
  const run = await runOn(gpu, images(12), chooseParameters("soft", { iterations: 20 }), {
    start: "noise",
  });
  run.after.forEach((m, i) =>
    assert.ok(m.own > run.before[i]!.own && m.cosine > run.before[i]!.cosine)
  );
});

Deno.test("every preset runs", async () => {
  using gpu = await openGpu();
  // Their own steps are for raw gradients of large networks, their windows move after 400 iterations.
  const raw = { start_lr: 0.01, window_step: 4 };
  const CHANGES: Record<string, Record<string, number>> = {
    paper: raw,
    original: raw,
    poster: { size: 0 },
  };
  for (const preset of Object.keys(PRESETS)) {
    const parameters = chooseParameters(preset, { ...CHANGES[preset], iterations: 12 });
    const { pictures, after } = await runOn(gpu, images(12), parameters);
    assert.ok(pictures.every((v) => v >= -1e-3 && v <= 255.001), preset);
    assert.ok(after.every((m) => Number.isFinite(m.loss)), preset);
  }
});
