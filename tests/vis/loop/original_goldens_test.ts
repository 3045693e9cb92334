/** Preset `original` against a run of `vis.py` itself: goldens/README.md, section 3. */
import assert from "node:assert/strict";
import { openGpu } from "../../../kernels/runtime/device.ts";
import { createModel } from "../../../models/registry.ts";
import { openSafetensors } from "../../../models/formats/open_safetensors.ts";
import { compile, constant, radialMask, resize } from "../../../ops/mod.ts";
import { poolActivations } from "../../../vis/photos/activations.ts";
import type { Facets } from "../../../vis/facets/facets.ts";
import { kmeans } from "../../../vis/facets/kmeans.ts";
import { type IterationResult, Loop } from "../../../vis/loop/loop.ts";
import { NumpyRandom } from "../../../vis/loop/numpy_random.ts";
import type { Parameters } from "../../../vis/parameters.ts";
import { pca } from "../../../vis/facets/pca.ts";
import { chooseParameters } from "../../../vis/presets.ts";
import { adjustedRandIndex } from "../../../vis/facets/rand_index.ts";
import { scheduleAt } from "../../../vis/loop/schedule.ts";
import { startPictures } from "../../../vis/loop/start.ts";
import { asSeen } from "../../../vis/photos/seen.ts";
import { findTargets, type Target } from "../../../vis/facets/targets.ts";
import { openTrunk } from "../../../vis/trunk.ts";
import { drawOffset } from "../../../vis/loop/window.ts";
import { relativeL2 } from "../../distance.ts";
import {
  golden,
  type Goldens,
  maxDifference,
  readSafetensors,
  sharedPath,
  testWithShared,
} from "../../goldens.ts";
import { testWithVariants } from "../../variants.ts";
import { facets } from "../../../vis/objectives/facets.ts";

const SIZE = 128;
const PIXELS = 3 * SIZE * SIZE;
const K = 3;
const PHOTOS = 60;
const FULL = "goldens/loop_original_squeezenet1_1_128.safetensors";
const SLOW = "goldens/loop_original_squeezenet1_1_128_lr_div32.safetensors";
const IMAGES = "goldens/loop_images_ants60_128_rgb_u8.safetensors";
const WEIGHTS = "weights/squeezenet1_1.safetensors";

const read = (file: string) => readSafetensors(sharedPath(file));
const numbers = (goldens: Goldens, name: string) => golden(goldens, name) as Float32Array;

/** The preset with the octave the goldens were made with, under vis.py's own names. */
function parametersOf(goldens: Goldens): Parameters {
  const octave = JSON.parse(goldens.metadata.octave!);
  return chooseParameters("original", { ...octave, iter_n: 120 });
}

function atMost(value: number, bound: number, what: string): void {
  assert.ok(value <= bound, `${what}: ${value}, expected at most ${bound}`);
}

/** The photos as vis.py has them. */
function photosOf(parameters: Parameters): (i: number) => Float32Array {
  const images = golden(read(IMAGES), "images");
  return (i) => {
    const photo = Float32Array.from(images.subarray(i * PIXELS, (i + 1) * PIXELS));
    return asSeen(photo, parameters);
  };
}

testWithShared(
  "original: pooled activations and principal components of its photos",
  [FULL, IMAGES, WEIGHTS],
  async () => {
    const goldens = read(FULL);
    using gpu = await openGpu();
    using weights = openSafetensors(sharedPath(WEIGHTS));
    const layers = { layer: "12", penalty: "12.expand3x3" };
    const trunk = openTrunk(createModel("squeezenet1_1", {}, weights), weights, layers, SIZE);
    const photos = photosOf(parametersOf(goldens));
    const pooled = await poolActivations(gpu, trunk, PHOTOS, SIZE, photos);
    const expected = numbers(goldens, "pooled");
    const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    atMost(maxDifference(pooled, expected) / largest, 1e-5, "pooled activations");

    const { scores, components } = pca(pooled, { n: PHOTOS, channels: 512, components: 50 });
    assert.equal(components, 50);
    const theirs = numbers(goldens, "pca");
    const scale = theirs.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    for (let j = 0; j < components; j++) {
      const column = (values: ArrayLike<number>) =>
        Array.from({ length: PHOTOS }, (_, i) => values[i * components + j]!);
      const [a, b] = [column(scores), column(theirs)];
      // The sign of a component is free.
      const sign = Math.sign(a.reduce((sum, value, i) => sum + value * b[i]!, 0));
      const error = Math.max(...a.map((value, i) => Math.abs(sign * value - b[i]!)));
      atMost(error / scale, 1e-4, `component ${j + 1}`);
    }
  },
);

