/** Sums and means. */
import { affine, expand, mul } from "./elementwise.ts";
import type { Operation } from "../graph/operation.ts";
import { reduceAxes, reduceCalls, resized } from "./reduce.ts";
import type { Axis } from "../graph/attributes.ts";
import { node, type Shape, type Tensor } from "../graph/tensor.ts";

/** The sum over some axes, which keep size 1. */
export function sum(x: Tensor, axes: readonly Axis[]): Tensor {
  return reduceAxes(x, axes, (part, axis) => sumAlong(part, axis, false));
}

/** The sum of squares over some axes, which keep size 1. */
export function sumOfSquares(x: Tensor, axes: readonly Axis[]): Tensor {
  const total = reduceAxes(x, axes, (part, axis) => sumAlong(part, axis, part === x));
  return total === x ? mul(x, x) : total; // there may be nothing to sum
}

function sumAlong(x: Tensor, axis: Axis, squared: boolean): Tensor {
  return node("sumAxis", resized(x.shape, axis, 1), [x], { axis, squared });
}

/** The mean over some axes, which keep size 1. */
export function mean(x: Tensor, axes: readonly Axis[]): Tensor {
  return affine(sum(x, axes), 1 / countAlong(x, axes));
}

/** The mean of squares over some axes, which keep size 1. */
export function meanOfSquares(x: Tensor, axes: readonly Axis[]): Tensor {
  return affine(sumOfSquares(x, axes), 1 / countAlong(x, axes));
}

/** How many elements a sum over some axes adds up. */
export function countAlong({ shape }: Tensor, axes: readonly Axis[]): number {
  return axes.reduce<number>((product, axis) => product * shape[axis], 1);
}

/** [N,C,H,W] → [N,C,1,1] */
export function globalAveragePool(x: Tensor): Tensor {
  return mean(x, [2, 3]);
}

/** Undoes broadcasting: sums over the axes where `shape` has size 1. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const axes = ([0, 1, 2, 3] as const).filter((axis) => shape[axis] === 1 && x.shape[axis] > 1);
  return sum(x, axes);
}

/** Table entry. */
export const sumAxisOperation: Operation<"sumAxis"> = {
  lower: (y) => reduceCalls(y, y.attributes.axis, y.attributes.squared ? "sum of squares" : "sum"),
  gradient(y, dy) {
    const [x] = y.inputs as [Tensor];
    return [y.attributes.squared ? affine(mul(dy, x), 2) : expand(dy, x.shape)];
  },
};
