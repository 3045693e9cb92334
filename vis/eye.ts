/** An eye: a network to look with, at photos and at pictures that grow. */
import { UserError } from "../base/errors.ts";
import { type Gpu, openGpu } from "../kernels/runtime/device.ts";
import type { WeightsFile } from "../models/formats/weights.ts";
import type { ChannelsOrder, Normalisation } from "../models/normalisation.ts";
import { openModel } from "../models/open_model.ts";
import type { Model } from "../models/registry.ts";
import { eventsOf, type Grown, type RunEvent, type Visualization } from "./events.ts";
import type { EmbeddingOptions } from "./facets/embedding.ts";
import { seenSide, usualSide } from "./loop/schedule.ts";
import type { Start } from "./loop/start.ts";
import { Network } from "./network.ts";
import type { Objective } from "./objectives/objective.ts";
import type { Parameters } from "./parameters.ts";
import type { HeldImage, SourceImage } from "./photos/images.ts";
import { lookAtPhotos } from "./photos/look.ts";
import { listPhotos, type SkippedPhoto } from "./photos/photos.ts";
import { chooseParameters } from "./presets.ts";
import { openTrunks, type Trunk } from "./trunk.ts";
import { visualize } from "./visualize.ts";
import { growWishes } from "./wishes.ts";

/** What to look with. */
export interface OpenOptions {
  /** The name of a network, or an ONNX file; may be left out where the weights make it certain. */
  readonly model?: string | undefined;
  /** Its weights: path of a file, or one that is open. None for a network that has some. */
  readonly weights?: string | WeightsFile | undefined;
  /** How it wants its pictures, where that is not what its name or file says. */
  readonly normalisation?: Normalisation | undefined;
  /** The order of its colours, where that is not red, green, blue. */
  readonly channelsOrder?: ChannelsOrder | undefined;
  /** Options of the network. */
  readonly modelOptions?: Readonly<Record<string, string>> | undefined;
  /** Side of the pictures in pixels; twice the network's own by default, as preset default wants it. */
  readonly size?: number | undefined;
  /** The device; the best one by default, which is then given back with the eye. */
  readonly gpu?: Gpu | undefined;
}

/** How to look at photos. */
export interface LookAtOptions {
  /** The layer whose answers are kept, which facets are found in. */
  readonly layer: string;
  /** Side at which the network sees them; its own by default, but no more than the pictures'. */
  readonly seen?: number | undefined;
  /** Use only the first so many. */
  readonly limit?: number | undefined;
  /** A folder for what the layer answered, so that another run need not ask again. */
  readonly cache?: string | undefined;
  /** Called after every photo. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Photos that were looked at. */
export interface Photos {
  /** The photos that could be read. */
  readonly images: readonly SourceImage[];
  /** The files that could not. */
  readonly skipped: readonly SkippedPhoto[];
  /** The layer, and the one whose input is penalised. */
  readonly trunk: Trunk;
  /** Side at which the network saw them. */
  readonly seen: number;
  /** What the layer answered to each, [n,C]. */
  readonly pooled: Float32Array<ArrayBuffer>;
}

/** How pictures are grown. */
export interface GrowthOptions {
  /** Values of the method's parameters: `chooseParameters(...)`, or several of these, one an octave. */
  readonly parameters?: Parameters | readonly Parameters[] | undefined;
  /** What pictures start from. */
  readonly start?: Start | undefined;
  /** Seeds everything that is random (0). */
  readonly seed?: number | undefined;
  /** Every how many iterations to hand out pictures that are worth keeping (200). */
  readonly saveEvery?: number | undefined;
  /** Ends it between two iterations: the pictures are then as far as they are. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A network on a device. Owns what it opened: give it back with `using`.
 *
 * @example What a layer's channels want to see
 * ```ts
 * import assert from "node:assert/strict";
 * import { add, channels, chooseParameters, diverse, open, scale } from "../mod.ts";
 *
 * using eye = await open({ model: "motifs", size: 32 });
 * const wish = add(channels("features.20", [1, 1]), scale(diverse("features.20"), 0.1));
 * const parameters = chooseParameters("noise", { iterations: 10 });
 * for await (const event of eye.grow(wish, { parameters })) {
 *   if (event.kind === "finished") assert(event.grown.names[0] === "channel 1, 1 of 2");
 * }
 * ```
 */
export class Eye implements Disposable {
  /** The network and its weights. */
  readonly network: Network;
  /** Side of pictures, in pixels. */
  readonly size: number;
  /** The device. */
  readonly gpu: Gpu;
  readonly #weights: WeightsFile;
  readonly #owned: DisposableStack;

