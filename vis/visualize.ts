/** The whole method: from images to one picture per facet. */
import { UserError } from "../base/errors.ts";
import type { Gpu } from "../kernels/runtime/device.ts";
import type { GrowState, Listener, Visualization } from "./events.ts";
import { arrangerOf, type EmbeddingOptions } from "./facets/embedding.ts";
import { analysisSteps, type FacetAnalysis } from "./facets/facets.ts";
import { requireImages } from "./photos/images.ts";
import {
  findTargets,
  makeTarget,
  meanActivation,
  type Member,
  type Target,
} from "./facets/targets.ts";
import { grow, Stopwatch } from "./grow.ts";
import { magnitudesOf } from "./loop/spectrum.ts";
import { type Start, startPictures } from "./loop/start.ts";
import { asSeen, startSeen } from "./photos/seen.ts";
import { facets as facetsObjective } from "./objectives/facets.ts";
import { add, type Objective, scale } from "./objectives/objective.ts";
import { measureStatistics, statistics } from "./objectives/statistics.ts";
import type { Parameters } from "./parameters.ts";
import { poolActivations } from "./photos/activations.ts";
import { seenSide } from "./loop/schedule.ts";
import { resizeSquare } from "./photos/area_resize.ts";
import { pixelsAt, type SourceImage } from "./photos/images.ts";
import { checkOctaves } from "./presets.ts";
import type { Trunk } from "./trunk.ts";
import { concatenate } from "../base/concatenate.ts";

/** Facets of a folder that is too large for all of it to be held. */
export interface FoundFacets {
  /** Facets of the images that are held; their sizes are those of the folder. */
  readonly analysis: FacetAnalysis;
  /** For each facet the images of its target; their numbers are those of the images that are held. */
  readonly members: readonly (readonly Member[])[];
  /** [C] the mean of what the layer answers to all of the folder. */
  readonly mean: Float32Array;
}

/** What to visualise. */
export interface VisualizeOptions {
  /** The network and its layers. */
  readonly trunk: Trunk;
  /** The folder's images. */
  readonly images: readonly SourceImage[];
  /** Side of the images, and of the pictures of octaves that name no other. */
  readonly size: number;
  /**
   * What the target layer answers to each image as the method's parameters have it seen, [n,C], if
   * that is known already (from {@linkcode lookAtPhotos}); otherwise the images are shown to it.
   */
  readonly pooled?: Float32Array<ArrayBuffer> | undefined;
  /** Facets that were found already, in a folder of which the images are only a part. */
  readonly found?: FoundFacets | undefined;
  /** How many facets to look for; `auto` takes the number with the largest silhouette. */
  readonly facets: number | "auto";
  /** Where to look for them; t-SNE's plane by default. */
  readonly embedding?: EmbeddingOptions | undefined;
  /** What the loop does; of several octaves each goes on from the pictures of the last. */
  readonly parameters: Parameters | readonly Parameters[];
  /** What the pictures start from; the weighted mean of each facet's images by default. */
  readonly start?: Start | undefined;
  /** Seeds everything that is random. */
  readonly seed: number;
  /** Every how many iterations to hand out the pictures. */
  readonly saveEvery?: number;
  /** Hands out pictures more often, for a film; what is grown is the same. */
  readonly film?: boolean | undefined;
  /** Ends the run between two iterations: the pictures are then as far as they are. */
  readonly signal?: AbortSignal | undefined;
  /** Tells a state at least every so many seconds: see {@linkcode GrowOptions}. */
  readonly stateEvery?: number | undefined;
  /** Goes on from a state of the same run: the photos are looked at again, the loop is not. */
  readonly resume?: GrowState | undefined;
}

/**
 * Finds the facets of the images in the layer and grows a picture for each.
 *
 * @throws {UserError} when there are fewer images than facets, an image is not of the run's size, or
 * the network answers nothing.
 */
