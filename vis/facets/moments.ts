/** PCA of points that come in pieces. */
import { addScaled, dot, lanczosBasis, leading, meanOf, stepsFor } from "./pca.ts";
import type { Steps } from "./steps.ts";

/** Principal axes. */
export interface Axes {
  /** [channels] */
  mean: Float64Array;
  /** Vectors of length 1, in order of falling variance; of either sign. */
  axes: Float64Array[];
  /** Variance along each (divided by n - 1). */
  variances: Float64Array;
}

/** Points whose products are summed at a time: their numbers are then read once for eight. */
const AT_ONCE = 8;

/**
 * Principal axes of points that come in pieces, in one pass: their sums and the sums of their products
 * are kept, 8 · channels² bytes, however many points there are. Points are counted from the mean of the
 * first piece, so that hardly a digit is lost.
 */
export class Moments {
  readonly #channels: number;
  readonly #sums: Float64Array;
  /** Row i from column i on. */
  readonly #products: Float64Array;
  #from: Float64Array | undefined;
  #n = 0;

  /** No points yet. */
  constructor(channels: number) {
    this.#channels = channels;
    this.#sums = new Float64Array(channels);
    this.#products = new Float64Array(channels * channels);
  }

  /** Points so far. */
  get n(): number {
    return this.#n;
  }

  /** Takes points, [k, channels]. */
  add(points: Float32Array): void {
    const channels = this.#channels;
    const count = points.length / channels;
    if (count === 0) return;
    this.#from ??= meanOf(points, channels);
    const few = Array.from({ length: AT_ONCE }, () => new Float64Array(channels));
    for (let first = 0; first < count; first += AT_ONCE) {
      few.forEach((row, k) => {
        const at = (first + k) * channels;
        for (let c = 0; c < channels; c++) {
          row[c] = first + k < count ? points[at + c]! - this.#from![c]! : 0;
          this.#sums[c]! += row[c]!;
        }
      });
      this.#addProducts(few);
    }
    this.#n += count;
  }

  #addProducts(few: readonly Float64Array[]): void {
    const channels = this.#channels;
    const products = this.#products;
    const [a, b, c, d, e, f, g, h] = few as [
      ...[Float64Array, Float64Array, Float64Array, Float64Array],
      ...[Float64Array, Float64Array, Float64Array, Float64Array],
    ];
    for (let i = 0; i < channels; i++) {
      const [ai, bi, ci, di] = [a[i]!, b[i]!, c[i]!, d[i]!];
      const [ei, fi, gi, hi] = [e[i]!, f[i]!, g[i]!, h[i]!];
      const row = i * channels;
      for (let j = i; j < channels; j++) {
        products[row + j] = products[row + j]! +
          ai * a[j]! + bi * b[j]! + ci * c[j]! + di * d[j]! +
          ei * e[j]! + fi * f[j]! + gi * g[j]! + hi * h[j]!;
      }
    }
  }

  /** The mean of all points, [channels]. */
  get mean(): Float64Array {
    return this.#sums.map((sum, c) => this.#from![c]! + sum / this.#n);
  }

  /** The axes of greatest variance; never more than n - 1 or `channels`. */
  *axes(components: number): Steps<Axes> {
    const [n, channels] = [this.#n, this.#channels];
    const kept = Math.min(components, n - 1, channels);
    const shift = this.#sums.map((sum) => sum / n);
    const matrix = Array.from({ length: channels }, () => new Float64Array(channels));
    for (let i = 0; i < channels; i++) {
      for (let j = i; j < channels; j++) {
        const value = this.#products[i * channels + j]! - n * shift[i]! * shift[j]!;
        matrix[i]![j] = value;
        matrix[j]![i] = value;
      }
    }
    const apply = (q: Float64Array) => Float64Array.from(matrix, (row) => dot(row, q));
    const basis = yield* lanczosBasis({
      channels,
      steps: stepsFor(n, channels, kept),
      apply,
      fresh: (random) => apply(Float64Array.from({ length: channels }, () => random.normal())),
    });
    const images = basis.map(apply);
    const { values, vectors } = leading(
      basis.map((a) => Float64Array.from(images, (b) => dot(a, b))),
      kept,
    );
    const axes = vectors.map((weights) => {
      const axis = new Float64Array(channels);
      basis.forEach((q, j) => addScaled(axis, weights[j]!, q));
      return axis;
    });
    return { mean: this.mean, axes, variances: values.map((v) => Math.max(0, v) / (n - 1)) };
  }
}
