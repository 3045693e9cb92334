/** The largest element along axes. */
import { div, mul, notLess } from "./elementwise.ts";
import type { Operation } from "../graph/operation.ts";
import { reduceAxes, reduceCalls, resized } from "./reduce.ts";
import type { Axis } from "../graph/attributes.ts";
import { sum } from "./sum.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/**
 * The largest element over some axes, which keep size 1, as `torch.amax`: where several are
 * equally large, they share the gradient evenly (along one axis after the other).
 */
export function max(x: Tensor, axes: readonly Axis[]): Tensor {
  return reduceAxes(
    x,
    axes,
    (part, axis) => node("maxAxis", resized(part.shape, axis, 1), [part], { axis }),
  );
}

/** Table entry. */
export const maxAxisOperation: Operation<"maxAxis"> = {
  lower: (y) => reduceCalls(y, y.attributes.axis, "max"),
  gradient(y, dy) {
    const isLargest = notLess(y.inputs[0]!, y);
    return [mul(isLargest, div(dy, sum(isLargest, [y.attributes.axis])))];
  },
};
