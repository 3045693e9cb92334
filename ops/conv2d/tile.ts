/** What the kernels that unroll a tile of neighbouring pixels are told about it. */

/** Numbers from 0 up. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Each number once, the least first. */
export function ascending(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

/**
 * The pixels that a tile reads of a row, counted from the first that it might: for each of its pixels,
 * `stride` apart, those at some offsets.
 */
export function pixelsRead(
  pixels: number,
  stride: number,
  offsets: readonly number[],
): number[] {
  return ascending(range(pixels).flatMap((j) => offsets.map((offset) => j * stride + offset)));
}

/** The pixels of a tile in groups of neighbours. */
export function inGroups(pixels: number, size: number): number[][] {
  const first = range(Math.ceil(pixels / size)).map((group) => group * size);
  return first.map((from) => range(Math.min(size, pixels - from)).map((i) => from + i));
}
