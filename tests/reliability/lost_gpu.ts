/** A run whose device is destroyed in the middle, by nothing but the library: for Deno and for a page. */
import type { WeightsFile } from "../../models/formats/weights.ts";
import type { Model } from "../../models/registry.ts";
import { openGpu } from "../../kernels/runtime/device.ts";
import { GpuKeeper } from "../../kernels/runtime/keeper.ts";
import type { GrowState, RunEvent } from "../../vis/events.ts";
import { grow } from "../../vis/grow.ts";
import { Network } from "../../vis/network.ts";
import { channels } from "../../vis/objectives/channels.ts";
import { chooseParameters } from "../../vis/presets.ts";

const SIZE = 32;

/** At which of a run's events it is destroyed. */
export const STAGES = ["started", "ready", "iterations", "pictures", "state"] as const;

/** What came of it. */
export interface Survived {
  /** How often the device was lost. */
  readonly losses: number;
  /** Iterations that were done, those done twice counted twice. */
  readonly iterations: number;
  /** [2,3,S,S] in 0..255. */
  readonly pictures: readonly number[];
}

/** Grows two channels' pictures in 12 iterations; the device is lost at the second event of a kind. */
export async function growThroughLoss(
  model: Model,
  weights: WeightsFile,
  stage?: typeof STAGES[number],
): Promise<Survived> {
  let losses = 0, events = 0, iterations = 0;
  let state: GrowState | undefined;
  using keeper = await GpuKeeper.open(openGpu, () => losses++);
  const listen = (event: RunEvent) => {
    if (event.kind === "state") state = event.state;
    if (event.kind === "iterations") iterations += event.results.length;
    if (event.kind !== stage) return;
    // Those that come once are taken at once.
    const at = stage === "started" || stage === "ready" ? 1 : 2;
    if (++events === at) keeper.gpu.device.destroy();
  };
  const { pictures } = await keeper.use((gpu) =>
    grow(gpu, {
      network: new Network(model, weights),
      objective: channels("features.5", [8, 11]),
      start: new Float32Array(2 * 3 * SIZE * SIZE).fill(128),
      size: SIZE,
      parameters: chooseParameters("noise", { iterations: 12 }),
      seed: 2,
      saveEvery: 4,
      stateEvery: 60,
      resume: state,
    }, listen)
  );
  return { losses, iterations, pictures: [...pictures] };
}
