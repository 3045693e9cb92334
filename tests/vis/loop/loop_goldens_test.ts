/** The paper's loop, step by step, against a PyTorch run of it with the same start and targets. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Gpu } from "../../../kernels/runtime/device.ts";
import { createModel } from "../../../models/registry.ts";
import { openSafetensors } from "../../../models/formats/open_safetensors.ts";
import { type SafetensorsFile } from "../../../models/formats/safetensors.ts";
import {
  clampTo,
  compile,
  constant,
  gaussianBlur,
  mix,
  radialMask,
  type Shape,
  tvDenoise,
  Variable,
} from "../../../ops/mod.ts";
import { type IterationResult, Loop, type LoopOptions } from "../../../vis/loop/loop.ts";
import type { Metrics } from "../../../vis/objectives/objective.ts";
import type { Parameters } from "../../../vis/parameters.ts";
import { chooseParameters } from "../../../vis/presets.ts";
import { blurWeights, largestRadius, scheduleAt } from "../../../vis/loop/schedule.ts";
import { openTrunk } from "../../../vis/trunk.ts";
import { relativeL2, rmsDifference } from "../../distance.ts";
import {
  golden,
  type Goldens,
  maxDifference,
  readSafetensors,
  sharedPath,
  testWithShared,
} from "../../goldens.ts";
import { findPython, readFloats, runReference, WANTED_PYTHON } from "../../python.ts";
import { testWithVariants } from "../../variants.ts";
import { type FacetMetrics, facets } from "../../../vis/objectives/facets.ts";

const SIZE = 128;
const PIXELS = 3 * SIZE * SIZE;
const ITERATIONS = 60;
const CHANNELS = 50;
const SHAPE: Shape = [3, 3, SIZE, SIZE];
const TAGS = ["lr_default", "lr_div32", "lr_div1024", "lr_div1024_jitter"] as const;
type Tag = typeof TAGS[number];

const fileOf = (tag: Tag) => `goldens/loop_fixed_${tag}.safetensors`;
const WEIGHTS = "weights/squeezenet1_1.safetensors";
const filesOf = (...tags: Tag[]) => [WEIGHTS, fileOf("lr_default"), ...tags.map(fileOf)];
const read = (tag: Tag) => readSafetensors(sharedPath(fileOf(tag)));
const numbers = (goldens: Goldens, name: string) => golden(goldens, name) as Float32Array;

function parametersOf(goldens: Goldens): Parameters {
  const scale = Number(goldens.metadata.lr_scale);
  const changes = { startLr: 0.5 * scale, endLr: 0.08 * scale, scale: 1, window: 0 };
  return chooseParameters("paper", { iterations: ITERATIONS, ...changes });
}

/** A loop on the goldens' targets; `setUp` holds them. */
async function createLoop(
  gpu: Gpu,
  weights: SafetensorsFile,
  setUp: Goldens,
  options: Pick<LoopOptions, "parameters"> & Partial<LoopOptions>,
): Promise<Loop> {
  const layers = { layer: "12", penalty: "12.expand3x3" };
  const trunk = openTrunk(createModel("squeezenet1_1", {}, weights), weights, layers, SIZE);
  assert.equal(trunk.target, "features.12");
  const channels = numbers(setUp, "target_channels");
  return await Loop.create(gpu, {
    network: trunk.network,
    objective: facets(trunk, {
      targets: numbers(setUp, "target_maps"),
      channels: [0, 1, 2].map((k) => channels.subarray(k * CHANNELS, (k + 1) * CHANNELS)),
      mean: new Float32Array(trunk.channels),
    }),
    start: numbers(setUp, "start"),
    size: SIZE,
    seed: 0,
    gradient: true,
    ...options,
  });
}

/** Our names for what the goldens write down. */
const LOGGED: Partial<Record<keyof FacetMetrics, string>> = {
  dot: "own_dot",
  l1: "l1",
  distance_term: "act",
  distance: "dist_per_facet",
  own_mean: "own_channel_mean",
};

