/** The recipe's pieces and the loop made of them, against the recipe's own Python run next to it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Gpu, openGpu } from "../../kernels/runtime/device.ts";
import { createModel } from "../../models/registry.ts";
import { openSafetensors } from "../../models/formats/open_safetensors.ts";
import {
  compile,
  constant,
  conv2d,
  gaussianBlur,
  globalAveragePool,
  gradients,
  mul,
  radialMask,
  type Shape,
  type Tensor,
  tvDenoise,
  warp,
} from "../../ops/mod.ts";
import { precondition, rms } from "../../vis/loop/group.ts";
import { Loop, type LoopOptions } from "../../vis/loop/loop.ts";
import type { Parameters } from "../../vis/parameters.ts";
import { chooseParameters, PRESETS } from "../../vis/presets.ts";
import {
  blurWeights,
  largestRadius,
  ramp,
  scheduleAt,
  type Warp,
  warpMatrix,
} from "../../vis/loop/schedule.ts";
import { weightsOf } from "../../vis/facets/targets.ts";
import { openTrunk, type Trunk } from "../../vis/trunk.ts";
import { dotProduct, largest } from "../distance.ts";
import { hasShared, maxDifference, sharedPath } from "../goldens.ts";
import { findPython, readFloats, runReference, WANTED_PYTHON } from "../python.ts";
import { facets } from "../../vis/objectives/facets.ts";
import type { Viewer } from "../../vis/network.ts";

const DEFAULT = PRESETS.soft!;
const RECIPE = ["recipe", "recipe.py"];
const WEIGHTS = ["weights", "squeezenet1_1.safetensors"];
const PHOTOS = ["images", "ants"];

const missing = [RECIPE, WEIGHTS, PHOTOS].filter((path) => !hasShared(...path))
  .map((path) => `../shared/${path.join("/")}`);
const python = missing.length === 0 ? findPython() : undefined;
if (missing.length === 0 && !python) missing.push(WANTED_PYTHON);
if (missing.length > 0) {
  // deno-lint-ignore no-console
  console.warn(`SKIPPED all tests of the recipe; missing: ${missing.join("; ")}`);
}

/** What recipe_reference.py wrote. */
interface Reference {
  /** Shapes. */
  arrays: Record<string, number[]>;
  warps: Warp[];
  sigmas: number[];
  masks: { side: number; sigma: number; radius: number }[];
  weights: number[];
  facets: { distances: number[]; weights: number[] }[];
  plain: number[];
  whole: number[];
  smooth_draws: Warp[];
  photos: {
    iterations: number;
    /** The candidates taken. */
    facets: number[];
    /** How far rounding moves each candidate's picture, in grey levels. */
    apart: number[];
    draws: Warp[];
  }[];
  values: Map<string, Float32Array<ArrayBuffer>>;
}

function runPython(): Promise<Reference> {
  const paths = [RECIPE, WEIGHTS, PHOTOS].map((path) => sharedPath(...path));
  return runReference(python!, "recipe_reference.py", paths, (folder) => {
    const index = JSON.parse(Deno.readTextFileSync(join(folder, "index.json")));
    const names = Object.keys(index.arrays);
    const fileOf = (name: string) => join(folder, `${name.replaceAll("/", ".")}.f32`);
    return { ...index, values: new Map(names.map((name) => [name, readFloats(fileOf(name))])) };
  });
}

let reference: Promise<Reference> | undefined;

/** A test that gets what Python computed; Python runs once for all of them. */
function testWithRecipe(name: string, body: (r: Reference) => void | Promise<void>): void {
  Deno.test({
    name,
    ignore: missing.length > 0,
    fn: async () => await body(await (reference ??= runPython())),
  });
}

function array(r: Reference, name: string): Float32Array<ArrayBuffer> {
  const values = r.values.get(name);
  if (!values) throw new Error(`recipe_reference.py wrote no ${name}`);
  return values;
}

