/** How good a picture is: by itself, and in the eyes of other networks. */
import type { Gpu } from "../kernels/runtime/device.ts";
import { poolActivations } from "./photos/activations.ts";
import { pixelsAt, type SourceImage } from "./photos/images.ts";
import { resizeArea } from "./photos/area_resize.ts";
import { UserError } from "../base/errors.ts";
import { classify } from "./classifier.ts";
import type { Network } from "./network.ts";
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
  /** What its layer makes of each photo, [n,C]. */
  readonly pooled: Float32Array<ArrayBuffer>;
  readonly #mean: Float32Array;

  private constructor(gpu: Gpu, trunk: Trunk, size: number, pooled: Float32Array<ArrayBuffer>) {
    this.#gpu = gpu;
    this.#trunk = trunk;
    this.#size = size;
    this.pooled = pooled;
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
    const picture = (i: number) => pixelsAt(images[i]!, size);
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
    const out = await poolActivations(
      this.#gpu,
      this.#trunk,
      seen.length,
      this.#size,
      (k) => seen[k]!,
    );
    return targets.map((target, k) =>
      centredCosine(this.#rowOf(out, k), this.#targetOf(target), this.#mean)
    );
  }

  /** The same of the facets' own photos, averaged: what a picture could reach. */
  transferOfPhotos(targets: readonly Pick<Target, "indices" | "weights">[]): number[] {
    return targets.map((facet) => {
      const target = this.#targetOf(facet);
      const cosines = facet.indices.map((image) =>
        centredCosine(this.#rowOf(this.pooled, image), target, this.#mean)
      );
      return meanOf(cosines);
    });
  }

  #rowOf(pooled: Float32Array, i: number): Float32Array {
    const { channels } = this.#trunk;
    return pooled.subarray(i * channels, (i + 1) * channels);
  }

  /** What the photos of a facet make of the layer. */
  #targetOf({ indices, weights }: Pick<Target, "indices" | "weights">): Float64Array {
    const target = new Float64Array(this.#trunk.channels);
    indices.forEach((image, j) => {
      this.#rowOf(this.pooled, image).forEach((value, c) => target[c]! += weights[j]! * value);
    });
    return target;
  }
}

/** How sure a classifier is that a picture shows what it should. */
export interface Sureness {
  /** Of the whole picture or of the crop of it that convinces most. */
  readonly best: number;
  /** Of the whole picture and all crops, on average. */
  readonly mean: number;
}

/** Sides of crops, as parts of the picture's; each is taken in the corners and in the middle. */
const CROPS = [0.7, 0.5];

/** A picture [3,S,S] whole and in parts, each of them [3,to,to]. */
export function cropsOf(picture: Float32Array, side: number, to: number): Float32Array[] {
  const views = [
    [0, 0, side],
    ...CROPS.flatMap((share) => {
      const crop = Math.round(share * side);
      const end = side - crop, middle = end >> 1;
      return [[0, 0], [0, end], [end, 0], [end, end], [middle, middle]].map((
        [y, x],
      ) => [y, x, crop]);
    }),
  ] as [number, number, number][];
  return views.map(([top, left, crop]) => {
    const part = new Float32Array(3 * crop * crop);
    for (let row = 0; row < 3 * crop; row++) {
      const [c, y] = [Math.floor(row / crop), row % crop];
      const from = (c * side + top + y) * side + left;
      part.set(picture.subarray(from, from + crop), row * crop);
    }
    const size = { width: crop, height: crop };
    return crop === to ? part : resizeArea(part, size, { width: to, height: to });
  });
}

/** A classifier that is asked whether pictures show one of some classes. */
export class ClassJudge {
  readonly #gpu: Gpu;
  readonly #network: Network;
  readonly #classes: readonly number[];
  readonly #photos = new Map<number, Sureness>();

  /** @param classes The classes, of which any will do. */
  constructor(gpu: Gpu, network: Network, classes: readonly number[]) {
    this.#gpu = gpu;
    this.#network = network;
    this.#classes = classes;
  }

  /**
   * How sure it is of pictures, [3,side,side] each in 0..255.
   *
   * @throws {UserError} when the network does not end in classes, or has not that many.
   */
  async judge(pictures: readonly Float32Array[], side: number): Promise<Sureness[]> {
    const { inputSize } = this.#network.model;
    const crops = pictures.map((picture) => cropsOf(picture, side, inputSize));
    const answers = await classify(this.#gpu, this.#network, inputSize, crops.flat());
    const shares = answers.map((answer) =>
      this.#classes.reduce((sum, index) => {
        const share = answer[index];
        if (share !== undefined) return sum + share;
        throw new UserError(
          `${this.#network.model.name} has ${answer.length} classes, none is ${index}`,
        );
      }, 0)
    );
    const each = shares.length / Math.max(1, pictures.length);
    return pictures.map((_, i) => {
      const own = shares.slice(i * each, (i + 1) * each);
      return { best: Math.max(...own), mean: meanOf(own) };
    });
  }

  /** How sure it is of each facet's photos, on average. Each photo is looked at once. */
  async judgePhotos(
    images: readonly SourceImage[],
    targets: readonly Pick<Target, "indices">[],
    side: number,
  ): Promise<Sureness[]> {
    const missing = [...new Set(targets.flatMap(({ indices }) => indices))]
      .filter((image) => !this.#photos.has(image));
    for (const image of missing) {
      const [sureness] = await this.judge([await pixelsAt(images[image]!, side)], side);
      this.#photos.set(image, sureness!);
    }
    return targets.map(({ indices }) => {
      const own = indices.map((image) => this.#photos.get(image)!);
      return { best: meanOf(own.map((s) => s.best)), mean: meanOf(own.map((s) => s.mean)) };
    });
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
