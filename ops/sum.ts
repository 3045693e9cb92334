/** Sums and means. */
import { affine, expand } from "./elementwise.ts";
import type { Operation } from "./operation.ts";
import { type Axis, reduceAxes, reduceCalls, resized } from "./reduce.ts";
import { node, type Shape, type Tensor } from "./tensor.ts";

/** The sum over some axes, which keep size 1. */
export function sum(x: Tensor, axes: readonly Axis[]): Tensor {
  return reduceAxes(
    x,
    axes,
    (part, axis) => node("sumAxis", resized(part.shape, axis, 1), [part], { axis }),
  );
}

/** The mean over some axes, which keep size 1. */
export function mean(x: Tensor, axes: readonly Axis[]): Tensor {
  const count = axes.reduce<number>((product, axis) => product * x.shape[axis], 1);
  return affine(sum(x, axes), 1 / count);
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
  lower: (y) => reduceCalls(y, y.attributes.axis, "sum"),
  gradient: (y, dy) => [expand(dy, y.inputs[0]!.shape)],
};
