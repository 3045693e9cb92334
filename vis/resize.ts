/** Area-averaging resize on the CPU, equal to OpenCV's `INTER_AREA`. */

/** The size of a picture. */
export interface Size {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
}

/** Along one axis: output pixel i = sum over k of weights[k] * input[indices[k]], k in offsets[i].. */
interface Taps {
  offsets: Int32Array;
  indices: Int32Array;
  weights: Float64Array;
}

function collectTaps(
  length: number,
  tapsOf: (i: number) => [index: number, weight: number][],
): Taps {
  const offsets = new Int32Array(length + 1);
  const indices: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < length; i++) {
    for (const [index, weight] of tapsOf(i)) {
      indices.push(index);
      weights.push(weight);
    }
    offsets[i + 1] = indices.length;
  }
  return { offsets, indices: Int32Array.from(indices), weights: Float64Array.from(weights) };
}

/** Shrinking: output pixel i is the mean over [i * scale, (i + 1) * scale) of the input. */
function areaTaps(from: number, to: number): Taps {
  const scale = from / to;
  return collectTaps(to, (i) => {
    const begin = i * scale;
    const end = Math.min(begin + scale, from);
    const taps: [number, number][] = [];
    for (let index = Math.floor(begin); index < Math.min(Math.ceil(end), from); index++) {
      const overlap = Math.min(end, index + 1) - Math.max(begin, index);
      // OpenCV leaves out slivers that are only rounding errors of i * scale.
      if (overlap > 1e-3) taps.push([index, overlap / (end - begin)]);
    }
    return taps;
  });
}

/**
 * Enlarging: the input pixel under the output pixel's left edge, blended with the next one by the
 * share of the output pixel that lies beyond their boundary. (OpenCV uses this on *both* axes as
 * soon as one of them grows.)
 */
function linearTaps(from: number, to: number): Taps {
  // Rounded exactly as OpenCV rounds: where boundaries of both grids meet, the last bit decides
  // which of two neighbours is taken.
  const perInput = to / from;
  const perOutput = 1 / perInput;
  return collectTaps(to, (i) => {
    const index = Math.floor(i * perOutput);
    const beyond = Math.fround(i + 1 - (index + 1) * perInput);
    const blend = beyond <= 0 ? 0 : beyond - Math.floor(beyond);
    if (index >= from - 1 || blend === 0) return [[Math.min(index, from - 1), 1]];
    return [[index, 1 - blend], [index + 1, blend]];
  });
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
  const shrinks = to.width <= from.width && to.height <= from.height;
  const tapsFor = shrinks ? areaTaps : linearTaps;
  const { offsets, indices, weights } = tapsFor(from.width, to.width);
  const rows = tapsFor(from.height, to.height);

  const result = new Float32Array(planes * to.width * to.height);
  const narrow = new Float64Array(from.height * to.width); // one plane after the horizontal pass
  const sum = new Float64Array(to.width);
  for (let plane = 0; plane < planes; plane++) {
    for (let y = 0; y < from.height; y++) {
      const row = (plane * from.height + y) * from.width;
      for (let x = 0; x < to.width; x++) {
        let value = 0;
        for (let k = offsets[x]!; k < offsets[x + 1]!; k++) {
          value += weights[k]! * source[row + indices[k]!]!;
        }
        narrow[y * to.width + x] = value;
      }
    }
    for (let y = 0; y < to.height; y++) {
      sum.fill(0);
      for (let k = rows.offsets[y]!; k < rows.offsets[y + 1]!; k++) {
        const weight = rows.weights[k]!;
        const row = rows.indices[k]! * to.width;
        for (let x = 0; x < to.width; x++) sum[x]! += weight * narrow[row + x]!;
      }
      result.set(sum, (plane * to.height + y) * to.width);
    }
  }
  return result;
}