function tensor(r: Reference, name: string): Tensor {
  return constant(r.arrays[name]! as unknown as Shape, () => array(r, name));
}

const row = (values: ArrayLike<number>) =>
  constant([1, values.length, 1, 1], () => Float32Array.from(values));

/** Computes tensors in poisoned memory. */
async function compute(gpu: Gpu, outputs: readonly Tensor[]): Promise<Float32Array[]> {
  using program = await compile(gpu, { outputs });
  program.poison();
  program.run();
  const results: Float32Array[] = [];
  for (const output of outputs) results.push(await program.read(output));
  gpu.check();
  return results;
}

function atMost(value: number, bound: number, what: string): void {
  assert.ok(value <= bound, `${what}: ${value}, expected at most ${bound}`);
}

/** Largest difference over largest value. */
function relative(actual: Float32Array, expected: Float32Array): number {
  return maxDifference(actual, expected) / largest(expected);
}

testWithRecipe(
  "the warp and its transpose are grid_sample's, for small and large maps",
  async (r) => {
    using gpu = await openGpu();
    const x = tensor(r, "warp/x");
    const cotangent = tensor(r, "warp/cotangent");
    const side = x.shape[3];
    for (const [i, draw] of r.warps.entries()) {
      const y = warp(x, row(warpMatrix(draw, side)));
      const [back] = gradients(mul(y, cotangent), [x]) as [Tensor];
      const [forward, transpose] = await compute(gpu, [y, back]) as [Float32Array, Float32Array];
      // Noise is the hardest picture: neighbours differ by several times its RMS, so that a rounding
      // of 1e-5 pixels in a place shows as much in a value.
      atMost(relative(forward, array(r, `warp/${i}/y`)), 5e-5, `warp ${i}`);
      atMost(relative(transpose, array(r, `warp/${i}/transpose`)), 5e-5, `transpose ${i}`);
      const there = dotProduct(forward, array(r, "warp/cotangent"));
      const again = dotProduct(array(r, "warp/x"), transpose);
      atMost(Math.abs(there - again) / forward.length, 1e-8, `<Wx, c> − <x, Wᵀc> of warp ${i}`);
    }
  },
);

testWithRecipe("a gradient's colours, bands and size become the recipe's", async (r) => {
  using gpu = await openGpu();
  const raw = tensor(r, "gradient/raw");
  const none = { gradientColour: false, gradientBands: [], gradientScale: "raw" } as const;
  const changed = (changes: Partial<Parameters>) =>
    precondition(raw, { ...DEFAULT, ...none, ...changes });
  const { gradientBands } = DEFAULT;
  const outputs = {
    rms: rms(raw),
    colour: changed({ gradientColour: true }),
    normalised: changed({ gradientScale: "rms" }),
    bands: changed({ gradientBands }),
    all: precondition(raw, DEFAULT),
  };
  const results = await compute(gpu, Object.values(outputs));
  const picture = results[1]!.length / 2;
  Object.keys(outputs).forEach((name, i) => {
    const expected = array(r, `gradient/${name}`);
    const each = name === "rms" ? 1 : picture;
    // Picture by picture: their sizes are 40000 times apart.
    for (const at of [0, each]) {
      const error = relative(
        results[i]!.subarray(at, at + each),
        expected.subarray(at, at + each),
      );
      atMost(error, 1e-5, `${name} of picture ${at / each}`);
    }
  });
});

testWithRecipe("the blur is the recipe's at every sigma", async (r) => {
  using gpu = await openGpu();
  const x = tensor(r, "small");
  const size = x.shape[3];
  for (const [i, sigma] of r.sigmas.entries()) {
    const p = { ...DEFAULT, startSigma: 4, endSigma: sigma };
    const weights = blurWeights(p, sigma, size, largestRadius(p, size) + 1);
    const [blurred] = await compute(gpu, [gaussianBlur(x, row(weights))]);
    atMost(maxDifference(blurred!, array(r, `blur/${i}`)), 1e-6, `sigma ${sigma}`);
  }
});

