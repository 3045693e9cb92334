/** Facets of folders that are not held: the same as of those that are. */
import assert from "node:assert/strict";
import { UserError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { analyseFacets } from "../../vis/facets/facets.ts";
import { Moments } from "../../vis/facets/moments.ts";
import { pca } from "../../vis/facets/pca.ts";
import { adjustedRandIndex } from "../../vis/facets/rand_index.ts";
import { finish } from "../../vis/facets/steps.ts";
import { findStreamedFacets, type Rows } from "../../vis/facets/streamed.ts";
import { findTargets, meanActivation } from "../../vis/facets/targets.ts";

/** What a layer might answer to images of some groups: not negative, channels more or less different. */
function answers(n: number, channels: number, groups: number, spread = 0.5) {
  const random = new Random(7);
  const scale = Float64Array.from({ length: channels }, () => Math.exp(spread * random.normal()));
  const centres = Array.from({ length: groups * channels }, () => random.normal());
  const pooled = Float32Array.from({ length: n * channels }, (_, i) => {
    const [image, c] = [Math.floor(i / channels), i % channels];
    const value = 3 * centres[image % groups * channels + c]! + random.normal();
    return Math.max(0, 5 + value) * scale[c]!;
  });
  return { pooled, truth: Array.from({ length: n }, (_, i) => i % groups) };
}

function rowsOf(pooled: Float32Array, channels: number, piece: number): Rows {
  return {
    n: pooled.length / channels,
    channels,
    *pieces() {
      for (let at = 0; at < pooled.length; at += piece * channels) {
        yield pooled.subarray(at, Math.min(pooled.length, at + piece * channels));
      }
    },
  };
}

Deno.test("PCA of pieces in one pass is that of all at once, to 1e-6", () => {
  const [n, channels] = [700, 96];
  const { pooled } = answers(n, channels, 5, 2);
  const batch = pca(pooled, { n, channels, components: 50 });
  const moments = new Moments(channels);
  for (const piece of rowsOf(pooled, channels, 33).pieces()) moments.add(piece);
  const { mean, axes, variances } = finish(moments.axes(50));
  assert.equal(moments.n, n);
  assert.equal(axes.length, 50);
  const largest = Math.max(...batch.scores.map(Math.abs));
  for (const [k, axis] of axes.entries()) {
    assert.ok(Math.abs(variances[k]! / batch.variances[k]! - 1) < 1e-6, `variance ${k}`);
    const scores = Array.from(
      { length: n },
      (_, i) => axis.reduce((sum, a, c) => sum + a * (pooled[i * channels + c]! - mean[c]!), 0),
    );
    const sign = Math.sign(scores[0]! * batch.scores[k]!);
    const off = Math.max(...scores.map((s, i) => Math.abs(sign * s - batch.scores[i * 50 + k]!)));
    assert.ok(off < 1e-6 * largest, `component ${k} is off by ${off / largest}`);
  }
});

for (
  const [choose, embedding] of [["nearest", "none"], ["typical", "tsne"], [
    "farthest",
    "pca",
  ]] as const
) {
  Deno.test(`a folder that fits has the same facets and targets in pieces: ${choose}`, async () => {
    const [n, channels] = [60, 24];
    const { pooled } = answers(n, channels, 3);
    const options = { facets: 3, seed: 1, choose, embedding, nearest: 6 };
    const whole = await analyseFacets(pooled, { ...options, n, channels });
    const pixels = () => new Float32Array(3);
    const targets = await findTargets(whole.facets, pooled, pixels, { channels, ...options });
    const placed: [number, number][] = [];
    const found = await findStreamedFacets(rowsOf(pooled, channels, 25), {
      ...options,
      each: (image, facet) => placed.push([image, facet]),
    });
    assert.deepEqual(found.analysis.facets.labels, whole.facets.labels);
    assert.deepEqual(found.sizes, whole.facets.sizes);
    assert.equal(found.analysis.judgement.structure, whole.judgement.structure);
    assert.deepEqual(placed, [...whole.facets.labels].map((label, i) => [i, label]));
    for (const [facet, { indices, distances }] of targets.entries()) {
      const members = found.members[facet]!;
      assert.deepEqual(members.map(({ image }) => image), indices);
      members.forEach(({ distance, row, image }, i) => {
        assert.ok(Math.abs(distance - distances[i]!) < 1e-4 * (1 + distances[i]!));
        assert.deepEqual(row, pooled.slice(image * channels, (image + 1) * channels));
      });
    }
    const mean = meanActivation(pooled, channels);
    found.mean.forEach((value, c) => assert.ok(Math.abs(value / mean[c]! - 1) < 1e-6));
  });
}

Deno.test("of a larger folder a sample is grouped, and the rest goes where it belongs", async () => {
  const [n, channels] = [3000, 16];
  const { pooled, truth } = answers(n, channels, 4);
  const labels = new Int32Array(n).fill(-1);
  const found = await findStreamedFacets(rowsOf(pooled, channels, 700), {
    ...{ facets: 4, seed: 0, choose: "typical", nearest: 5, sample: 100 },
    embedding: "none",
    each: (image, facet) => labels[image] = facet,
  });
  assert.equal(found.sample.length, 100);
  assert.equal(found.analysis.facets.labels.length, 100);
  assert.equal(adjustedRandIndex(labels, truth), 1);
  assert.equal(found.sizes.reduce((sum, size) => sum + size, 0), n);
  assert.ok(found.members.flat().some(({ image }) => !found.sample.includes(image)));
});

Deno.test("what cannot be grouped is refused in plain words", async () => {
  const options = { facets: 3, seed: 0, choose: "nearest", nearest: 2 } as const;
  await assert.rejects(findStreamedFacets(rowsOf(new Float32Array(8), 4, 2), options), UserError);
  const bad = new Float32Array(40).fill(NaN);
  await assert.rejects(findStreamedFacets(rowsOf(bad, 4, 2), options), /not finite/);
  const flat = await findStreamedFacets(rowsOf(new Float32Array(40).fill(2), 4, 3), options);
  assert.match(flat.analysis.judgement.verdict, /NO FACET STRUCTURE/);
});