/** Relative error of a metric of facet k at iteration i (from 1). */
function logError(
  results: IterationResult[],
  goldens: Goldens,
  name: keyof FacetMetrics,
  i: number,
) {
  const reference = numbers(goldens, `log/${LOGGED[name]}`);
  return (k: number) => {
    const value = (results[i - 1]!.metrics[k] as FacetMetrics)[name];
    const expected = reference[(i - 1) * 3 + k]!;
    return Math.abs(value - expected) / Math.abs(expected);
  };
}

/** Facet k of two sets of pictures or gradients. */
const facet = (values: Float32Array, k: number) => values.subarray(k * PIXELS, (k + 1) * PIXELS);
const levels = (a: Float32Array, b: Float32Array, k: number) => ({
  max: maxDifference(facet(a, k), facet(b, k)),
  rms: rmsDifference(facet(a, k), facet(b, k)),
});

function atMost(value: number, bound: number, what: string): void {
  assert.ok(value <= bound, `${what}: ${value}, expected at most ${bound}`);
}

/** Steps up to an iteration and collects all results. */
async function stepTo(loop: Loop, iteration: number, results: IterationResult[]): Promise<void> {
  while (loop.iteration < iteration) {
    loop.step();
    if (loop.full || loop.iteration === iteration) results.push(...await loop.results());
  }
}

/** Metrics of the pictures as they are against `before/…` or `after/…`. */
function endErrors(found: Metrics[], goldens: Goldens, end: "before" | "after", k: number) {
  return (Object.keys(LOGGED) as (keyof FacetMetrics)[]).map((name) => {
    const expected = numbers(goldens, `${end}/${LOGGED[name]}`)[k]!;
    return {
      name,
      error: Math.abs((found[k] as FacetMetrics)[name] - expected) / Math.abs(expected),
    };
  });
}

testWithShared(
  "the loop's schedules are the reference's",
  TAGS.map(fileOf),
  () => {
    for (const tag of TAGS) {
      const goldens = read(tag);
      const p = parametersOf(goldens);
      const columns = {
        lr: "lr",
        maskSigma: "mask_sigma",
        sigma: "blur_sigma",
        denoiseWeight: "denoise_weight",
        lambda: "l1_lambda",
      } as const;
      for (let i = 1; i <= ITERATIONS; i++) {
        const schedule = scheduleAt(p, i, SIZE);
        for (const [ours, theirs] of Object.entries(columns)) {
          const expected = numbers(goldens, `log/${theirs}`)[i - 1]!;
          const value = schedule[ours as keyof typeof columns];
          atMost(Math.abs(value / expected - 1), 1e-6, `${tag} ${theirs} at ${i}`);
        }
        assert.equal(schedule.regularise, i % 10 === 0);
        assert.equal(schedule.brighten, i % 50 === 0);
      }
    }
  },
);

