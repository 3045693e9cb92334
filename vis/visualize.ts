/** The whole method: from images to one picture per facet. */
import { UserError } from "../base/errors.ts";
import type { Gpu } from "../kernels/runtime/device.ts";
import { compile, constant, resize, type Shape } from "../ops/mod.ts";
import { poolActivations } from "./photos/activations.ts";
import type { EmbeddingOptions } from "./facets/embedding.ts";
import { analyseFacets, requireImages } from "./facets/facets.ts";
import { pixelsOf, type SourceImage } from "./photos/images.ts";
import { type Learned, Loop } from "./loop/loop.ts";
import type { Goals, Metrics } from "./objectives/objective.ts";
import type { Parameters } from "./parameters.ts";
import { checkOctaves, firstIterations } from "./presets.ts";
import { resizeArea } from "./photos/area_resize.ts";
import { meanMagnitudes } from "./loop/spectrum.ts";
import { asSeen, type Start, startPictures } from "./loop/start.ts";
import { findTargets, meanActivation } from "./facets/targets.ts";
import type { Trunk } from "./trunk.ts";
import type { Visualization, VisualizeEvent } from "./events.ts";

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
  const { trunk, size, seed } = options;
  const octaves = [options.parameters].flat() as readonly Parameters[];
  checkOctaves(octaves);
  const goals = octaves[0]!;
  const images = options.images.length;
  requireImages(images, options.facets);
  const clock = new Clock();
  const picture = async (i: number) => asSeen(await pixelsOf(options.images[i]!), goals);
  const pooled = options.pooled ?? await poolActivations(
    gpu,
    trunk,
    images,
    size,
    picture,
    (done, total) => void onEvent({ kind: "activations", done, total }),
  );
  const analysis = analyseFacets(pooled, {
    ...options.embedding,
    n: images,
    channels: trunk.channels,
    facets: options.facets,
    seed,
  });
  const { facets } = analysis;
  const targets = await findTargets(facets, pooled, picture, {
    channels: trunk.channels,
    keep: Math.min(goals.channels, trunk.channels),
    nearest: goals.nearest,
    choose: goals.choose,
    weighting: goals.weighting,
    blend: goals.blend,
  });
  targets.forEach(({ target }, i) => {
    if (!target.some((value) => value !== 0)) {
      throw new UserError(
        `${trunk.target} answers nothing at all to the images of facet ${i + 1}; ` +
          `choose another layer`,
      );
    }
  });
  const found = clock.lap();
  await onEvent({ kind: "facets", facets, targets, analysis });
  const mean = concatenate(targets.map((t) => t.start));
  const grown = await grow(gpu, {
    trunk,
    goals: {
      targets: concatenate(targets.map((t) => t.target)),
      channels: targets.map((t) => t.channels),
      mean: meanActivation(pooled, trunk.channels),
    },
    start: startPictures(options.start ?? "mean", { mean, size, seed, parameters: goals }),
    size,
    octaves,
    seed,
    saveEvery: options.saveEvery ?? 200,
    magnitudes: async (side) =>
      concatenate(
        await Promise.all(targets.map(async ({ indices, weights }) => {
          const images = await Promise.all(indices.map(async (i) => {
            const pixels = await picture(i);
            return side === size ? pixels : resizeArea(pixels, squareOf(size), squareOf(side));
          }));
          return await meanMagnitudes(gpu, images, weights, side);
        })),
      ),
  }, onEvent);
  const { compile, loop, ...rest } = grown;
  return { facets, analysis, targets, ...rest, seconds: { facets: found, compile, loop } };
}

/** What {@linkcode grow} needs. */
interface GrowOptions {
  readonly trunk: Trunk;
  readonly goals: Goals;
  /** [K,3,size,size] in 0..255. */
  readonly start: Float32Array;
  readonly size: number;
  readonly octaves: readonly Parameters[];
  readonly seed: number;
  readonly saveEvery: number;
  /** Magnitudes of the facets' images at a size, [K,3,side,side]. */
  readonly magnitudes: (side: number) => Promise<Float32Array>;
}

/** Runs the octaves, each from the pictures of the last. */
async function grow(
  gpu: Gpu,
  { trunk, goals, start, size: startSize, octaves, seed, saveEvery, magnitudes }: GrowOptions,
  onEvent: (event: VisualizeEvent) => void | Promise<void>,
) {
  const clock = new Clock();
  const seconds = { compile: 0, loop: 0 };
  const firsts = firstIterations(octaves);
  const lengths = octaves.map(({ iterations }, i) => iterations - firsts[i]! + 1);
  const total = lengths.reduce((a, b) => a + b, 0);
  const handOut = pictureIterations(total, saveEvery);
  let [pictures, size] = [start, startSize];
  let before: readonly Metrics[] = [];
  let after: readonly Metrics[] = [];
  let learned: Learned | undefined;
  let done = 0;
  for (const [octave, parameters] of octaves.entries()) {
    const side = parameters.size || startSize;
    if (side !== size) {
      pictures = await resized(gpu, pictures, size, side);
      size = side;
    }
    using loop = await Loop.create(gpu, {
      trunk,
      goals,
      start: pictures,
      size,
      parameters,
      // Other warps in each octave.
      seed: (seed + octave * 0x9e3779b9) >>> 0,
      done: firsts[octave]! - 1,
      magnitudes: parameters.magnitude === "images" ? await magnitudes(size) : undefined,
      learned,
    });
    const first = await loop.evaluate();
    if (octave === 0) before = first;
    seconds.compile += clock.lap();
    await onEvent({ kind: "ready", octave, size, memory: loop.memory, before: first });
    if (octave === 0) {
      const pictures = await loop.pictures();
      await onEvent({ kind: "pictures", iteration: 0, pictures, size, save: false });
    }
    for (let i = 1; i <= lengths[octave]!; i++) {
      loop.step();
      const at = done + i;
      const save = handOut.get(at);
      const last = i === lengths[octave];
      if (loop.full || save !== undefined || last) {
        // Counted over all octaves.
        const skipped = done + 1 - firsts[octave]!;
        const results = (await loop.results())
          .map((result) => ({ ...result, iteration: result.iteration + skipped }));
        await onEvent({ kind: "iterations", results, total });
      }
      if (save === undefined && !last) continue;
      pictures = await loop.pictures();
      if (!pictures.every(Number.isFinite)) {
        throw new UserError(
          `the pictures are no longer numbers at iteration ${at}; use a smaller start_lr, ` +
            `now ${parameters.startLr}`,
        );
      }
      if (save !== undefined) {
        await onEvent({ kind: "pictures", iteration: at, pictures, size, save });
      }
    }
    after = await loop.evaluate();
    learned = await loop.learned() ?? learned;
    done += lengths[octave]!;
    seconds.loop += clock.lap();
  }
  return { pictures, size, before, after, learned, ...seconds };
}

const squareOf = (side: number) => ({ width: side, height: side });

/** Square pictures [K,3,from,from] at another size: means of areas, or bilinear when they grow. */
async function resized(
  gpu: Gpu,
  pictures: Float32Array,
  from: number,
  to: number,
): Promise<Float32Array<ArrayBuffer>> {
  const shape: Shape = [pictures.length / (3 * from * from), 3, from, from];
  const mode = to < from ? "area" : "bilinear";
  const output = resize(constant(shape, () => pictures), { size: to, mode });
  using program = await compile(gpu, { outputs: [output] });
  program.run();
  return await program.read(output);
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