export async function visualize(
  gpu: Gpu,
  options: VisualizeOptions,
  tell: Listener = () => {},
): Promise<Visualization> {
  const { trunk, size, seed } = options;
  const { network } = trunk;
  const octaves = [options.parameters].flat() as readonly Parameters[];
  checkOctaves(octaves);
  const goals = octaves[0]!;
  const images = options.images.length;
  requireImages(images, options.facets);
  const clock = new Stopwatch();
  const picture = async (i: number) =>
    asSeen(await pixelsAt(options.images[i]!, size), goals, trunk.model.normalisation);
  const start = startSeen(options.start ?? "mean", goals);
  const seen = seenSide(goals, size, trunk.model.inputSize);
  const asSeenBy = async (i: number) => resizeSquare(await picture(i), size, seen);
  const choosing = {
    channels: trunk.channels,
    keep: Math.min(goals.channels, trunk.channels),
    nearest: goals.nearest,
    choose: goals.choose,
    weighting: goals.weighting,
    blend: goals.blend,
    onProgress: (done: number, total: number) =>
      tell({ kind: "stage", stage: "targets", done, total }),
  };
  const findAll = async () => {
    const pooled = options.pooled ?? await poolActivations(
      gpu,
      trunk,
      images,
      seen,
      asSeenBy,
      (done, total) => tell({ kind: "activations", done, total }),
    );
    const looking = analysisSteps(pooled, {
      ...options.embedding,
      arrange: await arrangerOf(options.embedding?.embedding),
      n: images,
      channels: trunk.channels,
      facets: options.facets,
      seed,
    });
    let step = looking.next();
    for (; !step.done; step = looking.next()) await tell({ kind: "stage", ...step.value });
    const analysis = step.value;
    const targets = await findTargets(analysis.facets, pooled, picture, choosing);
    return { analysis, targets, mean: meanActivation(pooled, trunk.channels) };
  };
  const takeFound = async ({ analysis, members, mean }: FoundFacets) => {
    const targets: Target[] = [];
    for (const some of members) targets.push(await makeTarget(some, picture, choosing));
    return { analysis, targets, mean };
  };
  const { analysis, targets, mean: usual } = options.found
    ? await takeFound(options.found)
    : await findAll();
  const { facets } = analysis;
  targets.forEach(({ target }, i) => {
    if (!target.some((value) => value !== 0)) {
      throw new UserError(
        `${trunk.target} answers nothing at all to the images of facet ${i + 1}; ` +
          `choose another layer`,
      );
    }
  });
  const found = clock.lap();
  await tell({ kind: "facets", facets, targets, analysis });
  const mean = concatenate(targets.map((t) => t.start));
  const withStatistics = async (wish: Objective): Promise<Objective> => {
    const weight = goals.statisticsWeight;
    if (weight === 0) return wish;
    const stages = network.stagesUpTo(trunk.target, seen);
    const wanted = await measureStatistics(
      gpu,
      network,
      stages,
      targets,
      asSeenBy,
      seen,
      (done, total) => tell({ kind: "stage", stage: "statistics", done, total }),
    );
    return add(wish, scale(statistics(wanted), weight));
  };
  const wish = facetsObjective(trunk, {
    targets: concatenate(targets.map((t) => t.target)),
    channels: targets.map((t) => t.channels),
    mean: usual,
  });
  const grown = await grow(gpu, {
    network,
    objective: await withStatistics(wish),
    start: startPictures(start, { mean, size, seed, parameters: goals }),
    size,
    parameters: octaves,
    seed,
    saveEvery: options.saveEvery,
    film: options.film,
    photos: targets.map(({ indices, weights }) =>
      indices.map((image, i) => ({ image, answer: weights[i]! }))
    ),
    magnitudes: (side) => magnitudesOf(gpu, targets, picture, size, side),
    signal: options.signal,
    stateEvery: options.stateEvery,
    resume: options.resume,
  }, tell);
  const { before, after } = grown as unknown as Pick<Visualization, "before" | "after">;
  return {
    ...grown,
    before,
    after,
    facets,
    analysis,
    targets,
    seconds: { facets: found, ...grown.seconds },
  };
}
