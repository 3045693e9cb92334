import assert from "node:assert/strict";
import { UserError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { findFacets } from "../../vis/facets/facets.ts";
import { kmeans } from "../../vis/facets/kmeans.ts";
import { pca } from "../../vis/facets/pca.ts";
import { adjustedRandIndex } from "../../vis/facets/rand_index.ts";
import { tsne } from "../../vis/facets/tsne.ts";
import { golden, maxDifference, readSafetensors, sharedPath, testWithShared } from "../goldens.ts";

const GOLDENS = "goldens/loop_fixed_lr_default.safetensors";

/** `count` points in `dimensions` dimensions around `groups` well separated centres, in turn. */
function blobs(count: number, dimensions: number, groups: number, spread = 1) {
  const random = new Random(4);
  const centres = Array.from({ length: groups * dimensions }, () => 5 * random.normal());
  const points = Float64Array.from({ length: count * dimensions }, (_, i) => {
    const group = Math.floor(i / dimensions) % groups;
    return centres[group * dimensions + i % dimensions]! + spread * random.normal();
  });
  return { points, truth: Int32Array.from({ length: count }, (_, i) => i % groups) };
}

testWithShared("pca equals scikit-learn's up to sign", [GOLDENS], () => {
  const goldens = readSafetensors(sharedPath(GOLDENS));
  const { scores, components } = pca(golden(goldens, "pooled"), {
    n: 60,
    channels: 512,
    components: 50,
  });
  const theirs = golden(goldens, "pca");
  assert.equal(components, 50);
  const largest = Math.max(...theirs.map(Math.abs));
  for (let k = 0; k < 50; k++) {
    const column = (from: ArrayLike<number>) =>
      Float64Array.from({ length: 60 }, (_, i) => from[i * 50 + k]!);
    const worst = Math.min(
      maxDifference(column(scores), column(theirs)),
      maxDifference(column(scores).map((v) => -v), column(theirs)),
    );
    assert.ok(worst < 1e-4 * largest, `component ${k} is off by ${worst}`);
  }
});

Deno.test("pca finds axes of known variance", () => {
  // An ellipsoid with standard deviations 5, 2, 1, shifted, its axes turned by 30 degrees.
  const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
  const random = new Random(1);
  const [a, b, d] = [5, 2, 1].map((sd) =>
    Float64Array.from({ length: 200 }, () => sd * random.normal())
  ) as [Float64Array, Float64Array, Float64Array];
  const data = Float64Array.from({ length: 600 }, (_, i) => {
    const p = Math.floor(i / 3);
    return 100 + [c * a[p]! - s * b[p]!, s * a[p]! + c * b[p]!, d[p]!][i % 3]!;
  });
  const { scores, variances, components } = pca(data, { n: 200, channels: 3, components: 50 });
  assert.equal(components, 3);
  for (const [k, expected] of [25, 4, 1].entries()) {
    const column = Float64Array.from({ length: 200 }, (_, i) => scores[3 * i + k]!);
    const variance = column.reduce((sum, v) => sum + v * v, 0) / 199;
    assert.ok(Math.abs(variance - variances[k]!) < 1e-9 * expected);
    assert.ok(Math.abs(variance / expected - 1) < 0.3, `variance ${k} is ${variance}`);
  }
});

Deno.test("pca copes with few, flat and equal points", () => {
  const twin = Float64Array.from([1, 2, 3, 1, 2, 3, 4, 5, 6]);
  const { scores, components } = pca(twin, { n: 3, channels: 3, components: 50 });
  assert.equal(components, 2);
  const distance = Math.hypot(scores[4]! - scores[0]!, scores[5]! - scores[1]!);
  assert.ok(Math.abs(distance - Math.sqrt(27)) < 1e-9);
  assert.ok(
    pca(new Float64Array(20).fill(7), { n: 5, channels: 4, components: 2 })
      .scores.every((score) => Math.abs(score) < 1e-9),
  );
  assert.equal(pca([1, 2], { n: 1, channels: 2, components: 2 }).components, 0);
  assert.throws(() => pca([1, 2, 3], { n: 2, channels: 2, components: 1 }), RangeError);
});

Deno.test("t-SNE keeps three blobs apart, and k-means finds them", () => {
  const { points, truth } = blobs(90, 10, 3);
  const plane = tsne(points, { n: 90, dimensions: 10, seed: 0 });
  const found = kmeans(plane, { n: 90, dimensions: 2, clusters: 3, seed: 0 });
  assert.equal(adjustedRandIndex(found.labels, truth), 1);
  const mean = plane.reduce((sum, value) => sum + value, 0) / 180;
  assert.ok(Math.abs(mean) < 1e-6, "centred");
});

Deno.test("t-SNE survives one, two, three and identical points", () => {
  for (const n of [1, 2, 3, 4]) {
    const plane = tsne(new Float64Array(n), { n, dimensions: 1, seed: 0 });
    assert.equal(plane.length, 2 * n);
    assert.ok(plane.every(Number.isFinite));
  }
});

Deno.test("k-means numbers groups by size and does not depend on the seed", () => {
  const points = [0, 0, 0, 1, 10, 10, 10, 11, 11, 10, 50, 50];
  for (let seed = 0; seed < 5; seed++) {
    const { labels, centres, sizes, inertia } = kmeans(points, {
      n: 6,
      dimensions: 2,
      clusters: 3,
      seed,
    });
    assert.deepEqual([...labels], [1, 1, 0, 0, 0, 2]);
    assert.deepEqual([...sizes], [3, 2, 1]);
    assert.deepEqual([...centres].map((v) => Math.round(100 * v)), [
      ...[1033, 1033],
      ...[0, 50],
      ...[5000, 5000],
    ]);
    assert.ok(Math.abs(inertia - (4 / 3 + 0.5)) < 1e-9);
  }
});

Deno.test("k-means leaves no group empty while points differ", () => {
  const points = [0, 0, 0, 0, 0, 0, 1, 2];
  const { sizes } = kmeans(points, { n: 8, dimensions: 1, clusters: 3, seed: 0 });
  assert.deepEqual([...sizes], [6, 1, 1]);
  assert.throws(() => kmeans([1], { n: 1, dimensions: 1, clusters: 2, seed: 0 }), /1 points/);
});

Deno.test("the adjusted Rand index ignores names and knows chance", () => {
  assert.equal(adjustedRandIndex([0, 0, 1, 1, 2], [5, 5, 3, 3, 9]), 1);
  assert.equal(adjustedRandIndex([0, 0, 0], [1, 1, 1]), 1);
  // sklearn.metrics.adjusted_rand_score([0, 0, 1, 2], [0, 0, 1, 1]) and ([0,0,1,1],[0,1,0,1])
  assert.ok(Math.abs(adjustedRandIndex([0, 0, 1, 2], [0, 0, 1, 1]) - 4 / 7) < 1e-12);
  assert.ok(Math.abs(adjustedRandIndex([0, 0, 1, 1], [0, 1, 0, 1]) + 0.5) < 1e-12);
});

Deno.test("facets are found, and the same seed gives the same bytes", async () => {
  const { points, truth } = blobs(80, 40, 4);
  const pooled = Float32Array.from(points);
  const options = { n: 80, channels: 40, facets: 4, seed: 3 };
  const facets = await findFacets(pooled, options);
  assert.equal(adjustedRandIndex(facets.labels, truth), 1);
  assert.deepEqual(await findFacets(pooled, options), facets);
});

testWithShared(
  "facets of real features do not hang on rounding or the seed",
  [GOLDENS],
  async () => {
    const pooled = Float32Array.from(golden(readSafetensors(sharedPath(GOLDENS)), "pooled"));
    const options = { n: 60, channels: 512, facets: 3, seed: 0 };
    const { labels } = await findFacets(pooled, options);
    const random = new Random(8);
    for (let seed = 1; seed <= 3; seed++) {
      const nudged = pooled.map((value) => value * (1 + 1e-5 * random.normal()));
      const other = await findFacets(nudged, { ...options, seed });
      assert.ok(adjustedRandIndex(other.labels, labels) > 0.9);
    }
  },
);

Deno.test("facets that cannot be made are refused in plain words", async () => {
  const pooled = new Float32Array(6);
  const options = { n: 2, channels: 3, facets: 3, seed: 0 };
  await assert.rejects(() => findFacets(pooled, options), UserError);
  await assert.rejects(() => findFacets(pooled, options), /2 images cannot make 3 facets/);
  await assert.rejects(
    () => findFacets(pooled, { ...options, facets: 0 }),
    /whole number from 1, got 0/,
  );
  pooled[1] = NaN;
  await assert.rejects(() => findFacets(pooled, { ...options, facets: 1 }), /not finite/);
});

Deno.test("one image makes one facet", async () => {
  const facets = await findFacets(new Float32Array(3), { n: 1, channels: 3, facets: 1, seed: 0 });
  assert.deepEqual([...facets.labels], [0]);
});