testWithVariants(
  "the first gradient, mask and picture at the paper's rate are the reference's",
  filesOf("lr_default"),
  async (openGpu) => {
    const goldens = read("lr_default");
    const parameters = parametersOf(goldens);
    using gpu = await openGpu();
    using weights = openSafetensors(sharedPath(WEIGHTS));

    const { mask } = scheduleAt(parameters, 1, SIZE);
    const shape = constant([1, 4, 1, 1], () => Float32Array.from(mask));
    const maskTensor = radialMask(shape, SIZE, SIZE, false);
    using maskProgram = await compile(gpu, { outputs: [maskTensor] });
    maskProgram.poison();
    maskProgram.run();
    const maskError = maxDifference(await maskProgram.read(maskTensor), numbers(goldens, "mask1"));
    atMost(maskError, 1e-6, "mask");

    using loop = await createLoop(gpu, weights, goldens, { parameters });
    const before = await loop.evaluate();
    for (const k of [0, 1, 2]) {
      for (const { name, error } of endErrors(before, goldens, "before", k)) {
        // Facet 1 starts from a photo that is its own target: its distance is rounding.
        if (k === 1 && (name === "distance" || name === "distance_term")) continue;
        atMost(error, 1e-5, `facet ${k}: ${name} of the start picture`);
      }
    }

    const results: IterationResult[] = [];
    await stepTo(loop, 1, results);
    const { std } = createModel("squeezenet1_1").normalisation;
    const gradient = (await loop.gradient()).map((v, i) => v * std[Math.floor(i / SIZE ** 2) % 3]!);
    // Facet 0 has max-pool windows whose two largest values differ by 7e-7 and 2e-6, no more than
    // float32 leaves of them; facet 1 has exact ties.
    [1e-3, 0.3, 1e-3].forEach((bound, k) => {
      const error = relativeL2(facet(gradient, k), facet(numbers(goldens, "grad1"), k));
      atMost(error, bound, `facet ${k}: gradient's relative L2 error`);
    });
    const pictures = await loop.pictures();
    for (const k of [0, 2]) {
      atMost(levels(pictures, numbers(goldens, "image/1"), k).max, 0.1, `facet ${k}: picture`);
    }
    const loss = results[0]!.metrics.reduce((sum, m) => sum + m.loss, 0);
    atMost(Math.abs(loss / numbers(goldens, "log/loss")[0]! - 1), 1e-5, "loss");

    // From here on the run is chaotic: PyTorch's own float32 and float64 are 22 to 62 % apart in
    // own_dot and 42 grey levels in the pictures by iteration 20. In both own_dot grows threefold or more.
    await stepTo(loop, 20, results);
    results[19]!.metrics.forEach((m, k) => {
      for (const name of ["dot", "l1"] as const) {
        const reference = numbers(goldens, `log/${LOGGED[name]}`)[19 * 3 + k]!;
        atMost(Math.abs(Math.log2(m[name]! / reference)), 1, `facet ${k}: log2 of ${name}, off`);
      }
      assert.ok(m.dot! > 1.5 * results[0]!.metrics[k]!.dot!, `facet ${k}: own_dot grows`);
    });
  },
);

