/** Sums and means. */
import source from "../kernels/sum.wgsl" with { type: "text" };
import { affine, expand } from "./elementwise.ts";
import { type Operation, perTexel } from "./operation.ts";
import { node, type Shape, type Tensor } from "./tensor.ts";

/** Axes of a sum: 0 pictures, 1 channels, 2 rows, 3 columns. */
export type Axis = 0 | 1 | 2 | 3;

/** The sum over some axes, which keep size 1. */
export function sum(x: Tensor, axes: readonly Axis[]): Tensor {
  // Columns first: the most invocations share the longest part of the work.
  return [...axes].sort((a, b) => b - a).reduce((t, axis) => {
    if (t.shape[axis] === 1) return t;
    const shape = t.shape.map((size, i) => i === axis ? 1 : size) as unknown as Shape;
    return node("sumAxis", shape, [t], { axis });
  }, x);
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
  lower: (y) => [{
    source: { name: "sum", wgsl: source },
    defines: { AXIS: y.attributes.axis },
    reads: { x: y.inputs[0]! },
    writes: { y },
    workgroups: perTexel(y),
  }],
  gradient: (y, dy) => [expand(dy, y.inputs[0]!.shape)],
};
