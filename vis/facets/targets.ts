/** Targets: what each facet's picture should excite, and the picture it starts from. */

import { gaussianKernel } from "../../ops/mod.ts";
import type { Parameters } from "../parameters.ts";
import { distanceToCentre, type Facets } from "./facets.ts";

/** One facet's target. */
export interface Target {
  /** The images it is made of, in the order in which they were chosen. */
  indices: number[];
  /** Their distances: to the centre in the embedding, or between directions of activation. */
  distances: number[];
  /** Their weights, which sum to 1. */
  weights: number[];
  /** [channels] the weighted mean of their pooled activations. */
  target: Float32Array;
  /** The channels with the largest targets, in rising order of index. */
  channels: Int32Array;
  /** [3, size, size] the weighted mean of the images, 0..255. */
  start: Float32Array;
}

/** Standard deviation of the blur of a median image, as a share of its side. */
const SOFTNESS = 0.01;

/** What `findTargets` needs to know. */
export interface TargetOptions {
  /** Channels of the layer. */
  channels: number;
  /** Channels that a facet's picture should excite, at most; 50 by default. */
  keep?: number | undefined;
  /** Images per facet, at most; 10 by default. */
  nearest?: number | undefined;
  /** Which images those are: `nearest` by default. */
  choose?: Parameters["choose"] | undefined;
  /** How their distances become weights: `median` by default. */
  weighting?: Parameters["weighting"] | undefined;
  /** How they make the start: `mean` by default. */
  blend?: Parameters["blend"] | undefined;
  /** Is told how many facets have theirs. */
  onProgress?: ((done: number, total: number) => void | Promise<void>) | undefined;
}

/**
 * Makes a target for each facet, by default from its members nearest to its centre.
 *
 * @param facets What `findFacets` found.
 * @param pooled [n, channels] the layer's pooled output for each image.
 * @param pixels Gives image i as [3, size, size], 0..255; asked only for images that are needed,
 * so they can be read again instead of being held.
 */
export async function findTargets(
  facets: Facets,
  pooled: Float32Array,
  pixels: (image: number) => Float32Array | Promise<Float32Array>,
  options: TargetOptions,
): Promise<Target[]> {
  const { channels, nearest = 10, choose = "nearest" } = options;
  const mean = meanActivation(pooled, channels);
  const targets: Target[] = [];
  for (let facet = 0; facet < facets.sizes.length; facet++) {
    await options.onProgress?.(facet, facets.sizes.length);
    const candidates = choose === "typical"
      ? membersByDirection(facets, facet, pooled, mean)
      : choose === "nearest"
      ? membersByDistance(facets, facet)
      : imagesByDistance(facets, facet).reverse();
    const members = candidates.slice(0, nearest).map(({ image, distance }) => {
      return { image, distance, row: pooled.subarray(image * channels, (image + 1) * channels) };
    });
    targets.push(await makeTarget(members, pixels, options));
  }
  await options.onProgress?.(targets.length, targets.length);
  return targets;
}

/** An image that a facet's target is made of. */
export interface Member {
  /** Its number. */
  readonly image: number;
  /** What {@linkcode Target.distances} says of it. */
  readonly distance: number;
  /** [channels] the layer's pooled output. */
  readonly row: Float32Array;
}

/** A target of the images chosen for it. */
export async function makeTarget(
  members: readonly Member[],
  pixels: (image: number) => Float32Array | Promise<Float32Array>,
  { keep = 50, weighting = "median", blend = "mean" }: Omit<TargetOptions, "channels">,
): Promise<Target> {
  const indices = members.map(({ image }) => image);
  const distances = members.map(({ distance }) => distance);
  const weights = weightsOf(distances, weighting);
  const target = weightedSum(members.map(({ row }) => row), weights);
  const images = await Promise.all(indices.map(pixels));
  const start = blended(images, weights, blend);
  return { indices, distances, weights, target, channels: largest(target, keep), start };
}

/** A facet's images, nearest to its centre first; equal distances by index. */
export function membersByDistance(
  facets: Facets,
  facet: number,
): { image: number; distance: number }[] {
  return imagesByDistance(facets, facet).filter(({ image }) => facets.labels[image] === facet);
}

/**
 * A facet's images, the most typical first: those whose activations, less the mean of the folder,
 * point most nearly where the mean of the facet's does. The distance is that of the unit vectors.
 */