testWithVariants(
  "blur, step, denoising and blend at iteration 10 are the reference's",
  filesOf("lr_div1024"),
  async (openGpu, forced) => {
    const setUp = read("lr_default");
    const goldens = read("lr_div1024");
    const p = parametersOf(goldens);
    const schedule = scheduleAt(p, 10, SIZE);
    using gpu = await openGpu();
    using weights = openSafetensors(sharedPath(WEIGHTS));
    const scalar = (values: readonly number[] | Float32Array) =>
      constant([1, values.length, 1, 1], () => Float32Array.from(values));
    const mask = radialMask(scalar(schedule.mask), SIZE, SIZE, false);
    const unit = (pixels: Float32Array) => pixels.map((v) => v / 255);

    // Blur: of the pictures after nine iterations, which the goldens have not but the loop has.
    {
      using loop = await createLoop(gpu, weights, setUp, { parameters: p });
      await stepTo(loop, 9, []);
      using x = new Variable(gpu, SHAPE);
      x.write(unit(await loop.pictures()));
      const kernel = blurWeights(p, schedule.sigma, SIZE, largestRadius(p, SIZE) + 1);
      const blurred = clampTo(mix(x.tensor, gaussianBlur(x.tensor, scalar(kernel)), mask), 0, 1);
      using program = await compile(gpu, { outputs: [blurred] });
      program.poison();
      program.run();
      const result = (await program.read(blurred)).map((v) => v * 255);
      [0.5, 0.5, 1e-3].forEach((bound, k) => {
        const { rms, max } = levels(result, numbers(goldens, "stage10/blurred"), k);
        // After nine iterations, the last of which decides otherwise with F(4×4): see below.
        if (k === 2 && takesWinograd4(forced)) atMost(rms, 0.5, "facet 2: blurred");
        else atMost(k === 2 ? max : rms, bound, `facet ${k}: blurred`);
      });
    }

    // Step: a loop of one iteration with the numbers of iteration 10, from the blurred pictures.
    {
      const parameters = {
        ...p,
        iterations: 1,
        startLr: schedule.lr,
        startLambda: schedule.lambda,
        startMaskSigma: schedule.maskSigma,
      };
      const start = numbers(goldens, "stage10/blurred");
      using loop = await createLoop(gpu, weights, setUp, { parameters, start });
      const results: IterationResult[] = [];
      await stepTo(loop, 1, results);
      const stepped = await loop.pictures();
      [0.1, 0.1, 1e-3].forEach((bound, k) => {
        const { rms, max } = levels(stepped, numbers(goldens, "stage10/stepped"), k);
        atMost(k === 2 ? max : rms, bound, `facet ${k}: stepped`);
      });
      for (const name of Object.keys(LOGGED) as (keyof FacetMetrics)[]) {
        const reference = numbers(goldens, `log/${LOGGED[name]}`);
        results[0]!.metrics.forEach((m, k) => {
          atMost(Math.abs(m[name]! / reference[9 * 3 + k]! - 1), 1e-4, `facet ${k}: ${name}`);
        });
      }
    }

    // Denoising and blend, given what went into them.
    {
      using x = new Variable(gpu, SHAPE);
      x.write(unit(numbers(goldens, "stage10/stepped")));
      const settings = scalar([schedule.denoiseWeight, 1e-3]);
      const denoised = tvDenoise(x.tensor, settings, p.denoiseSweeps);
      const blend = mix(x.tensor, denoised, mask);
      using program = await compile(gpu, { outputs: [denoised, blend] });
      program.poison();
      program.run();
      const expected = { "stage10/tv": denoised, "image/10": blend };
      for (const [name, tensor] of Object.entries(expected)) {
        const result = (await program.read(tensor)).map((v) => v * 255);
        atMost(maxDifference(result, numbers(goldens, name)), 1e-2, name);
      }
    }
    gpu.check();
  },
);

// How far facet 2 can be held to the reference at lr/1024. The goldens' own metadata say that float32
// and float64 runs agree to 3e-4 levels up to iteration 40, but that was luck of one machine's
// rounding: a rectifier or max-pool decision within 1e-6 lies near the path. Run elsewhere, the
// goldens' own script in float32 leaves them at iteration 9 or 10, while in float64 it follows them
// up to 41. This program follows to iteration 13 to within 3e-7 of own_dot and then takes one such
// decision the other way; an error of 2e-6 in a pixel is enough for that. So: strict through
// iteration 10 for pictures and 13 for own_dot, and from then on the tolerances for trends. With
// F(4×4) another decision falls otherwise in iteration 9, as in the goldens' script elsewhere: there
// it is strict through iteration 8. Below, forty single steps are strict with every variant.
const STRICT = { pictures: 10, dot: 13 };
const STRICT_WINOGRAD4 = { pictures: 1, dot: 8 };

/** Whether 3×3 convolutions take F(4×4): forced, or by choice. */
const takesWinograd4 = (forced: string) => forced === "winograd4" || forced === "";

