import assert from "node:assert/strict";
import type { Facets } from "../../vis/facets/facets.ts";
import { findTargets, meanActivation, weightsOf } from "../../vis/facets/targets.ts";
import { golden, maxDifference, readSafetensors, sharedPath, testWithShared } from "../goldens.ts";

const GOLDENS = "goldens/loop_fixed_lr_default.safetensors";
const IMAGES = "goldens/loop_images_ants60_128_rgb_u8.safetensors";

testWithShared("targets equal the reference", [GOLDENS, IMAGES], async () => {
  const goldens = readSafetensors(sharedPath(GOLDENS));
  const images = golden(readSafetensors(sharedPath(IMAGES)), "images");
  const side = 3 * 128 * 128;
  const facets: Facets = {
    embedding: Float64Array.from(golden(goldens, "embedding")),
    labels: Int32Array.from(golden(goldens, "labels")),
    centres: Float64Array.from(golden(goldens, "centres")),
    sizes: Int32Array.of(14, 23, 23),
  };
  const targets = await findTargets(
    facets,
    golden(goldens, "pooled") as Float32Array,
    (i) => Float32Array.from(images.subarray(i * side, (i + 1) * side)),
    { channels: 512, weighting: "inverse" },
  );
  targets.forEach((target, k) => {
    const row = (name: string, length: number) =>
      golden(goldens, name).subarray(k * length, (k + 1) * length);
    assert.deepEqual(target.indices, [...row("chosen_index", 10)]);
    assert.ok(maxDifference(target.weights, row("chosen_weight", 10)) < 1e-5);
    assert.ok(maxDifference(target.target, row("target_maps", 512)) < 1e-3);
    assert.deepEqual([...target.channels], [...row("target_channels", 50)]);
    assert.ok(maxDifference(target.start, row("start", side)) < 1e-3 * 255);
  });
});

Deno.test("weights sum to 1, fall with distance, and bear distance 0", () => {
  for (const weighting of ["median", "inverse"] as const) {
    for (const distances of [[1, 2, 3], [0, 1, 5], [0, 0, 0], [0], [1e-320, 4], [3, 3]]) {
      const weights = weightsOf(distances, weighting);
      const sum = weights.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - 1) < 1e-12, `${weighting} of ${distances}: ${weights}`);
      assert.ok(weights.every((w, i) => i === 0 || w <= weights[i - 1]!));
    }
  }
  assert.deepEqual(weightsOf([0, 0, 1], "inverse"), [0.5, 0.5, 0]);
  // softmax(-d / 2) by hand
  const [a, b] = [Math.exp(-0.5), Math.exp(-1.5)];
  const expected = [a, b].map((v) => v / (a + b));
  assert.ok(maxDifference(weightsOf([1, 3], "median"), expected) < 1e-12);
});

Deno.test("a facet takes its own members only, ties go to the smaller index", async () => {
  const facets: Facets = {
    embedding: Float64Array.of(0, 0, 0, 1, 0, -1, 0, 0.1, 9, 9),
    labels: Int32Array.of(0, 0, 0, 1, 1),
    centres: Float64Array.of(0, 0, 9, 9),
    sizes: Int32Array.of(3, 2),
  };
  const pooled = Float32Array.of(1, 1, 0, 2, 2, 0, 3, 3, 0, 4, 4, 0, 5, 5, 0);
  const asked: number[] = [];
  const targets = await findTargets(facets, pooled, (i) => {
    asked.push(i);
    return Float32Array.of(i);
  }, { channels: 3, keep: 1, nearest: 10 });
  assert.deepEqual(targets[0]!.indices, [0, 1, 2]);
  assert.deepEqual(targets[1]!.indices, [4, 3]);
  assert.deepEqual([...targets[0]!.channels], [0]);
  assert.equal(targets[0]!.weights[1], targets[0]!.weights[2]);
  assert.deepEqual(asked, [0, 1, 2, 4, 3]);
  const [w0, w1] = targets[1]!.weights as [number, number];
  assert.ok(Math.abs(targets[1]!.start[0]! - (4 * w0 + 3 * w1)) < 1e-6);
  assert.deepEqual([...meanActivation(pooled, 3)], [3, 3, 0]);
});

Deno.test("a facet's most typical images point where its mean does, whatever their length", async () => {
  // The folder's mean is 0. Facet 0 points along (13, 1.1): angles 0.03, 0.70, 0.03 and 0.87 off.
  const directions = [[9, 1], [1, 1], [2, 0.1], [1, -1], [-13, -1.1]];
  const pooled = Float32Array.from(directions.flat());
  const facets: Facets = {
    embedding: new Float64Array(10),
    labels: Int32Array.of(0, 0, 0, 0, 1),
    centres: new Float64Array(4),
    sizes: Int32Array.of(4, 1),
  };
  const [target] = await findTargets(
    facets,
    pooled,
    (i) => Float32Array.of(i),
    { channels: 2, nearest: 3, choose: "typical" },
  );
  assert.deepEqual(target!.indices, [0, 2, 1]);
  const towards = Math.atan2(1.1, 13);
  target!.indices.forEach((i, j) => {
    const angle = Math.atan2(directions[i]![1]!, directions[i]![0]!) - towards;
    assert.ok(Math.abs(target!.distances[j]! - 2 * Math.abs(Math.sin(angle / 2))) < 1e-6);
  });
});

Deno.test("the median of a facet's images leaves out what few of them show", async () => {
  // Grey 90, 100 and 110; one of three has a white frame, as wide as a tenth of the picture.
  const side = 40;
  const images = [90, 100, 110].map((grey, k) =>
    Float32Array.from({ length: 3 * side * side }, (_, i) => {
      const [y, x] = [Math.floor(i / side) % side, i % side];
      return k === 0 && Math.min(x, y, side - 1 - x, side - 1 - y) < 4 ? 255 : grey;
    })
  );
  const facets: Facets = {
    embedding: new Float64Array(6),
    labels: Int32Array.of(0, 0, 0),
    centres: Float64Array.of(0, 0),
    sizes: Int32Array.of(3),
  };
  const start = async (blend: "mean" | "median") => {
    const options = { channels: 2, choose: "nearest", blend } as const;
    const pooled = Float32Array.of(1, 1, 2, 2, 3, 3);
    return (await findTargets(facets, pooled, (i) => images[i]!, options))[0]!.start;
  };
  const [mean, median] = [await start("mean"), await start("median")];
  const centre = 20 * side + 20;
  assert.ok(Math.abs(median[centre]! - 100) < 1e-3);
  assert.ok(Math.abs(median[0]! - 110) < 1, "the next grey, where the frame is the brightest");
  assert.ok(mean[0]! > 150, "the mean keeps the frame");
  // Softened: nothing jumps.
  for (let i = 1; i < side; i++) assert.ok(Math.abs(median[i]! - median[i - 1]!) < 5);
});