testWithRecipe("the mask has the recipe's plateau and flank", async (r) => {
  using gpu = await openGpu();
  for (const [i, { side, sigma, radius }] of r.masks.entries()) {
    const p = { ...DEFAULT, startMaskSigma: sigma, maskRadius: radius };
    const { mask } = scheduleAt(p, 1, side);
    const [values] = await compute(gpu, [radialMask(row(mask), side, side, true)]);
    const what = `side ${side}, sigma ${sigma}, radius ${radius}`;
    atMost(maxDifference(values!, array(r, `mask/${i}`)), 2e-6, what);
    assert.equal(values![(side >> 1) * side + (side >> 1)], 1, what);
  }
});

testWithRecipe("twelve sweeps of TV denoising are scikit-image's", async (r) => {
  using gpu = await openGpu();
  for (const [i, weight] of r.weights.entries()) {
    const denoised = tvDenoise(tensor(r, "tv/x"), row([weight, 1e-3]), DEFAULT.denoiseSweeps);
    const [values] = await compute(gpu, [denoised]);
    atMost(maxDifference(values!, array(r, `tv/${i}`)), 1e-5, `weight ${weight}`);
  }
});

testWithRecipe("a facet's photos get the recipe's weights, softmax(−d/median d)", (r) => {
  assert.equal(r.facets.length, 2);
  for (const { distances, weights } of r.facets) {
    atMost(
      maxDifference(weightsOf(distances, "median"), weights),
      1e-12,
      `weights of ${distances}`,
    );
  }
});

/** What of a trunk a loop needs. */
type LoopTrunk = Pick<Trunk, "target" | "penalty" | "channels"> & { readonly network: Viewer };

/**
 * A network without any rectifier or max pool, 5×5 filters and squares: its gradient is as smooth
 * as can be, so that whatever the loop does with it can be compared strictly for many iterations.
 */
function smoothTrunk(r: Reference): LoopTrunk {
  const network: Viewer = {
    model: { normalisation: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } },
    see(pictures) {
      const penalty = conv2d(pictures, tensor(r, "smooth/kernel"), undefined, { stride: 2 });
      return {
        get: ({ of }) => of === "input" ? penalty : globalAveragePool(mul(penalty, penalty)),
      };
    },
  };
  const channels = r.arrays["smooth/kernel"]![0]!;
  return { network, target: "squares", penalty: "squares", channels };
}

/** How far its pictures may be off after any number of iterations, in grey levels. */
const SMOOTH = 5e-4;

/** The channels with the largest targets of each facet. */
function channelsOf(targets: Float32Array, channels: number, keep: number): number[][] {
  return Array.from({ length: targets.length / channels }, (_, k) => {
    const row = targets.subarray(k * channels, (k + 1) * channels);
    return [...row.keys()].sort((a, b) => row[b]! - row[a]!).slice(0, keep);
  });
}

/** The pictures after all iterations of a loop that starts from `<name>/start`. */
async function runLoop(
  gpu: Gpu,
  r: Reference,
  name: string,
  trunk: LoopTrunk,
  parameters: Parameters,
  draws: readonly Warp[] | undefined,
  mean = array(r, `${name}/mean`),
): Promise<Float32Array> {
  const targets = array(r, `${name}/target`);
  const options: LoopOptions = {
    network: trunk.network,
    objective: facets(trunk, {
      targets,
      channels: channelsOf(targets, trunk.channels, parameters.channels),
      mean,
    }),
    start: array(r, `${name}/start`),
    size: r.arrays[`${name}/start`]![3]!,
    parameters,
    seed: 0,
  };
  using loop = await Loop.create(
    gpu,
    draws ? { ...options, warpAt: (i) => draws[i - 1]! } : options,
  );
  await loop.run(() => {});
  return await loop.pictures();
}

