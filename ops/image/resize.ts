/** Pictures in another size. */
import type { BandMatrix } from "../graph/attributes.ts";
import { pair } from "../graph/operation.ts";
import type { Pair } from "../graph/attributes.ts";
import { resample } from "./resample_axis.ts";
import { areaWeights, bilinearWeights, cubicSplineWeights } from "./resize_weights.ts";
import { formatShape, type Tensor } from "../graph/tensor.ts";

/** How {@linkcode resize} computes a pixel. */
export type ResizeMode = "area" | "bilinear" | "cubicSpline";

/** Options of {@linkcode resize}. */
export interface ResizeOptions {
  /** Rows and columns of the result. */
  size: number | Pair;
  /** How a pixel is computed. */
  mode: ResizeMode;
  /**
   * For `"bilinear"`: whether the centres of the corner pixels stay in place, and not their outer
   * edges (false).
   */
  alignCorners?: boolean;
}

/** The new size of a picture's rows and columns. */
export function checkedSize(name: string, size: number | Pair): Pair {
  const [rows, columns] = pair(size);
  if ([rows, columns].some((length) => !Number.isInteger(length) || length < 1)) {
    throw new RangeError(
      `${name}: the size must be whole numbers from 1, got ${rows}x${columns}`,
    );
  }
  return [rows, columns];
}

/**
 * [N,C,H,W] → [N,C,H',W'], exactly differentiable.
 *
 * - `"area"`: OpenCV's `INTER_AREA`. The mean over the area of each new pixel; when an axis grows,
 *   OpenCV's bilinear-like blend on both.
 * - `"bilinear"`: `torch.nn.functional.interpolate` without antialiasing.
 * - `"cubicSpline"`: `scipy.ndimage.zoom` of order 3: the spline through all pixels, mirrored at the
 *   edges, its corners in place. scipy's default mode makes the last row black where rounding puts
 *   it a hair outside the picture; here it never is.
 *
 * @throws {RangeError} when a size is not a whole number from 1, or `alignCorners` is given for
 * another mode.
 */
export function resize(x: Tensor, { size, mode, alignCorners }: ResizeOptions): Tensor {
  if (alignCorners !== undefined && mode !== "bilinear") {
    throw new RangeError(`resize: alignCorners is for "bilinear" only, got it with "${mode}"`);
  }
  const [, , height, width] = x.shape;
  const [rows, columns] = checkedSize(`resize of ${formatShape(x.shape)}`, size);
  const both = (weights: (from: number, to: number) => BandMatrix) =>
    [weights(height, rows), weights(width, columns)] as const;
  const matrices = {
    area: () => areaWeights([height, width], [rows, columns]),
    bilinear: () => both((from, to) => bilinearWeights(from, to, alignCorners ?? false)),
    cubicSpline: () => both(cubicSplineWeights),
  };
  return resample(x, ...matrices[mode]());
}