  /** Use {@linkcode open}. */
  constructor(
    gpu: Gpu,
    model: Model,
    weights: WeightsFile,
    size: number,
    owned: DisposableStack,
  ) {
    this.gpu = gpu;
    this.network = new Network(model, weights);
    this.size = size;
    this.#weights = weights;
    this.#owned = owned;
  }

  /**
   * Shows a folder of photos to a layer: a few at a time, each only once.
   *
   * @param source a folder, or paths of photos
   * @throws {UserError} when there is no such layer, or not one photo could be read.
   */
  async look(source: string | readonly string[], options: LookAtOptions): Promise<Photos> {
    const { layer, limit, cache, onProgress } = options;
    const { seen = Math.min(this.size, this.network.model.inputSize) } = options;
    const { model } = this.network;
    const layers = openTrunks(model, this.#weights, [{ layer }], seen);
    const paths = typeof source === "string" ? listPhotos(source) : source;
    const { images, skipped, pooled } = await lookAtPhotos(this.gpu, layers, paths, {
      size: seen,
      limit,
      cache: cache === undefined ? undefined : { folder: cache, weights: this.#weights },
      onProgress,
    });
    return { images, skipped, seen, trunk: layers.trunks[0]!, pooled: pooled[0]! };
  }

  /**
   * Finds the facets of photos in the layer they were shown to, and grows a picture for each.
   *
   * @returns what goes on, event by event; in the end the whole outcome
   */
  visualize(
    photos: Photos,
    options: GrowthOptions & {
      /** How many to look for; `auto` (the default) takes the number with the largest silhouette. */
      readonly facets?: number | "auto" | undefined;
      /** Where to look for them. */
      readonly embedding?: EmbeddingOptions | undefined;
    } = {},
  ): AsyncGenerator<RunEvent, Visualization, void> {
    const { facets = "auto", parameters = chooseParameters(), seed = 0, ...others } = options;
    const [first] = [parameters].flat() as readonly Parameters[];
    const { inputSize } = this.network.model;
    const asSeen = photos.seen === seenSide(first!, this.size, inputSize);
    return eventsOf((tell) =>
      visualize(this.gpu, {
        ...photos,
        // Answers at another size are answers to another question.
        pooled: asSeen ? photos.pooled : undefined,
        ...others,
        saveEvery: others.saveEvery ?? 200,
        size: this.size,
        facets,
        parameters,
        seed,
      }, tell)
    );
  }

  /**
   * Grows a picture for each wish of an objective: from photos where there are some, else from noise.
   *
   * @returns what goes on, event by event; in the end the pictures
   */
  grow(
    objective: Objective,
    options: GrowthOptions & {
      /** Photos to start from; or pictures in memory, [3,size,size] in 0..255. */
      readonly photos?: Pick<Photos, "images"> | readonly HeldImage[] | undefined;
    } = {},
  ): AsyncGenerator<RunEvent, Grown, void> {
    const { photos, seed = 0, ...others } = options;
    const images = photos && ("images" in photos ? photos.images : photos);
    const { parameters = chooseParameters(images ? "default" : "noise") } = others;
    const { network, size } = this;
    return eventsOf((tell) =>
      growWishes(this.gpu, { ...others, network, objective, size, images, parameters, seed }, tell)
    );
  }

  /** Gives back what was opened with it. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/**
 * Opens a network on a device.
 *
 * @throws {UserError} when there is no such network, its weights are missing or cannot be read, or
 * there is no device.
 */
export async function open(options: OpenOptions): Promise<Eye> {
  using opened = new DisposableStack();
  const { model: name, modelOptions, weights: given, normalisation, channelsOrder } = options;
  const { model, weights } = await openModel(name, {
    ...{ options: modelOptions, weights: given, normalisation, channelsOrder },
  });
  if (typeof given !== "object") opened.use(weights);
  const size = options.size ?? usualSide(chooseParameters(), model.inputSize);
  if (!Number.isInteger(size) || size < 8 || size > 4096) {
    throw new UserError(`size: expected a whole number of pixels from 8 to 4096, got ${size}`);
  }
  const gpu = options.gpu ?? opened.use(await openGpu());
  return new Eye(gpu, model, weights, size, opened.move());
}
