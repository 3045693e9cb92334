/** Resampling along one axis: a sparse matrix applied to every row or column. */
import source from "../../kernels/image/resample_axis.wgsl" with { type: "text" };
import { cutBands, isIdentity, longestBand, packBands, transpose } from "./band_matrix.ts";
import type { BandMatrix } from "../graph/attributes.ts";
import { type Operation, perTexel } from "../graph/operation.ts";
import { formatShape, node, type Shape, type Tensor } from "../graph/tensor.ts";

/** Weights of a result; four of them are a turn of the kernel's loop, of which it has up to 65535. */
const LONGEST = 2 ** 17;

function apply(x: Tensor, axis: 2 | 3, matrix: BandMatrix): Tensor<"resampleAxis"> {
  if (longestBand(matrix) > LONGEST) {
    const [sums, pieces] = cutBands(matrix, LONGEST);
    return apply(apply(x, axis, pieces), axis, sums);
  }
  const shape = x.shape.map((size, i) => i === axis ? matrix.rows.length : size);
  return node("resampleAxis", shape as unknown as Shape, [x], { axis, matrix });
}

/**
 * A matrix for the columns' direction applied to every row, then one for the rows' direction.
 *
 * @throws {RangeError} when a matrix is for another number of pixels.
 */
export function resample(x: Tensor, rows: BandMatrix, columns: BandMatrix): Tensor {
  if (rows.columns !== x.shape[2] || columns.columns !== x.shape[3]) {
    throw new RangeError(
      `resample: expected matrices for the rows and columns of ${
        formatShape(x.shape)
      }, got some for ` +
        `${rows.columns}x${columns.columns}`,
    );
  }
  const narrow = isIdentity(columns) ? x : apply(x, 3, columns);
  return isIdentity(rows) ? narrow : apply(narrow, 2, rows);
}

/** Table entry. */
export const resampleAxisOperation: Operation<"resampleAxis"> = {
  lower: (y) => [{
    source: { name: "resampleAxis", wgsl: source },
    defines: { AXIS: y.attributes.axis },
    reads: { x: y.inputs[0]!, m: packBands(y.attributes.matrix) },
    writes: { y },
    workgroups: perTexel(y),
  }],
  gradient: (y, dy) => [apply(dy, y.attributes.axis, transpose(y.attributes.matrix))],
};