/** The goldens' facets. */
function facetsOf(goldens: Goldens): Facets {
  const labels = Int32Array.from(numbers(goldens, "labels"));
  return {
    embedding: Float64Array.from(numbers(goldens, "embedding")),
    labels,
    centres: Float64Array.from(numbers(goldens, "centres")),
    sizes: Int32Array.from([0, 1, 2], (k) => labels.filter((label) => label === k).length),
  };
}

async function targetsOf(goldens: Goldens): Promise<Target[]> {
  const parameters = parametersOf(goldens);
  const { nearest, choose, weighting } = parameters;
  return await findTargets(
    facetsOf(goldens),
    numbers(goldens, "pooled"),
    photosOf(parameters),
    { channels: 512, keep: parameters.channels, nearest, choose, weighting },
  );
}

testWithShared(
  "original: labels, chosen photos, weights, targets and start of its embedding",
  [FULL, IMAGES],
  async () => {
    const goldens = read(FULL);
    const facets = facetsOf(goldens);
    const found = kmeans(facets.embedding, {
      n: PHOTOS,
      dimensions: 2,
      clusters: K,
      seed: 0,
      restarts: 200,
    });
    assert.equal(
      adjustedRandIndex([...facets.labels], found.labels),
      1,
      "labels up to their order",
    );

    const targets = await targetsOf(goldens);
    const row = (name: string, k: number, length: number) =>
      numbers(goldens, name).subarray(k * length, (k + 1) * length);
    targets.forEach((target, k) => {
      assert.deepEqual(target.indices, [...row("chosen_index", k, 10)]);
      atMost(maxDifference(target.weights, row("chosen_weight", k, 10)), 1e-6, "weights");
      atMost(maxDifference(target.target, row("target_maps", k, 512)), 1e-5, "target map");
      assert.deepEqual([...target.channels], [...row("target_channels", k, 50)]);
    });
    const mean = Float32Array.from(targets.flatMap((target) => [...target.start]));
    const parameters = parametersOf(goldens);
    const start = startPictures("mean", { mean, size: SIZE, seed: 0, parameters });
    const wrong = start.filter((v, i) => v !== numbers(goldens, "start")[i]).length;
    // One pixel in 10⁵ lies within a rounding error of a whole level.
    atMost(wrong / start.length, 3e-5, "share of the start's pixels that are off");
    atMost(maxDifference(start, numbers(goldens, "start")), 1, "grey levels of the start");
  },
);

testWithShared("original: the start picture enlarged to the canvas", [FULL], async () => {
  const goldens = read(FULL);
  using gpu = await openGpu();
  const start = constant([K, 3, SIZE, SIZE], () => numbers(goldens, "start"));
  const enlarged = resize(start, { size: 154, mode: "cubicSpline" });
  using program = await compile(gpu, { outputs: [enlarged] });
  program.poison();
  program.run();
  const values = await program.read(enlarged);
  const expected = numbers(goldens, "zoomed_start");
  let [worst, wrong] = [0, 0];
  values.forEach((value, i) => {
    // scipy leaves the last row and column black: they lie a rounding error outside.
    if (i % 154 === 153 || Math.floor(i / 154) % 154 === 153) return;
    const error = Math.abs(Math.round(Math.min(255, Math.max(0, value))) - expected[i]!);
    worst = Math.max(worst, error);
    if (error > 0) wrong++;
  });
  atMost(worst, 1, "grey levels");
  atMost(wrong / values.length, 1e-3, "share of pixels off by one");
});

