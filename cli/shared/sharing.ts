/**
 * What the runs of one process share: an open GPU with the kernels compiled for it, the network that was
 * opened last, and what its layers answered to photos. A run by itself shares nothing.
 */
import type { GpuKeeper } from "../../kernels/runtime/keeper.ts";
import type { WeightsFile } from "../../models/formats/weights.ts";
import type { OpenModel } from "../../models/open_model.ts";
import type { EmbeddingOptions } from "../../vis/facets/embedding.ts";
import type { Parameters } from "../../vis/parameters.ts";
import type { StoredImage } from "../../vis/photos/images.ts";
import type { Trunk } from "../../vis/trunk.ts";
import type { FoundFacets } from "../../vis/visualize.ts";

/** What is asked about a folder too large to be held. */
export interface LargeQuestion {
  readonly trunk: Trunk;
  readonly weights: WeightsFile;
  /** Side at which the photos were seen, and what was done to them before. */
  readonly size: number;
  readonly prepared: string | undefined;
  readonly parameters: Parameters;
}

/** A folder of photos too large to be held, that layers have looked at already. */
export interface LargeFolder {
  /** Its facets, and the photos that are needed of it. */
  facets(
    question: LargeQuestion,
    how: EmbeddingOptions & { facets: number | "auto"; seed: number; out: string },
  ): Promise<{ images: StoredImage[]; found: FoundFacets }>;
  /** The photos that answer most to each of some channels, and what they answer, [n,K]. */
  best(
    question: LargeQuestion,
    channels: readonly number[],
  ): Promise<{ images: StoredImage[]; answers: Float32Array<ArrayBuffer> }>;
}

/** Something open, and what it was opened by. */
interface Known<T> {
  readonly key: string;
  readonly value: T;
}

let shared: Sharing | undefined;

/** As long as it is not disposed of, runs share. */
export class Sharing implements Disposable {
  /** Where answers to photos are kept; in the run's own folder where it is not said. */
  activations: string | undefined;
  /** The folder of photos, where it is a large one. */
  large: LargeFolder | undefined;
  /** The GPU. */
  gpu: Known<GpuKeeper> | undefined;
  /** The network. */
  model: Known<OpenModel> | undefined;

  /** @param again what to type to go on with the runs */
  constructor(readonly again: string) {
    shared = this;
  }

  /** Gives back all that is open. */
  [Symbol.dispose](): void {
    shared = undefined;
    this.model?.value.weights.close();
    this.gpu?.value[Symbol.dispose]();
  }
}

/** Where answers to photos are kept, if runs share them. */
export function sharedActivations(): string | undefined {
  return shared?.activations;
}

/** What to type to go on with the runs, if they share that. */
export function sharedAgain(): string | undefined {
  return shared?.again;
}

/** The folder of photos, if it is too large to be held. */
export function largeFolder(): LargeFolder | undefined {
  return shared?.large;
}

/** The GPU that runs share, lent; nothing where they do not. */
export async function sharedGpu(
  key: string,
  open: () => Promise<GpuKeeper>,
): Promise<GpuKeeper | undefined> {
  if (!shared) return undefined;
  if (shared.gpu?.key !== key) {
    shared.gpu?.value[Symbol.dispose]();
    shared.gpu = undefined;
    shared.gpu = { key, value: await open() };
  }
  return shared.gpu.value.lend();
}

/** The network that runs share, its weights lent; nothing where they do not. */
export async function sharedModel(
  key: string,
  open: () => Promise<OpenModel>,
): Promise<OpenModel | undefined> {
  if (!shared) return undefined;
  if (shared.model?.key !== key) {
    shared.model?.value.weights.close();
    shared.model = undefined;
    shared.model = { key, value: await open() };
  }
  const { model, weights } = shared.model.value;
  return { model, weights: lent(weights) };
}

/** The same weights for somebody who is done with them before we are. */
function lent(weights: WeightsFile): WeightsFile {
  return new Proxy(weights, {
    get(file, name) {
      if (name === "close" || name === Symbol.dispose) return () => {};
      const value = Reflect.get(file, name, file);
      return typeof value === "function" ? value.bind(file) : value;
    },
    set: (file, name, value) => Reflect.set(file, name, value, file),
  });
}
