/** The whole method: from images to one picture per facet. */
import { UserError } from "../kernels/errors.ts";
import type { Gpu } from "../kernels/device.ts";
import { poolActivations } from "./activations.ts";
import type { EmbeddingOptions } from "./embedding.ts";
import { analyseFacets, type FacetAnalysis, type Facets, requireImages } from "./facets.ts";
import { pixelsOf, type SourceImage } from "./images.ts";
import { type IterationResult, Loop } from "./loop.ts";
import type { Metrics } from "./objective.ts";
import type { Parameters } from "./parameters.ts";
import { findTargets, meanActivation, type Target } from "./targets.ts";
import type { Trunk } from "./trunk.ts";

/** What to visualise. */
export interface VisualizeOptions {
  /** The network and its layers. */
  readonly trunk: Trunk;
  /** The folder's images. */
  readonly images: readonly SourceImage[];
  /** Side of the images and of the pictures. */
  readonly size: number;
  /**
   * What the target layer answers to each image, [n,C], if that is known already (from
   * {@linkcode lookAtPhotos}); otherwise the images are shown to it.
   */
  readonly pooled?: Float32Array<ArrayBuffer> | undefined;
  /** How many facets to look for; `auto` takes the number with the largest silhouette. */
  readonly facets: number | "auto";
  /** Where to look for them; t-SNE's plane by default. */
  readonly embedding?: EmbeddingOptions | undefined;
  /** What the loop does. */
  readonly parameters: Parameters;
  /** Seeds everything that is random. */
  readonly seed: number;
  /** Every how many iterations to hand out the pictures. */
  readonly saveEvery?: number;
}

/** What a run tells while it goes on. */
export type VisualizeEvent =
  /** Images the network has seen. */
  | { kind: "activations"; done: number; total: number }
  /** The facets are known, and what their pictures start from and should become. */
  | {
    kind: "facets";
    facets: Facets;
    targets: readonly Target[];
    analysis: FacetAnalysis;
  }
  /** The loop's programs are compiled; bytes of GPU memory they take. */
  | { kind: "ready"; memory: { plan: number; constants: number }; before: readonly Metrics[] }
  /** Iterations are done. */
  | { kind: "iterations"; results: readonly IterationResult[]; total: number }
  /** Pictures [K,3,S,S] in 0..255 after an iteration (0: the start). */
  | { kind: "pictures"; iteration: number; pictures: Float32Array; save: boolean };

/** The outcome of a run. */
export interface Visualization {
  /** Which images belong together. */
  readonly facets: Facets;
  /** How the number of facets was chosen and how much to trust them. */
  readonly analysis: FacetAnalysis;
  /** What each facet's picture started from and aimed at. */
  readonly targets: readonly Target[];
  /** [K,3,S,S] in 0..255. */
  readonly pictures: Float32Array;
  /** Each facet's metrics of the start picture, seen without a warp. */
  readonly before: readonly Metrics[];
  /** The same of the final picture. */
  readonly after: readonly Metrics[];
  /** Seconds spent on the images, on compiling, and in the loop. */
  readonly seconds: { activations: number; compile: number; loop: number };
}

/** Pictures of a progress strip, the first and the last included. */
const STRIP_FRAMES = 8;

/** Their iterations are multiples of this, because results come back that often anyway. */
const STRIP_GRID = 10;

/** Iterations whose pictures are handed out: those to be saved, and some for the progress strip. */
export function pictureIterations(total: number, saveEvery: number): Map<number, boolean> {
  const at = new Map<number, boolean>();
  for (let f = 1; f < STRIP_FRAMES; f++) {
    // Denser at the start, where more happens.
    const i = Math.ceil(total * (f / (STRIP_FRAMES - 1)) ** 2 / STRIP_GRID) * STRIP_GRID;
    if (i < total) at.set(i, false);
  }
  for (let i = saveEvery; i <= total; i += saveEvery) at.set(i, true);
  at.set(total, at.get(total) ?? false);
  return at;
}

/**
 * Finds the facets of the images in the layer and grows a picture for each.
 *
 * @throws {UserError} when there are fewer images than facets, or the network answers nothing.
 */
export async function visualize(
  gpu: Gpu,
  options: VisualizeOptions,
  onEvent: (event: VisualizeEvent) => void | Promise<void> = () => {},
): Promise<Visualization> {
  const { trunk, images, size, parameters, seed } = options;
  requireImages(images.length, options.facets);
  const clock = new Clock();
  const pooled = options.pooled ?? await poolActivations(
    gpu,
    trunk,
    images.length,
    size,
    (i) => pixelsOf(images[i]!),
    (done, total) => void onEvent({ kind: "activations", done, total }),
  );
  const analysis = analyseFacets(pooled, {
    ...options.embedding,
    n: images.length,
    channels: trunk.channels,
    facets: options.facets,
    seed,
  });
  const { facets } = analysis;
  const targets = await findTargets(facets, pooled, (i) => pixelsOf(images[i]!), {
    channels: trunk.channels,
    keep: Math.min(parameters.channels, trunk.channels),
    nearest: parameters.nearest,
    weighting: parameters.weighting,
  });
  targets.forEach(({ target }, i) => {
    if (!target.some((value) => value !== 0)) {
      throw new UserError(
        `${trunk.target} answers nothing at all to the images of facet ${i + 1}; ` +
          `choose another layer`,
      );
    }
  });
  const activations = clock.lap();
  await onEvent({ kind: "facets", facets, targets, analysis });

  using loop = await Loop.create(gpu, {
    trunk,
    goals: {
      targets: concatenate(targets.map((t) => t.target)),
      channels: targets.map((t) => t.channels),
      mean: meanActivation(pooled, trunk.channels),
    },
    start: concatenate(targets.map((t) => t.start)),
    size,
    parameters,
    seed,
  });
  const before = await loop.evaluate();
  const compile = clock.lap();
  await onEvent({ kind: "ready", memory: loop.memory, before });
  await onEvent({ kind: "pictures", iteration: 0, pictures: await loop.pictures(), save: false });

  const total = parameters.iterations;
  const handOut = pictureIterations(total, options.saveEvery ?? 200);
  let pictures = new Float32Array();
  for (let i = 1; i <= total; i++) {
    await loop.step();
    const save = handOut.get(i);
    if (loop.full || save !== undefined) {
      await onEvent({ kind: "iterations", results: await loop.results(), total });
    }
    if (save !== undefined) {
      pictures = await loop.pictures();
      if (!pictures.every(Number.isFinite)) {
        throw new UserError(
          `the pictures are no longer numbers at iteration ${i}; use a smaller start_lr, ` +
            `now ${parameters.startLr}`,
        );
      }
      await onEvent({ kind: "pictures", iteration: i, pictures, save });
    }
  }
  const after = await loop.evaluate();
  const seconds = { activations, compile, loop: clock.lap() };
  return { facets, analysis, targets, pictures, before, after, seconds };
}

class Clock {
  #last = performance.now();

  /** Seconds since the last lap. */
  lap(): number {
    const now = performance.now();
    const seconds = (now - this.#last) / 1000;
    this.#last = now;
    return seconds;
  }
}

function concatenate(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const [first] = parts as [Float32Array];
  const all = new Float32Array(parts.length * first.length);
  parts.forEach((part, i) => all.set(part, i * first.length));
  return all;
}
