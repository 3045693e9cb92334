/** Sparse matrices made on the host: in each row only neighbouring columns are not zero. */
import type { HostSheet } from "../graph/operation.ts";
import type { Band, BandMatrix } from "../graph/attributes.ts";

/** An element of a row. What is given for the same column adds up. */
export type Tap = readonly [column: number, weight: number];

/** A matrix from the elements of its rows, in any order. */
export function bandMatrix(
  columns: number,
  rows: number,
  tapsOf: (row: number) => readonly Tap[],
): BandMatrix {
  const band = (row: number): Band => {
    const taps = tapsOf(row);
    if (taps.length === 0) return { first: 0, weights: [] };
    const [first, last] = taps.reduce(
      ([low, high], [column]) => [Math.min(low, column), Math.max(high, column)],
      [Infinity, -Infinity],
    );
    const weights = new Array<number>(last - first + 1).fill(0);
    for (const [column, weight] of taps) weights[column - first]! += weight;
    return { first, weights };
  };
  return { columns, rows: Array.from({ length: rows }, (_, row) => band(row)) };
}

/** Mᵀ */
export function transpose({ columns, rows }: BandMatrix): BandMatrix {
  const taps: Tap[][] = Array.from({ length: columns }, () => []);
  rows.forEach(({ first, weights }, row) => {
    weights.forEach((weight, k) => taps[first + k]!.push([row, weight]));
  });
  return bandMatrix(rows.length, columns, (column) => taps[column]!);
}

/** The length of the longest band. */
export function longestBand({ rows }: BandMatrix): number {
  return rows.reduce((longest, { weights }) => Math.max(longest, weights.length), 0);
}

/**
 * A matrix as the product of two whose bands are shorter: the second cuts each band into pieces of at
 * most `length`, of which the first adds up the results.
 */
export function cutBands(
  { columns, rows }: BandMatrix,
  length: number,
): [sums: BandMatrix, pieces: BandMatrix] {
  const pieces: Band[] = [];
  const sums = rows.map(({ first, weights }): Band => {
    const count = Math.ceil(weights.length / length);
    const sum = { first: pieces.length, weights: new Array<number>(count).fill(1) };
    for (let at = 0; at < weights.length; at += length) {
      pieces.push({ first: first + at, weights: weights.slice(at, at + length) });
    }
    return sum;
  });
  return [{ columns: pieces.length, rows: sums }, { columns, rows: pieces }];
}

/** Whether M·x = x. */
export function isIdentity({ columns, rows }: BandMatrix): boolean {
  return rows.length === columns &&
    rows.every(({ first, weights }, i) => first === i && weights.length === 1 && weights[0] === 1);
}

/**
 * As resample_axis.wgsl reads it: a column of texels for each row of the matrix, first where its
 * band starts and how long it is, then its weights in fours.
 */
export function packBands(matrix: BandMatrix): HostSheet {
  const { rows } = matrix;
  const width = rows.length;
  const height = 1 + Math.ceil(longestBand(matrix) / 4);
  return {
    width,
    height,
    texels: () => {
      const texels = new Float32Array(width * height * 4);
      rows.forEach(({ first, weights }, row) => {
        texels.set([first, weights.length], row * 4);
        weights.forEach((weight, k) => {
          texels[((1 + (k >> 2)) * width + row) * 4 + (k & 3)] = weight;
        });
      });
      return texels;
    },
  };
}
