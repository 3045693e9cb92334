import assert from "node:assert/strict";
import { Random } from "../../base/random.ts";
import {
  arrangerOf,
  embed,
  type Embedding,
  EMBEDDINGS,
  evenly,
} from "../../vis/facets/embedding.ts";
import {
  analyseFacets,
  distanceToCentre,
  facetCandidates,
  findFacets,
  planeOf,
} from "../../vis/facets/facets.ts";
import { adjustedRandIndex } from "../../vis/facets/rand_index.ts";
import { silhouette } from "../../vis/facets/silhouette.ts";
import { tsne, tsneSteps } from "../../vis/facets/tsne.ts";
import { umap } from "../../vis/facets/umap.ts";

const ALL = Object.keys(EMBEDDINGS) as Embedding[];

/** `n` pooled activations of `channels` channels around `groups` centres, in turn. */
function pooledBlobs(n: number, channels: number, groups: number, seed = 4) {
  const random = new Random(seed);
  const centres = Array.from({ length: groups * channels }, () => 2 * random.normal());
  const pooled = Float32Array.from({ length: n * channels }, (_, j) => {
    const group = Math.floor(j / channels) % groups;
    return centres[group * channels + j % channels]! + random.normal();
  });
  return { pooled, truth: Int32Array.from({ length: n }, (_, i) => i % groups) };
}

Deno.test("the silhouette is Rousseeuw's", () => {
  // On a line: 0, 1 | 10, 12. s = 1 - a/b: a = 1, b = 11 | 10; a = 2, b = 9.5 | 11.5.
  const expected = (10 / 11 + 9 / 10 + 7.5 / 9.5 + 9.5 / 11.5) / 4;
  const options = { n: 4, dimensions: 1, clusters: 2 };
  assert.ok(Math.abs(silhouette([0, 1, 10, 12], [0, 0, 1, 1], options) - expected) < 1e-12);
  // Wrongly grouped is below 0, one alone counts 0, an empty group nothing.
  assert.ok(silhouette([0, 1, 10, 12], [0, 1, 0, 1], options) < 0);
  const alone = silhouette([0, 1, 10], [0, 0, 2], { n: 3, dimensions: 1, clusters: 3 });
  assert.ok(Math.abs(alone - (9 / 10 + 8 / 9) / 3) < 1e-12);
  assert.equal(silhouette([3, 3, 3], [0, 1, 0], { n: 3, dimensions: 1, clusters: 2 }), 0);
  assert.equal(silhouette([1, 2, 3], [0, 0, 0], { n: 3, dimensions: 1, clusters: 1 }), 0);
  assert.throws(() => silhouette([1, 2, 3], [0, 0], options), RangeError);
});

