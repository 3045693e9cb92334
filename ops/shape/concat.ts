/** Concatenation of channels. */
import source from "../../kernels/shape/concat_pair.wgsl" with { type: "text" };
import { type GradientRule, type Operation, perTexel } from "../graph/operation.ts";
import { slice } from "./slice.ts";
import { formatShape, node, type Shape, type Tensor } from "../graph/tensor.ts";

/**
 * `torch.cat(tensors, dim=1)`.
 *
 * @throws {RangeError} when they differ in more than their channels.
 */
export function concat(tensors: readonly Tensor[]): Tensor {
  const [first, ...others] = tensors;
  if (!first) throw new RangeError("concat: expected at least one tensor, got none");
  if (others.length === 0) return first;
  const [n, , h, w] = first.shape;
  for (const { shape } of others) {
    if (shape[0] !== n || shape[2] !== h || shape[3] !== w) {
      throw new RangeError(
        `concat: ${formatShape(first.shape)} and ${formatShape(shape)} may differ only in channels`,
      );
    }
  }
  const shapeOf = (parts: readonly Tensor[]): Shape => {
    return [n, parts.reduce((channels, part) => channels + part.shape[1], 0), h, w];
  };
  // Parts that start at whole quads are rows of the result; others must be shifted across lanes.
  const aligned = tensors.slice(0, -1).every((part) => part.shape[1] % 4 === 0);
  if (aligned) return node("concat", shapeOf(tensors), tensors, {});
  return others.reduce((a, b) => node("concatPair", shapeOf([a, b]), [a, b], {}), first);
}

function gradient(y: Tensor, dy: Tensor): Tensor[] {
  const [, , h, w] = y.shape;
  let start = 0;
  return y.inputs.map((part) => {
    const piece = slice(dy, { start: [start, 0, 0], size: [part.shape[1], h, w] });
    start += part.shape[1];
    return piece;
  });
}

/** Table entry of parts that start at whole quads: see placement.ts. */
export const concatOperation: Operation<"concat"> = {
  lower: () => [],
  gradient: gradient as GradientRule<"concat">,
};

/** Table entry of two parts of any size. */
export const concatPairOperation: Operation<"concatPair"> = {
  lower: (y) => [{
    source: { name: "concat", wgsl: source },
    reads: { a: y.inputs[0]!, b: y.inputs[1]! },
    writes: { y },
    workgroups: perTexel(y),
  }],
  gradient: gradient as GradientRule<"concatPair">,
};