testWithVariants(
  "a run at lr/1024 is the reference's, exactly at first and then in trend",
  filesOf("lr_div1024"),
  async (openGpu, forced) => {
    const strict = takesWinograd4(forced) ? STRICT_WINOGRAD4 : STRICT;
    const goldens = read("lr_div1024");
    using gpu = await openGpu();
    using weights = openSafetensors(sharedPath(WEIGHTS));
    const parameters = parametersOf(goldens);
    using loop = await createLoop(gpu, weights, read("lr_default"), { parameters });
    const results: IterationResult[] = [];

    await stepTo(loop, 1, results);
    const first = await loop.pictures();
    for (const [k, bound] of [[0, 1e-3], [2, 1e-3]] as const) {
      atMost(levels(first, numbers(goldens, "image/1"), k).max, bound, `facet ${k}: picture 1`);
    }
    await stepTo(loop, 10, results);
    const tenth = await loop.pictures();
    if (strict.pictures === 10) {
      atMost(levels(tenth, numbers(goldens, "image/10"), 2).max, 0.05, "facet 2: picture 10");
    }
    for (const k of [0, 1, 2]) {
      atMost(levels(tenth, numbers(goldens, "image/10"), k).rms, 0.5, `facet ${k}: picture 10`);
    }
    await stepTo(loop, ITERATIONS, results);
    const last = await loop.pictures();
    for (const k of [0, 1, 2]) {
      atMost(levels(last, numbers(goldens, "image/60"), k).rms, 2, `facet ${k}: picture 60`);
    }

    for (let i = 1; i <= strict.dot; i++) {
      for (const name of Object.keys(LOGGED) as (keyof FacetMetrics)[]) {
        const bound = name === "dot" ? 1e-5 : 1e-4;
        atMost(logError(results, goldens, name, i)(2), bound, `facet 2: ${name} at ${i}`);
      }
    }
    for (let i = 1; i <= ITERATIONS; i++) {
      for (const k of [0, 1, 2]) {
        atMost(logError(results, goldens, "dot", i)(k), 0.2, `facet ${k}: own_dot at ${i}`);
      }
    }
    const after = await loop.evaluate();
    for (const k of [0, 1, 2]) {
      for (const { name, error } of endErrors(after, goldens, "after", k)) {
        atMost(error, 0.2, `facet ${k}: ${name} of the last picture`);
      }
    }
  },
);

testWithVariants(
  "jitter shifts what the network sees and shifts its gradient back",
  filesOf("lr_div1024_jitter"),
  async (openGpu) => {
    const goldens = read("lr_div1024_jitter");
    const offsets = numbers(goldens, "offsets");
    using gpu = await openGpu();
    using weights = openSafetensors(sharedPath(WEIGHTS));
    using loop = await createLoop(gpu, weights, read("lr_default"), {
      parameters: parametersOf(goldens),
      rollAt: (i) => [offsets[2 * i - 2]!, offsets[2 * i - 1]!],
    });
    const results: IterationResult[] = [];
    await stepTo(loop, 1, results);
    const first = await loop.pictures();
    for (const k of [0, 2]) {
      atMost(levels(first, numbers(goldens, "image/1"), k).max, 1e-3, `facet ${k}: picture 1`);
    }
    await stepTo(loop, 10, results);
    const tenth = await loop.pictures();
    atMost(levels(tenth, numbers(goldens, "image/10"), 2).max, 0.05, "facet 2: picture 10");
    for (const k of [0, 1]) {
      atMost(levels(tenth, numbers(goldens, "image/10"), k).rms, 0.5, `facet ${k}: picture 10`);
    }
    for (let i = 1; i <= 10; i++) {
      atMost(logError(results, goldens, "dot", i)(2), 1e-5, `facet 2: own_dot at ${i}`);
    }
    await stepTo(loop, 30, results);
    for (let i = 1; i <= 30; i++) {
      for (const k of [0, 1, 2]) {
        atMost(logError(results, goldens, "dot", i)(k), 0.2, `facet ${k}: own_dot at ${i}`);
      }
    }
  },
);