function membersByDirection(
  facets: Facets,
  facet: number,
  pooled: Float32Array,
  mean: Float32Array,
): { image: number; distance: number }[] {
  const channels = mean.length;
  const members = Array.from(facets.labels.keys()).filter((i) => facets.labels[i] === facet);
  const deviations = members.map((image) =>
    Float64Array.from(mean, (m, c) => pooled[image * channels + c]! - m)
  );
  const sum = new Float64Array(channels);
  deviations.forEach((deviation) => deviation.forEach((value, c) => sum[c]! += value));
  const towards = unit(sum);
  return members
    .map((image, i) => ({ image, distance: euclidean(unit(deviations[i]!), towards) }))
    .sort((a, b) => a.distance - b.distance || a.image - b.image);
}

/** A vector of length 1; nothing stays nothing. */
export function unit(vector: Float64Array): Float64Array {
  const length = Math.hypot(...vector);
  return length > 0 ? vector.map((value) => value / length) : vector;
}

export function euclidean(a: Float64Array, b: Float64Array): number {
  return Math.sqrt(a.reduce((total, value, i) => total + (value - b[i]!) ** 2, 0));
}

/** All images, nearest to a facet's centre first; equal distances by index. */
function imagesByDistance(
  facets: Facets,
  facet: number,
): { image: number; distance: number }[] {
  const images = Array.from(facets.labels, (_, image) => {
    return { image, distance: distanceToCentre(facets, image, facet) };
  });
  return images.sort((a, b) => a.distance - b.distance || a.image - b.image);
}

/**
 * Weights that sum to 1 for distances d, which may be 0. `median` is softmax(-d / median d);
 * `inverse`, the paper's, is softmax(1 / d), which gives nearly all weight to an image that happens
 * to lie on the centre.
 */
export function weightsOf(
  distances: readonly number[],
  weighting: Parameters["weighting"],
): number[] {
  const logits = weighting === "inverse"
    ? distances.map((d) => 1 / d)
    : distances.map((d) => -d / Math.max(median(distances), 1e-12));
  const most = Math.max(...logits);
  // An image on the centre itself has an infinite 1 / d: it takes all (shared, if there are more).
  const powers = logits.map((z) => z === most ? 1 : Math.exp(z - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The mean of all images' pooled activations, [channels]. */
export function meanActivation(pooled: Float32Array, channels: number): Float32Array {
  const n = pooled.length / channels;
  const mean = new Float64Array(channels);
  for (let i = 0; i < pooled.length; i++) mean[i % channels]! += pooled[i]! / n;
  return Float32Array.from(mean);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function weightedSum(vectors: readonly Float32Array[], weights: number[]): Float32Array {
  const sum = new Float64Array(vectors[0]?.length ?? 0);
  vectors.forEach((vector, k) => {
    const weight = weights[k]!;
    for (let i = 0; i < sum.length; i++) sum[i]! += weight * vector[i]!;
  });
  return Float32Array.from(sum);
}

/**
 * Images [3,S,S] as one: the weighted mean of each pixel, or the median, softened.
 *
 * @param weights which sum to 1
 */
export function blended(
  images: Float32Array[],
  weights: number[],
  blend: "mean" | "median",
): Float32Array {
  return blend === "mean" ? weightedSum(images, weights) : medianImage(images, weights);
}

/** Of each number the one that half of the weight lies below. */
function weightedMedian(vectors: Float32Array[], weights: number[]): Float32Array {
  const result = new Float32Array(vectors[0]?.length ?? 0);
  const order = vectors.map((_, k) => k);
  for (let i = 0; i < result.length; i++) {
    order.sort((a, b) => vectors[a]![i]! - vectors[b]![i]!);
    let below = 0;
    const middle = order.find((k) => (below += weights[k]!) >= 0.5) ?? order.at(-1)!;
    result[i] = vectors[middle]![i]!;
  }
  return result;
}

/**
 * The median of images, softened: neighbouring pixels come from different images. What few images
 * show, such as a frame or a watermark, is gone.
 *
 * @param images [3,S,S] each
 */
function medianImage(images: Float32Array[], weights: number[]): Float32Array {
  const median = weightedMedian(images, weights);
  const side = Math.round(Math.sqrt(median.length / 3));
  const sigma = SOFTNESS * side;
  const radius = Math.min(Math.ceil(3 * sigma), side - 1);
  const kernel = gaussianKernel(sigma, radius);
  const along = (picture: Float32Array, step: number) =>
    picture.map((_, i) => {
      const at = Math.floor(i / step) % side;
      let sum = 0;
      for (let k = -radius; k <= radius; k++) {
        // Mirrored at the border.
        const p = Math.abs(at + k);
        const q = Math.min(p, 2 * (side - 1) - p);
        sum += kernel[Math.abs(k)]! * picture[i + (q - at) * step]!;
      }
      return sum;
    });
  return along(along(median, 1), side);
}

/** Indices of the largest values, ties to the smaller index; in rising order of index. */
function largest(values: Float32Array, count: number): Int32Array {
  const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
  return Int32Array.from(order.slice(0, count)).sort();
}
