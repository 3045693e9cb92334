/** What public operations check of what they are given. */
import { formatShape, type Shape, type Tensor } from "./tensor.ts";

/**
 * Asserts that a tensor of numbers has the shape an operation expects.
 *
 * @throws {RangeError} naming the operation and both shapes.
 */
export function expectShape(what: string, tensor: Tensor, shape: Shape): void {
  if (tensor.shape.every((size, axis) => size === shape[axis])) return;
  throw new RangeError(
    `${what}: expected a tensor ${formatShape(shape)}, got ${formatShape(tensor.shape)}`,
  );
}

/**
 * Asserts that numbers are whole and lie in a range.
 *
 * @throws {RangeError} naming the operation, the numbers and the range.
 */
export function expectWhole(
  what: string,
  numbers: number | readonly number[],
  least: number,
  most = Infinity,
): void {
  const all = typeof numbers === "number" ? [numbers] : numbers;
  if (all.every((n) => Number.isInteger(n) && n >= least && n <= most)) return;
  const range = most === Infinity ? `${least} on` : `${least} to ${most}`;
  throw new RangeError(`${what}: expected whole numbers from ${range}, got ${all.join(", ")}`);
}
