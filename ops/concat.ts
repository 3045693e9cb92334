/** Concatenation of channels. */
import source from "../kernels/concat.wgsl" with { type: "text" };
import { type Operation, perTexel } from "./operation.ts";
import { slice } from "./slice.ts";
import { formatShape, node, type Tensor } from "./tensor.ts";

function join(a: Tensor, b: Tensor): Tensor {
  const [n, c, h, w] = a.shape;
  if (b.shape[0] !== n || b.shape[2] !== h || b.shape[3] !== w) {
    throw new RangeError(
      `concat: ${formatShape(a.shape)} and ${formatShape(b.shape)} may differ only in channels`,
    );
  }
  return node("concat", [n, c + b.shape[1], h, w], [a, b], {});
}

/**
 * `torch.cat(tensors, dim=1)`.
 *
 * @throws {RangeError} when they differ in more than their channels.
 */
export function concat(tensors: readonly Tensor[]): Tensor {
  // A balanced tree of pairs: each element is copied log2(count) times.
  if (tensors.length === 1) return tensors[0]!;
  const half = Math.ceil(tensors.length / 2);
  return join(concat(tensors.slice(0, half)), concat(tensors.slice(half)));
}

/** Table entry. */
export const concatOperation: Operation<"concat"> = {
  lower: (y) => [{
    source: { name: "concat", wgsl: source },
    reads: { a: y.inputs[0]!, b: y.inputs[1]! },
    writes: { y },
    workgroups: perTexel(y),
  }],
  gradient(y, dy) {
    const [a, b] = y.inputs as [Tensor, Tensor];
    const [, , h, w] = y.shape;
    return [
      slice(dy, { size: [a.shape[1], h, w] }),
      slice(dy, { start: [a.shape[1], 0, 0], size: [b.shape[1], h, w] }),
    ];
  },
};
