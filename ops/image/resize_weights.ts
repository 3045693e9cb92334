/** The matrices of resizing and of adaptive pooling, along one axis. */
import { bandMatrix, type Tap } from "./band_matrix.ts";
import type { BandMatrix } from "../graph/attributes.ts";
import type { Pair } from "../graph/attributes.ts";

/**
 * OpenCV's `INTER_AREA`, for rows and for columns: means over areas, or a bilinear-like blend on
 * *both* axes as soon as one of them grows.
 */
export function areaWeights(from: Pair, to: Pair): [rows: BandMatrix, columns: BandMatrix] {
  const along = to[0] <= from[0] && to[1] <= from[1] ? areaMeans : areaBlends;
  return [along(from[0], to[0]), along(from[1], to[1])];
}

/** Shrinking: output i is the mean over [i·scale, (i + 1)·scale) of the input. */
function areaMeans(from: number, to: number): BandMatrix {
  const scale = 1 / (to / from); // rounded as OpenCV does
  return bandMatrix(from, to, (i) => {
    const begin = i * scale;
    const end = Math.min(begin + scale, from);
    const taps: Tap[] = [];
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
 * share of the output pixel that lies beyond their boundary.
 */
function areaBlends(from: number, to: number): BandMatrix {
  // Rounded exactly as OpenCV rounds: where boundaries of both grids meet, the last bit decides
  // which of two neighbours is taken.
  const perInput = to / from;
  const perOutput = 1 / perInput;
  return bandMatrix(from, to, (i) => {
    const index = Math.floor(i * perOutput);
    const beyond = Math.fround(i + 1 - (index + 1) * perInput);
    const blend = beyond <= 0 ? 0 : beyond - Math.floor(beyond);
    if (index >= from - 1 || blend === 0) return [[Math.min(index, from - 1), 1]];
    return [[index, 1 - blend], [index + 1, blend]];
  });
}

/**
 * The two inputs next to each output's place, without smoothing when shrinking.
 *
 * @param alignCorners the outermost pixels' centres of both lie on each other; else their edges do
 */
export function bilinearWeights(from: number, to: number, alignCorners: boolean): BandMatrix {
  return bandMatrix(from, to, (i) => {
    const place = alignCorners
      ? cornersAligned(i, from, to)
      : Math.max(0, (i + 0.5) * from / to - 0.5);
    const index = Math.min(Math.floor(place), from - 1);
    const blend = place - index;
    if (blend === 0 || index === from - 1) return [[index, 1]];
    return [[index, 1 - blend], [index + 1, blend]];
  });
}

/** Where output i lies among the inputs when first and last of both lie on each other. */
function cornersAligned(i: number, from: number, to: number): number {
  return to === 1 ? 0 : i * (from - 1) / (to - 1);
}

/** The cubic B-spline. */
function cubicBSpline(t: number): number {
  const a = Math.abs(t);
  if (a >= 2) return 0;
  return a < 1 ? 2 / 3 - a * a + a ** 3 / 2 : (2 - a) ** 3 / 6;
}

/** How fast an input's influence on the interpolating spline fades: by this factor each pixel. */
const FADING = Math.sqrt(3) - 2;
/** √3·|FADING|^17 < 1e-9: farther inputs do not count. */
const REACH = 17;

/**
 * The spline through 1 at 0 and through 0 at the other whole numbers: B-splines, their heights from
 * the inverse of [1/6, 4/6, 1/6], which is √3·FADING^|k|.
 */
function cardinalSpline(t: number): number {
  let sum = 0;
  for (let k = Math.floor(t) - 1; k <= Math.floor(t) + 2; k++) {
    sum += Math.sqrt(3) * FADING ** Math.abs(k) * cubicBSpline(t - k);
  }
  return sum;
}

/** −2 −1 0 1 2 3 4 of three pixels is 2 1 0 1 2 1 0. */
function mirror(i: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const wrapped = ((i % period) + period) % period;
  return Math.min(wrapped, period - wrapped);
}

/** The cubic spline through all inputs, mirrored at both ends, its corners aligned. */
export function cubicSplineWeights(from: number, to: number): BandMatrix {
  return bandMatrix(from, to, (i) => {
    const place = cornersAligned(i, from, to);
    if (Number.isInteger(place)) return [[place, 1]];
    const taps: Tap[] = [];
    for (let j = Math.ceil(place) - REACH; j < place + REACH; j++) {
      taps.push([mirror(j, from), cardinalSpline(place - j)]);
    }
    return taps;
  });
}

/** PyTorch's adaptive pooling: the mean over whole pixels from ⌊i·from/to⌋ to before ⌈(i+1)·from/to⌉. */
export function adaptiveWeights(from: number, to: number): BandMatrix {
  return bandMatrix(from, to, (i) => {
    const first = Math.floor(i * from / to);
    const count = Math.ceil((i + 1) * from / to) - first;
    return Array.from({ length: count }, (_, k) => [first + k, 1 / count]);
  });
}