for (const embedding of ALL) {
  Deno.test(`auto finds how many facets there are: ${embedding}`, async () => {
    const { pooled, truth } = pooledBlobs(81, 20, 3);
    const options = { n: 81, channels: 20, facets: "auto", seed: 1, embedding } as const;
    const { facets, candidates, judgement } = await analyseFacets(pooled, options);
    assert.equal(facets.sizes.length, 3);
    assert.equal(adjustedRandIndex(facets.labels, truth), 1);
    assert.deepEqual(candidates.map(({ facets }) => facets), [2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(judgement.structure, "clear", judgement.verdict);
    assert.ok(judgement.excess! > 5);
    assert.equal(judgement.stability, 1);
    assert.ok(judgement.resampling! > 0.99);
    assert.deepEqual(await analyseFacets(pooled, options), { facets, candidates, judgement });
  });

  Deno.test(`one cloud has no facet structure: ${embedding}`, async () => {
    for (const seed of [1, 2, 3]) {
      const { pooled } = pooledBlobs(60, 30, 1, seed);
      const { judgement } = await analyseFacets(pooled, {
        ...{ n: 60, channels: 30, facets: "auto", seed, embedding },
      });
      assert.equal(judgement.structure, "none", judgement.verdict);
      assert.match(judgement.verdict, /^NO FACET STRUCTURE/);
    }
  });
}

Deno.test("one cloud whose channels are rectified and of unlike scale has no facet structure", async () => {
  const random = new Random(3);
  const pooled = Float32Array.from(
    { length: 100 * 40 },
    (_, j) => Math.max(0, random.normal()) * 3 / (1 + j % 40),
  );
  const { judgement } = await analyseFacets(pooled, {
    n: 100,
    channels: 40,
    facets: "auto",
    seed: 0,
  });
  assert.equal(judgement.structure, "none", judgement.verdict);
});

Deno.test("too few images, one facet and equal images are not judged structured", async () => {
  const { pooled } = pooledBlobs(6, 8, 2);
  const few = await analyseFacets(pooled, { n: 6, channels: 8, facets: 2, seed: 0 });
  assert.equal(few.judgement.structure, undefined);
  assert.match(few.judgement.verdict, /too few/);
  const one = await analyseFacets(pooled, { n: 6, channels: 8, facets: 1, seed: 0 });
  assert.equal(one.judgement.structure, undefined);
  for (const embedding of ALL) {
    const equal = await analyseFacets(new Float32Array(20 * 4).fill(2), {
      ...{ n: 20, channels: 4, facets: "auto", seed: 0, embedding },
    });
    assert.equal(equal.judgement.structure, "none");
    assert.ok(equal.facets.embedding.every(Number.isFinite));
    for (const n of [1, 2, 3, 5]) {
      const small = await analyseFacets(pooledBlobs(n, 5, 1).pooled, {
        ...{ n, channels: 5, facets: "auto", seed: 0, embedding },
      });
      assert.equal(small.facets.labels.length, n);
    }
  }
});

Deno.test("auto looks at 2 to the root of the number of images, at most 20", () => {
  assert.deepEqual(facetCandidates(3), [1]);
  assert.deepEqual(facetCandidates(4), [2]);
  assert.deepEqual(facetCandidates(26), [2, 3, 4, 5]);
  assert.equal(facetCandidates(100_000).at(-1), 20);
});

Deno.test("embeddings: what pca and none are; perplexity and iterations reach t-SNE and UMAP", async () => {
  const random = new Random(2);
  const scores = Float64Array.from({ length: 40 * 5 }, () => random.normal());
  const options = { n: 40, components: 5, seed: 3, arrange: await arrangerOf("tsne") };
  assert.deepEqual(embed(scores, { ...options, embedding: "none" }), {
    points: scores,
    dimensions: 5,
  });
  const { points } = embed(scores, { ...options, embedding: "pca" });
  assert.deepEqual([...points.subarray(2, 4)], [...scores.subarray(5, 7)]);
  const own = { perplexity: 5, iterations: 120 };
  assert.deepEqual(
    embed(scores, { ...options, ...own }).points,
    tsne(scores, { n: 40, dimensions: 5, seed: 3, ...own }),
  );
  const plain = embed(scores, options).points;
  for (const change of [{ perplexity: 5 }, { iterations: 120 }]) {
    assert.notDeepEqual(embed(scores, { ...options, ...change }).points, plain);
  }
  assert.deepEqual(
    embed(scores, { ...options, arrange: await arrangerOf("umap"), ...own }).points,
    umap(scores, { n: 40, dimensions: 5, neighbours: 5, iterations: 120, seed: 3 }),
  );
  const again = umap(scores, { n: 40, dimensions: 5, seed: 3 });
  assert.deepEqual(umap(scores, { n: 40, dimensions: 5, seed: 3 }), again);
  assert.notDeepEqual(umap(scores, { n: 40, dimensions: 5, seed: 4 }), again);
});

Deno.test("none groups in all components; distances and drawings know", async () => {
  const { pooled } = pooledBlobs(40, 10, 2);
  const facets = await findFacets(pooled, {
    ...{ n: 40, channels: 10, facets: 2, seed: 0, embedding: "none" },
  });
  assert.equal(facets.embedding.length, 40 * 10);
  const plane = planeOf(facets);
  assert.deepEqual([...plane.embedding.slice(4, 6)], [...facets.embedding.slice(20, 22)]);
  assert.equal(plane.centres.length, 4);
  const square = facets.embedding.slice(0, 10)
    .reduce((sum, value, d) => sum + (value - facets.centres[d]!) ** 2, 0);
  assert.ok(Math.abs(distanceToCentre(facets, 0, 0) - Math.sqrt(square)) < 1e-12);
});

Deno.test("in a folder too large to arrange, the rest goes where its nearest images are", () => {
  const { pooled, truth } = pooledBlobs(300, 6, 3);
  const scores = Float64Array.from(pooled);
  const { points } = embed(scores, {
    n: 300,
    components: 6,
    seed: 0,
    most: 60,
    arrange: tsneSteps,
  });
  assert.ok(points.every(Number.isFinite));
  assert.ok(silhouette(points, truth, { n: 300, dimensions: 2, clusters: 3 }) > 0.8);
  assert.deepEqual(evenly(10, 4), [0, 2, 5, 7]);
  assert.deepEqual(evenly(3, 4), [0, 1, 2]);
});