testWithShared("original: schedules and crops are exact", [FULL, SLOW], () => {
  for (const file of [FULL, SLOW]) {
    const goldens = read(file);
    const p = parametersOf(goldens);
    const random = new NumpyRandom(0);
    for (let i = 1; i <= 120; i++) {
      const [x, y] = drawOffset(p.window, 26, random);
      assert.equal(x, numbers(goldens, "log/ox")[i - 1], `ox at ${i}`);
      assert.equal(y, numbers(goldens, "log/oy")[i - 1], `oy at ${i}`);
      const schedule = scheduleAt(p, i, SIZE);
      const columns = {
        lr: "lr",
        maskSigma: "mask_sigma",
        sigma: "blur_sigma",
        denoiseWeight: "denoise_weight",
        lambda: "l1_lambda",
      } as const;
      for (const [ours, theirs] of Object.entries(columns)) {
        const expected = numbers(goldens, `log/${theirs}`)[i - 1]!;
        const value = schedule[ours as keyof typeof columns];
        atMost(Math.abs(value / expected - 1), 1e-6, `${theirs} at ${i}`);
      }
      assert.equal(schedule.regularise, i % 10 === 0);
      assert.equal(schedule.brighten, i % 50 === 0);
      assert.equal(schedule.moveWindow, i % 40 === 0);
    }
  }
});

