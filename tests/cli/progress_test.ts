import assert from "node:assert/strict";
import { analyseFacets } from "../../vis/facets/facets.ts";
import type { Step } from "../../vis/facets/steps.ts";
import { Random } from "../../base/random.ts";
import { secondsLeft } from "../../cli/shared/progress.ts";

Deno.test("the time left is reckoned from the first telling, not from what was done before", () => {
  assert.equal(secondsLeft({ done: 0, at: 5000 }, { done: 0, at: 9000 }, 10), undefined);
  assert.equal(secondsLeft({ done: 0, at: 5000 }, { done: 2, at: 9000 }, 10), 16);
  // 300 of 400 iterations were done in an earlier run.
  assert.equal(secondsLeft({ done: 300, at: 0 }, { done: 310, at: 20_000 }, 400), 180);
  assert.equal(secondsLeft({ done: 0, at: 0 }, { done: 10, at: 20_000 }, 10), 0);
});

Deno.test("every stage of looking for facets is told of, from its beginning to its end", async () => {
  const random = new Random(1);
  const [n, channels] = [16, 8];
  const pooled = Float32Array.from({ length: n * channels }, () => random.normal());
  for (const embedding of ["tsne", "umap"] as const) {
    const told: Step[] = [];
    const options = { n, channels, facets: "auto", seed: 0, embedding, iterations: 60 } as const;
    const analysis = await analyseFacets(pooled, {
      ...options,
      onProgress: (step) => told.push(step),
    });
    assert.deepEqual(analysis, await analyseFacets(pooled, options));
    assert.deepEqual([...new Set(told.map(({ stage }) => stage))], [
      ...["components", "embedding", "grouping", "judging"],
    ]);
    for (const [stage, steps] of Map.groupBy(told, (step) => step.stage)) {
      const done = steps.map((step) => step.done);
      assert.equal(done[0], 0, stage);
      assert.ok(done.every((count, i) => i === 0 || count >= done[i - 1]!), stage);
      assert.equal(done.at(-1), steps[0]!.total, stage);
      assert.equal(new Set(steps.map(({ total }) => total)).size, 1, stage);
      assert.ok(steps.length <= 60, `${stage}: ${steps.length}`);
    }
  }
});
