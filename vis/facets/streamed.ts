/**
 * Facets of folders of any size. Nothing is held of all images: what the layer answered comes in pieces,
 * three times; PCA takes one pass; facets are looked for in a sample, as in a folder of that size; each
 * of the others goes to the facet that it lies nearest to. What is held, for C channels: 16 C² bytes,
 * the sample, and one piece.
 */
import { UserError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import type { Parameters } from "../parameters.ts";
import { arrangerOf, placer } from "./embedding.ts";
import {
  checkFacets,
  COMPONENTS,
  componentSteps,
  type FacetAnalysis,
  type FacetOptions,
} from "./facets.ts";
import { type Axes, Moments } from "./moments.ts";
import { finish } from "./steps.ts";
import { euclidean, type Member, unit } from "./targets.ts";

/** What a layer answered to images, in pieces. */
export interface Rows {
  /** Images. */
  readonly n: number;
  /** Numbers for each. */
  readonly channels: number;
  /** The pieces in order, [k, channels] each; from the first again with every call. */
  pieces(): Iterable<Float32Array>;
}

/** What there is to know besides {@linkcode FacetOptions}. */
export interface StreamedOptions extends Omit<FacetOptions, "n" | "channels"> {
  /** Images that are grouped (4000). */
  readonly sample?: number | undefined;
  /** Images for each facet's target. */
  readonly nearest: number;
  /** Which these are. */
  readonly choose: Parameters["choose"];
  /** Told of each image: its facet and where it lies. */
  readonly each?: ((image: number, facet: number, place: readonly number[]) => void) | undefined;
}

/** A chosen image, its facet and where it lies. */
export interface PlacedMember extends Member {
  /** The facet that it is in. */
  readonly facet: number;
  /** Where it lies among those that were grouped. */
  readonly place: readonly number[];
}

/** What was found. */
export interface StreamedFacets {
  /** The images that were grouped, by number. */
  readonly sample: readonly number[];
  /** Their facets; the sizes are those of the sample. */
  readonly analysis: FacetAnalysis;
  /** Images of all the folder in each facet. */
  readonly sizes: Int32Array;
  /** For each facet the images of its target, of all the folder. */
  readonly members: readonly (readonly PlacedMember[])[];
  /** [channels] the mean of all. */
  readonly mean: Float32Array;
}

/** As many as are arranged in the plane. */
const SAMPLE = 4000;

/** Numbers from 0 to n - 1: one at random of each of so many equal parts, or all if there are fewer. */
function sampleOf(n: number, most: number, seed: number): number[] {
  if (n <= most) return Array.from({ length: n }, (_, i) => i);
  const random = new Random(seed);
  return Array.from({ length: most }, (_, i) => {
    const [from, to] = [Math.floor(i * n / most), Math.floor((i + 1) * n / most)];
    return from + random.integer(to - from);
  });
}

/** The scores of points, [k, axes]; nothing where they do not vary. */
function scoresOf(points: Float32Array, { mean, axes }: Axes): Float64Array {
  const channels = mean.length;
  const scores = new Float64Array(points.length / channels * axes.length);
  const centred = new Float64Array(channels);
  for (let i = 0; i < points.length / channels; i++) {
    for (let c = 0; c < channels; c++) centred[c] = points[i * channels + c]! - mean[c]!;
    axes.forEach((axis, k) => {
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += axis[c]! * centred[c]!;
      scores[i * axes.length + k] = sum;
    });
  }
  return scores;
}

/** The images with the smallest keys, in order; of equal ones those with the smaller second key. */
class Best {
  readonly #list: { readonly keys: readonly [number, number]; readonly member: PlacedMember }[] =
    [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get members(): PlacedMember[] {
    return this.#list.map(({ member }) => member);
  }

  offer(keys: readonly [number, number], member: () => PlacedMember): void {
    const list = this.#list;
    const before = ([a, b]: readonly [number, number]) =>
      keys[0] < a || keys[0] === a && keys[1] < b;
    if (list.length === this.#most && !before(list.at(-1)!.keys)) return;
    const at = list.findIndex((other) => before(other.keys));
    list.splice(at < 0 ? list.length : at, 0, { keys, member: member() });
    list.length = Math.min(list.length, this.#most);
  }
}

/**
 * Finds the facets of images whose activations come in pieces, and chooses the images of the targets as
 * `findTargets` does.
 *
 * @throws {UserError} as `findFacets` does.
 */
export async function findStreamedFacets(
  rows: Rows,
  options: StreamedOptions,
): Promise<StreamedFacets> {
  const arrange = await arrangerOf(options.embedding);
  const { n, channels } = rows;
  checkFacets({ n, facets: options.facets });
  const sample = sampleOf(n, options.sample ?? SAMPLE, options.seed);
  const sampled = new Float32Array(sample.length * channels);
  const moments = new Moments(channels);
  let square = 0;
  let [first, next] = [0, 0];
  for (const piece of rows.pieces()) {
    if (!piece.every(Number.isFinite)) {
      throw new UserError("the layer's output is not finite for every image; check the weights");
    }
    moments.add(piece);
    for (const value of piece) square += value ** 2 / n;
    const count = piece.length / channels;
    for (; next < sample.length && sample[next]! < first + count; next++) {
      const at = (sample[next]! - first) * channels;
      sampled.set(piece.subarray(at, at + channels), next * channels);
    }
    first += count;
  }
  const axes = finish(moments.axes(COMPONENTS), options.onProgress);
  const { variances } = axes;
  // What float32 cannot tell apart is the same.
  const same = variances.reduce((sum, value) => sum + value, 0) <= 1e-13 * square;
  if (same) variances.fill(0);
  const components = axes.axes.length;
  const scored = (points: Float32Array) => {
    const scores = scoresOf(points, axes);
    return same ? scores.fill(0) : scores;
  };
  const scores = scored(sampled);
  turn(scores, axes);
  const steps = componentSteps({ scores, components, variances }, {
    ...options,
    n: sample.length,
    channels,
    arrange,
  });
  const analysis = finish(steps, options.onProgress);
  const { facets } = analysis;
  const dimensions = facets.embedding.length / sample.length;
  const place = placer(
    scores,
    components,
    { points: facets.embedding, dimensions },
    options.embedding,
  );

  const count = facets.sizes.length;
  const sizes = new Int32Array(count);
  const sums = Array.from({ length: count }, () => new Float64Array(channels));
  const mean = Float32Array.from(moments.mean);
  const best = Array.from({ length: count }, () => new Best(options.nearest));
  /** Goes through all images, with the facet and the place of each. */
  const visit = (
    see: (image: number, facet: number, place: readonly number[], row: Float32Array) => void,
  ) => {
    let [image, next] = [0, 0];
    for (const piece of rows.pieces()) {
      const scores = scored(piece);
      for (let i = 0; i < piece.length / channels; i++, image++) {
        const mine = next < sample.length && sample[next] === image ? next++ : undefined;
        const at = mine === undefined
          ? place(scores, i)
          : facets.embedding.subarray(mine * dimensions, (mine + 1) * dimensions);
        const facet = mine === undefined ? nearestCentre(facets.centres, at) : facets.labels[mine]!;
        see(image, facet, [...at], piece.subarray(i * channels, (i + 1) * channels));
      }
    }
  };
  visit((image, facet, at, row) => {
    sizes[facet]!++;
    options.each?.(image, facet, at);
    const sum = sums[facet]!;
    for (let c = 0; c < channels; c++) sum[c]! += row[c]! - mean[c]!;
    if (options.choose === "typical") return;
    for (const [to, list] of best.entries()) {
      const nearest = options.choose === "nearest";
      if (nearest && to !== facet) continue; // the farthest are those of the whole folder
      const distance = distanceTo(facets.centres, at, to);
      list.offer(
        nearest ? [distance, image] : [-distance, -image],
        () => ({ image, distance, facet, place: at, row: row.slice() }),
      );
    }
  });
  if (options.choose === "typical") {
    const towards = sums.map(unit);
    visit((image, facet, at, row) => {
      const deviation = unit(Float64Array.from(mean, (m, c) => row[c]! - m));
      const distance = euclidean(deviation, towards[facet]!);
      best[facet]!.offer(
        [distance, image],
        () => ({ image, distance, facet, place: at, row: row.slice() }),
      );
    });
  }
  return { sample, analysis, sizes, members: best.map(({ members }) => members), mean };
}

/** Turns axes, and scores along them, so that the largest score of each is positive. */
function turn(scores: Float64Array, { axes }: Axes): void {
  const n = scores.length / axes.length;
  axes.forEach((axis, k) => {
    let largest = 0;
    for (let i = 0; i < n; i++) {
      const score = scores[i * axes.length + k]!;
      if (Math.abs(score) > Math.abs(largest)) largest = score;
    }
    if (largest >= 0) return;
    for (let i = 0; i < n; i++) scores[i * axes.length + k]! *= -1;
    for (let c = 0; c < axis.length; c++) axis[c]! *= -1;
  });
}

function distanceTo(centres: Float64Array, place: ArrayLike<number>, facet: number): number {
  let square = 0;
  for (let d = 0; d < place.length; d++) {
    square += (place[d]! - centres[facet * place.length + d]!) ** 2;
  }
  return Math.sqrt(square);
}

function nearestCentre(centres: Float64Array, place: ArrayLike<number>): number {
  let [nearest, least] = [0, Infinity];
  for (let facet = 0; facet < centres.length / place.length; facet++) {
    const distance = distanceTo(centres, place, facet);
    if (distance < least) [nearest, least] = [facet, distance];
  }
  return nearest;
}