testWithVariants(
  "original: loss, gradient, mask and pictures of the first iterations, then the trend",
  [FULL, SLOW, WEIGHTS],
  async (open, forced, t) => {
    const setUp = read(FULL);
    using gpu = await open();
    using weights = openSafetensors(sharedPath(WEIGHTS));
    const layers = { layer: "12", penalty: "12.expand3x3" };
    const model = createModel("squeezenet1_1", {}, weights);
    const trunk = openTrunk(model, weights, layers, SIZE);
    const channels = numbers(setUp, "target_channels");
    for (const file of [FULL, SLOW]) {
      await t.step(file, async () => {
        const goldens = read(file);
        const parameters = parametersOf(goldens);
        using loop = await Loop.create(gpu, {
          network: trunk.network,
          objective: facets(trunk, {
            targets: numbers(setUp, "target_maps"),
            channels: [0, 1, 2].map((k) => channels.subarray(k * 50, (k + 1) * 50)),
            mean: new Float32Array(512),
          }),
          start: numbers(setUp, "start"),
          size: SIZE,
          parameters,
          seed: 0,
          gradient: true,
        });
        const results: IterationResult[] = [];
        const stepTo = async (last: number) => {
          while (loop.iteration < last) {
            loop.step();
            const i = loop.iteration;
            assert.deepEqual(
              loop.windowOffset,
              ["ox", "oy"].map((name) => numbers(goldens, `log/${name}`)[i - 1]),
              `window at ${i}`,
            );
            if (loop.full || i === last) results.push(...await loop.results());
          }
        };
        const total = (i: number) => results[i - 1]!.metrics.reduce((sum, m) => sum + m.loss, 0);
        const expected = (name: string, i: number) => numbers(goldens, `log/${name}`)[i - 1]!;
        const lossError = (i: number) => Math.abs(total(i) / expected("loss", i) - 1);

        const mask = constant(
          [1, 4, 1, 1],
          () => Float32Array.from(scheduleAt(parameters, 1, SIZE).mask),
        );
        const maskTensor = radialMask(mask, SIZE, SIZE, false);
        using maskProgram = await compile(gpu, { outputs: [maskTensor] });
        maskProgram.run();
        atMost(
          maxDifference(await maskProgram.read(maskTensor), numbers(setUp, "mask1")),
          1e-6,
          "mask",
        );

        await stepTo(1);
        const { std } = model.normalisation;
        const gradient = (await loop.gradient())
          .map((v, i) => v * std[Math.floor(i / SIZE ** 2) % 3]!);
        atMost(relativeL2(gradient, numbers(setUp, "grad1")), 1e-3, "gradient's relative L2 error");
        atMost(lossError(1), 1e-5, "loss at 1");
        const first = await loop.pictures();
        assert.ok(first.every((v) => Math.abs(v - Math.round(v)) < 1e-3), "whole levels");
        const one = numbers(goldens, "image/1");
        const beyond = first.filter((v, i) => Math.abs(v - one[i]!) > 2.01).length;
        atMost(beyond / first.length, 1e-3, "share of pixels more than 2 levels off after 1");
        results[0]!.metrics.forEach((m, k) => {
          const own = numbers(goldens, "log/own_dot")[k]!;
          atMost(Math.abs(m.dot! / own - 1), 1e-4, `own_dot ${k}`);
          const distance = numbers(goldens, "log/dist_per_facet")[k]!;
          atMost(Math.abs(m.distance! / distance - 1), 1e-4, `distance ${k}`);
        });
        const l1 = results[0]!.metrics.reduce((sum, m) => sum + m.l1!, 0);
        atMost(Math.abs(l1 * parameters.startLambda / expected("l1", 1) - 1), 1e-4, "l1");
        const act = results[0]!.metrics.reduce((sum, m) => sum + m.distance_term!, 0) / K;
        atMost(Math.abs(act / expected("act", 1) - 1), 1e-4, "adaptive term with its logZ");

        // A pixel in 10⁴ lies so near the middle of two levels that the first gradient's float32
        // error (4e-7 in ours and in theirs) rounds it the other way, and facets 1 and 2 are steep:
        // four such pixels of facet 1 become 17 % of its pixels and 1.5 % of its loss by iteration
        // 3. PyTorch run again with one thread is 0.15 % off the goldens there; we are 0.6 %, 0.7 %
        // with other kernels. Facet 0 is calm. Below, the same iterations from their own pictures.
        await stepTo(3);
        atMost(lossError(2), 1e-3, `loss at 2`);
        atMost(lossError(3), 1e-2, `loss at 3`);
        const calm = results[2]!.metrics[0]!.dot! / numbers(goldens, "log/own_dot")[2 * K]!;
        // Forced F(4×4) rounds one such pixel of facet 0 otherwise in the slow run.
        const bound = forced === "winograd4" ? 1e-2 : 1e-3;
        atMost(Math.abs(calm - 1), bound, "own_dot of facet 0 at 3");

        if (!forced) {
          // Corners the mask leaves alone are as they were; next to them each blend cuts off.
          await stepTo(20);
          const corner = (pictures: Float32Array, at: number) =>
            Array.from({ length: 9 }, (_, plane) => Math.round(pictures[plane * SIZE ** 2 + at]!));
          const twenty = await loop.pictures();
          assert.deepEqual(corner(twenty, 0), corner(numbers(setUp, "image/20"), 0));
          const farCorner = SIZE ** 2 - 1;
          const [ours, theirs] = [twenty, numbers(setUp, "image/20")].map((p) =>
            corner(p, farCorner)
          );
          atMost(maxDifference(ours!, theirs!), 1, `far corner ${ours}, expected ${theirs}`);

          // Chaos from here on. The trend: the loss falls as theirs, by its mean over ten iterations;
          // the distance grows, which is what is wrong with it.
          await stepTo(120);
          const mean = (f: (i: number) => number, from: number) =>
            Array.from({ length: 10 }, (_, j) => f(from + j)).reduce((a, b) => a + b) / 10;
          for (const from of [10, 30, 70, 110]) {
            const ratio = mean(total, from) / mean((i) => expected("loss", i), from);
            atMost(Math.abs(Math.log2(ratio)), 1, `log2 of the loss over theirs from ${from}`);
          }
          const distance = (i: number) =>
            results[i - 1]!.metrics.reduce((sum, m) => sum + m.distance!, 0) / K;
          assert.ok(distance(115) > 1.5 * distance(1), "the distance grows");
          assert.ok((await loop.pictures()).every((v) => Math.abs(v - Math.round(v)) < 1e-2));
        }

        // So each iteration strictly, from their picture before it: in their file where there are
        // two in a row.
        for (const i of [1, 2, 40]) {
          if (!goldens.has(`image/${i}`)) continue;
          loop.resume(numbers(goldens, `image/${i}`), i);
          loop.step();
          const [{ metrics }] = await loop.results() as [IterationResult];
          const loss = metrics.reduce((sum, m) => sum + m.loss, 0);
          atMost(Math.abs(loss / expected("loss", i + 1) - 1), 1e-5, `loss at ${i + 1} from ${i}`);
          if (!goldens.has(`image/${i + 1}`)) continue;
          const [ours, theirs] = [await loop.pictures(), numbers(goldens, `image/${i + 1}`)];
          const off = ours.filter((v, j) => Math.abs(v - theirs[j]!) > 0.5).length;
          atMost(maxDifference(ours, theirs), 1.01, `levels at ${i + 1} from ${i}`);
          atMost(off / ours.length, 5e-4, `share of pixels off at ${i + 1} from ${i}`);
        }
      });
    }
  },
);