/**
 * "One step's picture within 1e-3 of a grey level per unit of lr": lr is the step's RMS, as a share
 * of the range, so a unit of lr is a grey level of step, and a run may be off by 1e-3 of the sum of
 * its lr in grey levels: 8.7e-3 grey levels for the first step of the default recipe. (By its
 * momentum and damping the step really taken first is 0.19 of that.)
 */
function tolerance(p: Parameters): number {
  let sum = 0;
  for (let i = 1; i <= p.iterations; i++) sum += ramp(p.startLr, p.endLr, i, p.iterations);
  return 1e-3 * 255 * sum;
}

testWithRecipe("momentum builds up over three steps as in the recipe", async (r) => {
  using gpu = await openGpu();
  for (const iterations of r.plain) {
    const parameters = chooseParameters("soft", {
      activation_weight: 1,
      ...{ iterations, channels: 5, gradientColour: false, gradientBands: [0] },
      ...{ warpShift: 0, warpZoom: 0, warpTurn: 0, regulariseStep: 1000 },
    });
    const pictures = await runLoop(gpu, r, "smooth", smoothTrunk(r), parameters, undefined);
    const error = maxDifference(pictures, array(r, `smooth/plain/${iterations}`));
    atMost(error, SMOOTH, `after ${iterations}`);
  }
});

testWithRecipe(
  "the whole loop is the recipe's on a smooth network, for 25 iterations",
  async (r) => {
    using gpu = await openGpu();
    for (const iterations of r.whole) {
      const parameters = chooseParameters("soft", {
        activation_weight: 1,
        iterations,
        channels: 5,
      });
      const draws = r.smooth_draws;
      const pictures = await runLoop(gpu, r, "smooth", smoothTrunk(r), parameters, draws);
      const error = maxDifference(pictures, array(r, `smooth/whole/${iterations}`));
      atMost(error, SMOOTH, `after ${iterations}`);
    }
  },
);

testWithRecipe(
  "a cosine below 0.1 counts as 0.1 and is not driven, as in the recipe",
  async (r) => {
    using gpu = await openGpu();
    const parameters = chooseParameters("soft", {
      activation_weight: 1,
      iterations: 3,
      channels: 5,
    });
    const opposed = array(r, "smooth/opposed");
    const trunk = smoothTrunk(r);
    const pictures = await runLoop(gpu, r, "smooth", trunk, parameters, r.smooth_draws, opposed);
    atMost(maxDifference(pictures, array(r, "smooth/clamped")), SMOOTH, "pictures");
  },
);

// Of some dozens of mixtures of photos, Python picks the few whose pictures are most nearly the same
// in float64 and in float32 with noise of the size of its rounding. Most others have max-pool ties
// or rectifiers near zero, which move pixels by up to a grey level.
testWithRecipe(
  "one step and three on SqueezeNet and photos give the recipe's pictures",
  async (r) => {
    using gpu = await openGpu();
    using weights = openSafetensors(sharedPath(...WEIGHTS));
    const model = createModel("squeezenet1_1", {}, weights);
    for (const { iterations, facets, apart, draws } of r.photos) {
      const name = `photos${iterations}`;
      const p = chooseParameters("soft", { activation_weight: 1, iterations });
      const bound = tolerance(p);
      for (const k of facets) atMost(apart[k]!, bound, `Python itself is not sure of facet ${k}`);
      const layers = { layer: "12", penalty: "12.expand3x3" };
      const trunk = openTrunk(model, weights, layers, r.arrays[`${name}/start`]![3]!);
      const pictures = await runLoop(gpu, r, name, trunk, p, draws);
      const expected = array(r, `${name}/picture`);
      const size = expected.length / facets.length;
      facets.forEach((facet, k) => {
        const [a, b] = [pictures, expected].map((v) => v.subarray(k * size, (k + 1) * size));
        atMost(maxDifference(a!, b!), bound, `facet ${facet} after ${iterations}`);
      });
      assert.ok(
        maxDifference(expected, array(r, `${name}/start`)) > 500 * bound,
        "pictures change",
      );
    }
  },
);
