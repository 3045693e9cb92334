/** Circular shifts of pictures. */
import source from "../../kernels/image/roll.wgsl" with { type: "text" };
import { expectShape } from "../graph/check.ts";
import { type Operation, perTexel } from "../graph/operation.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/**
 * `torch.roll(x, (dy, dx), (2, 3))`.
 *
 * @param shift [1,2,1,1] = dx, dy in whole pixels, each less than 2²⁴
 * @throws {RangeError} for a shift of another shape.
 */
export function roll(x: Tensor, shift: Tensor): Tensor<"roll"> {
  expectShape("roll: shift", shift, [1, 2, 1, 1]);
  return node("roll", x.shape, [x, shift], { sign: 1 });
}

/** Table entry. */
export const rollOperation: Operation<"roll"> = {
  lower: (y) => [{
    source: { name: "roll", wgsl: source },
    defines: { SIGN: y.attributes.sign },
    reads: { x: y.inputs[0]!, shift: y.inputs[1]! },
    writes: { y },
    workgroups: perTexel(y),
  }],
  gradient: (y, dy) => {
    const sign = y.attributes.sign === 1 ? -1 : 1;
    return [node("roll", y.shape, [dy, y.inputs[1]!], { sign })];
  },
};
