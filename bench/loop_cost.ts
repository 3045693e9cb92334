/** What an iteration of the whole loop costs. */
import type { Gpu } from "../kernels/runtime/device.ts";
import { type Cost, leastCost, processorSeconds } from "../ops/tuning/measure.ts";
import { Random } from "../ops/mod.ts";
import { Loop } from "../vis/loop/loop.ts";
import { facets as facetsObjective } from "../vis/objectives/facets.ts";
import type { Parameters } from "../vis/parameters.ts";
import type { Trunk } from "../vis/trunk.ts";

/** A loop to measure. */
export interface LoopCase {
  readonly trunk: Trunk;
  readonly parameters: Parameters;
  /** Pictures at once. */
  readonly facets: number;
  /** Their side in pixels. */
  readonly size: number;
}

/** What it cost. */
export interface LoopCost {
  /** Seconds an iteration, all of the loop's parts included. */
  readonly cost: Cost;
  /** Seconds until the first ten iterations were there, by the clock on the wall. */
  readonly first: number;
  /** Planned device memory for everything but weights. */
  readonly planBytes: number;
  /** Device memory for weights. */
  readonly constantBytes: number;
}

/** A loop with goals made up, ready to run. */
export async function openLoop(
  gpu: Gpu,
  { trunk, parameters, facets, size }: LoopCase,
): Promise<Loop> {
  const random = new Random(3);
  const noise = (length: number, high: number) =>
    Float32Array.from({ length }, () => random.uniform(0, high));
  const channels = Array.from(
    { length: Math.min(parameters.channels, trunk.channels) },
    (_, c) => c,
  );
  return await Loop.create(gpu, {
    network: trunk.network,
    objective: facetsObjective(trunk, {
      targets: noise(facets * trunk.channels, 1),
      channels: Array.from({ length: facets }, () => channels),
      mean: noise(trunk.channels, 1),
    }),
    start: noise(facets * 3 * size * size, 255),
    size,
    parameters,
    seed: 0,
    magnitudes: parameters.magnitude === "images" ? noise(facets * 3 * size * size, 1) : undefined,
  });
}

/** Ten iterations and their results, as {@linkcode Loop.run} does them. */
export async function tenIterations(loop: Loop): Promise<void> {
  for (let i = 0; i < 10; i++) loop.step();
  await loop.results();
}

/**
 * The best of some tens of iterations, after ten that compile.
 *
 * @param tens how many tens
 */
export async function loopCost(gpu: Gpu, loopCase: LoopCase, tens = 3): Promise<LoopCost> {
  const started = performance.now();
  using loop = await openLoop(gpu, loopCase);
  await tenIterations(loop);
  const first = (performance.now() - started) / 1e3;
  let best: Cost = { wall: Infinity, processor: Infinity, timestamps: undefined };
  for (let ten = 0; ten < tens; ten++) {
    const [wall, processor] = [performance.now(), processorSeconds()];
    await tenIterations(loop);
    best = leastCost(best, {
      wall: (performance.now() - wall) / 1e4,
      processor: (processorSeconds() - processor) / 10,
      timestamps: undefined,
    });
  }
  return {
    cost: best,
    first,
    planBytes: loop.memory.plan,
    constantBytes: loop.memory.constants,
  };
}
