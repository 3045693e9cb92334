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
    const places = taps.map(([column]) => column);
    const first = Math.min(...places);
    const weights = new Array<number>(Math.max(...places) - first + 1).fill(0);
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

/** Whether M·x = x. */
export function isIdentity({ columns, rows }: BandMatrix): boolean {
  return rows.length === columns &&
    rows.every(({ first, weights }, i) => first === i && weights.length === 1 && weights[0] === 1);
}

/**
 * As resample_axis.wgsl reads it: a column of texels for each row of the matrix, first where its
 * band starts and how long it is, then its weights in fours.
 */
export function packBands({ rows }: BandMatrix): HostSheet {
  const width = rows.length;
  const height = 1 + Math.ceil(Math.max(...rows.map(({ weights }) => weights.length)) / 4);
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
