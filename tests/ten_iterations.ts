/** Ten iterations of preset `default` on the built-in network, to compare one WebGPU with another. */
import assert from "node:assert/strict";
import type { Gpu } from "../kernels/runtime/device.ts";
import type { WeightsFile } from "../models/formats/weights.ts";
import type { Model } from "../models/registry.ts";
import { openLoop } from "../bench/loop_cost.ts";
import { chooseParameters } from "../vis/presets.ts";
import { openTrunk } from "../vis/trunk.ts";
import type { Errors } from "./compare.ts";

const SIZE = 48;
const FACETS = 2;

/** What comes out. */
export interface TenIterations {
  /** Per iteration and facet, its metrics by name. */
  readonly metrics: readonly Readonly<Record<string, number>>[][];
  /** [K,3,S,S] in 0..255. */
  readonly pictures: readonly number[];
}

/** Runs them with goals and start pictures drawn from a fixed seed. */
export async function tenIterations(
  gpu: Gpu,
  model: Model,
  weights: WeightsFile,
): Promise<TenIterations> {
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  const parameters = chooseParameters("soft", { iterations: 10 });
  using loop = await openLoop(gpu, { trunk, parameters, facets: FACETS, size: SIZE });
  const metrics: Readonly<Record<string, number>>[][] = [];
  await loop.run((results) => {
    for (const result of results) metrics.push([...result.metrics]);
  });
  return { metrics, pictures: [...await loop.pictures()] };
}

/**
 * Compares two adapters' iterations. Both round, and every iteration goes on from the last, so they
 * drift apart: by 6e-5 grey levels and 3e-7 of the metrics between SwiftShader and lavapipe.
 *
 * @returns the largest difference of a picture in grey levels, and of a metric relative to it
 * @throws when they are further apart than rounding explains
 */
export function compareIterations(actual: TenIterations, expected: TenIterations): Errors {
  assert.equal(expected.metrics.length, 10);
  assert.equal(actual.metrics.length, 10);
  assert.equal(actual.pictures.length, expected.pictures.length);
  const pictures = Math.max(
    ...expected.pictures.map((level, i) => Math.abs(actual.pictures[i]! - level)),
  );
  const metrics = Math.max(
    ...expected.metrics.flatMap((facets, i) =>
      facets.flatMap((facet, k) =>
        Object.entries(facet).map(([name, value]) =>
          Math.abs(actual.metrics[i]![k]![name]! - value) / Math.max(Math.abs(value), 1e-3)
        )
      )
    ),
  );
  assert.ok(pictures <= 1e-3, `pictures differ by ${pictures} grey levels`);
  assert.ok(metrics <= 1e-5, `metrics differ by ${metrics} of their value`);
  return { pictures, metrics };
}
