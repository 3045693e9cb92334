/** Rows of data, one for each picture of an objective. */
import { UserError } from "../../base/errors.ts";
import { constant, conv2d, type Tensor } from "../../ops/mod.ts";

/** For each of some numbers a row of zeros with a 1 there. */
export function oneHot(numbers: readonly number[], columns: number): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(numbers.length * columns);
  numbers.forEach((number, i) => rows[i * columns + number] = 1);
  return rows;
}

/**
 * What each of B vectors has of each of K rows: Σ x·row, [B,K,1,1].
 *
 * @param x [B,C,1,1]
 * @param rows [K,C]
 */
export function dotRows(x: Tensor, rows: Float32Array): Tensor {
  const channels = x.shape[1];
  return conv2d(x, constant([rows.length / channels, channels, 1, 1], () => rows));
}

/**
 * Throws unless there are numbers and each is one of `count`.
 *
 * @param what they are, such as `channel`
 * @throws {UserError} naming the first that is not.
 */
export function requireNumbers(
  numbers: readonly number[],
  count: number,
  what: string,
  where: string,
): void {
  if (numbers.length === 0) throw new UserError(`expected at least one ${what}, got none`);
  const wrong = numbers.find((n) => !Number.isInteger(n) || n < 0 || n >= count);
  if (wrong === undefined) return;
  throw new UserError(
    `${where} has ${count} ${what === "class" ? "classes" : `${what}s`}, 0 to ${count - 1}; ` +
      `there is no ${what} ${wrong}`,
  );
}
