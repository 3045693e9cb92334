/** Symbolic tensors: the nodes of a traced graph. Nothing here computes. */
import type { OperationName, OperationTable } from "./attributes.ts";
import type { Variable } from "./variable.ts";

/** Sizes of a tensor in PyTorch's order: batch, channels, rows, columns. */
export type Shape = readonly [n: number, c: number, h: number, w: number];

/** What an operation needs to know besides its inputs. */
export type Attributes<K extends OperationName> = OperationTable[K];

/** A node of the graph: the result of one operation. Immutable. */
export interface Tensor<K extends OperationName = OperationName> {
  /** Grows in the order of creation, so inputs always have smaller numbers than their users. */
  readonly id: number;
  /** What made it. */
  readonly op: K;
  /** Its sizes. */
  readonly shape: Shape;
  /** What it was made from. */
  readonly inputs: readonly Tensor[];
  /** What else the operation needed to know. */
  readonly attributes: Attributes<K>;
}

let created = 0;

/** Makes a node. Operations call this; users call operations. */
export function node<K extends OperationName>(
  op: K,
  shape: Shape,
  inputs: readonly Tensor[],
  attributes: Attributes<K>,
): Tensor<K> {
  return { id: ++created, op, shape, inputs, attributes };
}

/** Whether a tensor was made by the given operation. */
export function isOp<K extends OperationName>(tensor: Tensor, op: K): tensor is Tensor<K> {
  return (tensor.op as OperationName) === op;
}

/** The number of elements of a shape. */
export function sizeOf([n, c, h, w]: Shape): number {
  return n * c * h * w;
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.every((size, axis) => size === b[axis]);
}

/** `[1,3,224,224]`, for messages. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(",")}]`;
}

/** Constants of at most so many values are kept after they were loaded. */
const SMALL = 2 ** 14;

/**
 * Values known on the host, such as weights.
 *
 * @param load Called when a program is compiled that needs them and no other program has them on the
 * device, never before: a graph can be traced without any weights, and the host keeps no copy of
 * large ones. Returns float32 in C order.
 * @param options `fresh`: every call of `load` returns another array, which may be changed and freed.
 */
export function constant(
  shape: Shape,
  load: () => Float32Array,
  { fresh = false }: { fresh?: boolean } = {},
): Tensor<"constant"> {
  let kept: Float32Array | undefined;
  return node("constant", shape, [], {
    fresh: fresh && sizeOf(shape) > SMALL,
    load: () => {
      const values = kept ?? load();
      if (values.length !== sizeOf(shape)) {
        throw new RangeError(
          `constant: expected ${sizeOf(shape)} values for ${
            formatShape(shape)
          }, got ${values.length}`,
        );
      }
      if (values.length <= SMALL) kept = values;
      return values;
    },
  });
}

/** The tensor that reads a {@linkcode Variable}. */
export function variableTensor(variable: Variable, shape: Shape): Tensor<"variable"> {
  return node("variable", shape, [], { variable });
}