// At lr/32 facet 2 comes to such a decision in iteration 8. The goldens' script itself, run
// elsewhere, leaves the goldens there both in float32 and in float64, by 2e-5, 4e-4, 3e-3 and 2e-2
// of own_dot in iterations 9 to 12 and 4.8 levels in one pixel of picture 10; this program leaves
// them by the same amounts. A float64 run with noise of 1e-5 levels takes the goldens' side or the
// other by chance. So: strict through iteration 8, and picture 10 by its RMS.
testWithVariants(
  "a run at lr/32 is the reference's for 8 iterations and keeps its trend",
  filesOf("lr_div32"),
  async (openGpu) => {
    const goldens = read("lr_div32");
    using gpu = await openGpu();
    using weights = openSafetensors(sharedPath(WEIGHTS));
    const parameters = parametersOf(goldens);
    using loop = await createLoop(gpu, weights, read("lr_default"), { parameters });
    const results: IterationResult[] = [];
    await stepTo(loop, 1, results);
    const first = await loop.pictures();
    for (const k of [0, 2]) {
      atMost(levels(first, numbers(goldens, "image/1"), k).max, 0.01, `facet ${k}: picture 1`);
    }
    await stepTo(loop, 10, results);
    for (let i = 1; i <= 8; i++) {
      atMost(logError(results, goldens, "dot", i)(2), 1e-5, `facet 2: own_dot at ${i}`);
    }
    for (let i = 9; i <= 10; i++) {
      atMost(logError(results, goldens, "dot", i)(2), 2e-3, `facet 2: own_dot at ${i}`);
    }
    const tenth = levels(await loop.pictures(), numbers(goldens, "image/10"), 2);
    atMost(tenth.rms, 0.5, "facet 2: picture 10");
    await stepTo(loop, 20, results);
    // PyTorch's own float32 and float64 are 12 to 27 % apart in own_dot.
    results[19]!.metrics.forEach((m, k) => {
      const reference = numbers(goldens, "log/own_dot")[19 * 3 + k]!;
      atMost(Math.abs(Math.log2(m.dot! / reference)), 1, `facet ${k}: log2 of own_dot, off`);
      assert.ok(m.dot! > results[0]!.metrics[k]!.dot!, `facet ${k}: own_dot grows`);
    });
  },
);

// A float32 run follows the goldens only as far as no rectifier or pool decides by rounding (see
// above); float64 follows facet 2 through 41 iterations. So: forty single steps, each from the
// float64 run's own picture, which is the golden's.
const python = findPython();
let known: Promise<[Float32Array, Float32Array]> | undefined;

/** The float64 run's pictures, and how far float32 PyTorch is off after each single step. */
function referenceRun(): Promise<[Float32Array, Float32Array]> {
  return known ??= runReference(
    python!,
    "loop_reference.py",
    [sharedPath()],
    (folder) => [readFloats(join(folder, "pictures.bin")), readFloats(join(folder, "apart.bin"))],
  );
}

testWithVariants(
  "lr_div1024, facet 2: each of 40 single steps from the float64 run's pictures ends within 0.05 levels",
  python ? filesOf("lr_div1024") : [WANTED_PYTHON],
  async (openGpu) => {
    const [pictures, apart] = await referenceRun();
    assert.equal(pictures.length, 41 * PIXELS);
    const goldens = read("lr_div1024");
    for (const i of [1, 10]) {
      const golden = facet(numbers(goldens, `image/${i}`), 2);
      atMost(maxDifference(facet(pictures, i), golden), 1e-3, `Python's picture ${i}`);
    }
    using gpu = await openGpu();
    using weights = openSafetensors(sharedPath(WEIGHTS));
    const setUp = read("lr_default");
    const channels = numbers(setUp, "target_channels").subarray(2 * CHANNELS, 3 * CHANNELS);
    const width = numbers(setUp, "target_maps").length / 3;
    using loop = await createLoop(gpu, weights, setUp, {
      parameters: parametersOf(goldens),
      start: facet(pictures, 0),
      objective: facets({ target: "features.12", penalty: "features.12.expand3x3" }, {
        targets: numbers(setUp, "target_maps").subarray(2 * width, 3 * width),
        channels: [channels],
        mean: new Float32Array(width),
      }),
    });
    for (let i = 1; i <= 40; i++) {
      loop.resume(facet(pictures, i - 1), i - 1);
      loop.step();
      await loop.results();
      const error = maxDifference(await loop.pictures(), facet(pictures, i));
      atMost(error, 0.05, `iteration ${i}, where float32 PyTorch is off by ${apart[i - 1]}`);
    }
  },
);
