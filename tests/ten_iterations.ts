/** Ten iterations of preset `default` on the built-in network, to compare one WebGPU with another. */
import type { Gpu } from "../kernels/runtime/device.ts";
import type { SafetensorsFile } from "../models/formats/safetensors.ts";
import type { Model } from "../models/registry.ts";
import { openLoop } from "../vis/loop/benchmark.ts";
import { chooseParameters } from "../vis/presets.ts";
import { openTrunk } from "../vis/trunk.ts";

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
  weights: SafetensorsFile,
): Promise<TenIterations> {
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  const parameters = chooseParameters("default", { iterations: 10 });
  using loop = await openLoop(gpu, { trunk, parameters, facets: FACETS, size: SIZE });
  const metrics: Readonly<Record<string, number>>[][] = [];
  await loop.run((results) => {
    for (const result of results) metrics.push([...result.metrics]);
  });
  return { metrics, pictures: [...await loop.pictures()] };
}
