/** How good a picture is: by itself, and in the eyes of other networks. */
import type { Gpu } from "../kernels/runtime/device.ts";
import { poolActivations } from "./photos/activations.ts";
import { pixelsOf, type SourceImage } from "./photos/images.ts";
import { resizeArea } from "./photos/area_resize.ts";
import { meanActivation, type Target } from "./facets/targets.ts";
import type { Trunk } from "./trunk.ts";

/**
 * Mean |difference| to the next pixel, rows and columns together, in levels of 255: what blur lowers
 * and noise raises.
 *
 * @param picture [3,S,S] in 0..255
 */
export function totalVariation(picture: ArrayLike<number>, size: number): number {
  let [total, count] = [0, 0];
  for (let i = 0; i < picture.length; i++) {
    const [row, column] = [Math.floor(i / size) % size, i % size];
    if (column + 1 < size) total += Math.abs(picture[i + 1]! - picture[i]!), count++;
    if (row + 1 < size) total += Math.abs(picture[i + size]! - picture[i]!), count++;
  }
  return total / count;
}

/**
 * The share of pixels with a channel that is black or fully bright, as saved in 8 bits.
 *
 * @param picture [3,S,S] in 0..255
 */
export function saturated(picture: ArrayLike<number>): number {
  const pixels = picture.length / 3;
  let count = 0;
  for (let i = 0; i < pixels; i++) {
    const at = (c: number) => Math.round(picture[c * pixels + i]!);
    if ([0, 1, 2].some((c) => at(c) <= 0 || at(c) >= 255)) count++;
  }
  return count / pixels;
}

/** The cosine between a − mean and b − mean; 0 when either has no length. */
export function centredCosine(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  mean: ArrayLike<number>,
): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < mean.length; i++) {
    const [p, q] = [a[i]! - mean[i]!, b[i]! - mean[i]!];
    dot += p * q, aa += p * p, bb += q * q;
  }
  return aa > 0 && bb > 0 ? dot / Math.sqrt(aa * bb) : 0;
}

/** A network that looks at pictures grown with another one. */
export class Judge {
  readonly #gpu: Gpu;
  readonly #trunk: Trunk;
  readonly #size: number;
  /** Of each photo, [n,C]. */
  readonly #pooled: Float32Array;
  readonly #mean: Float32Array;

  private constructor(gpu: Gpu, trunk: Trunk, size: number, pooled: Float32Array) {
    this.#gpu = gpu;
    this.#trunk = trunk;
    this.#size = size;
    this.#pooled = pooled;
    this.#mean = meanActivation(pooled, trunk.channels);
  }

  /** Shows it the photos of the folder, [3,size,size] each. */
  static async create(
    gpu: Gpu,
    trunk: Trunk,
    images: readonly SourceImage[],
    size: number,
    onProgress?: (done: number, total: number) => void,
  ): Promise<Judge> {
    const picture = (i: number) => pixelsOf(images[i]!);
    const pooled = await poolActivations(gpu, trunk, images.length, size, picture, onProgress);
    return new Judge(gpu, trunk, size, pooled);
  }

  /**
   * Transfer: for each facet, the cosine between what its picture makes of this network's layer and
   * what the facet's photos make of it, weighted as they were for the target, both less the mean of
   * the folder. A picture that shows what the photos share scores high; one that merely fools the
   * network it was grown with does not.
   *
   * @param pictures [K,3,S,S] in 0..255
   * @param side S
   */
  async transfer(
    pictures: Float32Array,
    side: number,
    targets: readonly Pick<Target, "indices" | "weights">[],
  ): Promise<number[]> {
    const plane = 3 * side * side;
    const [from, to] = [side, this.#size].map((s) => ({ width: s, height: s }));
    const seen = targets.map((_, k) => {
      const picture = pictures.subarray(k * plane, (k + 1) * plane);
      return side === this.#size ? picture : resizeArea(picture, from!, to!);
    });
    const { channels } = this.#trunk;
    const of = (pooled: Float32Array, i: number) =>
      pooled.subarray(i * channels, (i + 1) * channels);
    const out = await poolActivations(
      this.#gpu,
      this.#trunk,
      seen.length,
      this.#size,
      (k) => seen[k]!,
    );
    return targets.map(({ indices, weights }, k) => {
      const target = new Float64Array(channels);
      indices.forEach((image, j) => {
        of(this.#pooled, image).forEach((value, c) => target[c]! += weights[j]! * value);
      });
      return centredCosine(of(out, k), target, this.#mean);
    });
  }
}
