/** Area-averaging resize on the CPU, equal to OpenCV's `INTER_AREA`. */
import { areaWeights } from "../../ops/mod.ts";

/** The size of a picture. */
export interface Size {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
}

/** A square planar picture at another side. */
export function resizeSquare<P extends ArrayLike<number>>(
  picture: P,
  from: number,
  to: number,
): P | Float32Array {
  if (from === to) return picture;
  return resizeArea(picture, { width: from, height: from }, { width: to, height: to });
}

/**
 * Resizes planar pictures by area averaging, as `cv2.resize(..., interpolation=cv2.INTER_AREA)` does,
 * including its bilinear-like branch when either axis grows.
 *
 * @param source [planes, from.height, from.width], any range.
 * @returns [planes, to.height, to.width], not rounded.
 * @throws {RangeError} when a size is not a whole number from 1 or `source` is not whole planes.
 */
export function resizeArea(source: ArrayLike<number>, from: Size, to: Size): Float32Array {
  for (const length of [from.width, from.height, to.width, to.height]) {
    if (!Number.isInteger(length) || length < 1) {
      throw new RangeError(`resizeArea: sizes must be whole numbers from 1, got ${length}`);
    }
  }
  const planes = source.length / (from.width * from.height);
  if (!Number.isInteger(planes)) {
    throw new RangeError(
      `resizeArea: ${source.length} values are no whole planes of ${from.width}x${from.height}`,
    );
  }
  const [rows, columns] = areaWeights([from.height, from.width], [to.height, to.width]);

  const result = new Float32Array(planes * to.width * to.height);
  const narrow = new Float64Array(from.height * to.width); // one plane after the horizontal pass
  const sum = new Float64Array(to.width);
  for (let plane = 0; plane < planes; plane++) {
    for (let y = 0; y < from.height; y++) {
      const row = (plane * from.height + y) * from.width;
      for (let x = 0; x < to.width; x++) {
        const { first, weights } = columns.rows[x]!;
        let value = 0;
        for (let k = 0; k < weights.length; k++) value += weights[k]! * source[row + first + k]!;
        narrow[y * to.width + x] = value;
      }
    }
    for (let y = 0; y < to.height; y++) {
      const { first, weights } = rows.rows[y]!;
      sum.fill(0);
      for (let k = 0; k < weights.length; k++) {
        const weight = weights[k]!;
        const row = (first + k) * to.width;
        for (let x = 0; x < to.width; x++) sum[x]! += weight * narrow[row + x]!;
      }
      result.set(sum, (plane * to.height + y) * to.width);
    }
  }
  return result;
}
