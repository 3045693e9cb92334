/** How much pictures change from pixel to pixel, as a penalty. */
import source from "../../kernels/image/difference.wgsl" with { type: "text" };
import { abs, add, affine, mul, multiplyAdd, sqrt } from "../element/elementwise.ts";
import { type Operation, perTexel } from "../graph/operation.ts";
import { sum } from "../element/sum.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/** Options of {@linkcode totalVariation}. */
export interface TotalVariationOptions {
  /** Measure the length of the gradient instead of its components (false). */
  isotropic?: boolean;
  /** What is added under the isotropic form's root (1e-6): its gradient would not be finite else. */
  epsilon?: number;
}

/**
 * Total variation (Rudin, Osher & Fatemi 1992) of each picture, its channels summed: Σ |∇x| + |∇y|,
 * or isotropic Σ √(∇x² + ∇y² + ε). ∇ is the difference to the next pixel, 0 in the last column or
 * row.
 *
 * A flat picture has gradient 0, as |a| has at 0.
 *
 * @param x [N,C,H,W]
 * @returns [N,1,1,1]
 * @throws {RangeError} for an epsilon that is not positive.
 */
export function totalVariation(x: Tensor, options: TotalVariationOptions = {}): Tensor {
  const { isotropic = false, epsilon = 1e-6 } = options;
  if (!(epsilon > 0)) {
    throw new RangeError(`totalVariation: epsilon must be more than 0, got ${epsilon}`);
  }
  const [dx, dy] = ([3, 2] as const).map((axis) => node("difference", x.shape, [x], { axis })) as [
    Tensor,
    Tensor,
  ];
  const length = isotropic
    ? sqrt(affine(multiplyAdd(dx, dx, mul(dy, dy)), 1, epsilon))
    : add(abs(dx), abs(dy));
  return sum(length, [1, 2, 3]);
}

/** Template constants: a pixel and its neighbours along each axis. */
const PLACES = {
  2: { HERE: "y", SIZE: "P.x_size.z", PREVIOUS: "y - 1, x", NEXT: "y + 1, x" },
  3: { HERE: "x", SIZE: "P.x_size.w", PREVIOUS: "y, x - 1", NEXT: "y, x + 1" },
};

function lower(y: Tensor<"difference"> | Tensor<"differenceTranspose">) {
  return [{
    source: { name: y.op, wgsl: source },
    defines: { ...PLACES[y.attributes.axis], TRANSPOSE: y.op === "differenceTranspose" },
    reads: { x: y.inputs[0]! },
    writes: { y },
    workgroups: perTexel(y),
  }];
}

/** Table entry. */
export const differenceOperation: Operation<"difference"> = {
  lower,
  gradient: (y, dy) => [node("differenceTranspose", y.shape, [dy], y.attributes)],
};

/** Table entry. */
export const differenceTransposeOperation: Operation<"differenceTranspose"> = {
  lower,
  gradient: (y, dy) => [node("difference", y.shape, [dy], y.attributes)],
};
