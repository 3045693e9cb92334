/**
 * Winograd's minimal filtering F(r×r, 3×3): r×r outputs of a 3×3 convolution from (r+2)² products a
 * channel, 2.25 (r = 2) or 4 (r = 4) times fewer than its definition has. Lavin & Gray 2016,
 * "Fast algorithms for convolutional neural networks", equations 13 to 20.
 *
 *     y = Aᵀ · [ Σ_c (G·w·Gᵀ) ⊙ (Bᵀ·x·B) ] · A
 *
 * The three parts are three kernels; the products in the middle are (r+2)² matrix products, one for
 * each element of a tile.
 */
import type { HostSheet } from "../graph/operation.ts";
import type { Tensor } from "../graph/tensor.ts";
import { range } from "./tile.ts";

/** Outputs a tile has along each axis. */
export type TileSize = 2 | 4;

/** Rows of numbers. */
type Matrix = readonly (readonly number[])[];

interface Matrices {
  readonly AT: Matrix;
  readonly BT: Matrix;
  readonly G: Matrix;
}

const H = Math.SQRT1_2;
const Q = Math.SQRT2;

/**
 * The Toom-Cook algorithm's matrices at some points: row a of Aᵀ and of G holds powers of the
 * points, divided in G by Π(p − other points); a row of Bᵀ the coefficients of the polynomial that
 * is zero at all other points. Points 0, ±1, ∞ for r = 2. For r = 4: 0, ±√½, ±√2, ∞, whose rounding
 * is a fifth of that of the usual 0, ±1, ±2, ∞ (docs/decisions.md).
 */
const MATRICES: Readonly<Record<TileSize, Matrices>> = {
  2: {
    BT: [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
    G: [[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]],
    AT: [[1, 1, 1, 0], [0, 1, -1, -1]],
  },
  4: {
    BT: [
      [1, 0, -5 / 2, 0, 1, 0],
      [0, -Q, -2, H, 1, 0],
      [0, Q, -2, -H, 1, 0],
      [0, -H, -1 / 2, Q, 1, 0],
      [0, H, -1 / 2, -Q, 1, 0],
      [0, 1, 0, -5 / 2, 0, 1],
    ],
    G: [
      [1, 0, 0],
      [-2 / 3, -2 * H / 3, -1 / 3],
      [-2 / 3, 2 * H / 3, -1 / 3],
      [1 / 6, Q / 6, 1 / 3],
      [1 / 6, -Q / 6, 1 / 3],
      [0, 0, 1],
    ],
    AT: [
      [1, 1, 1, 1, 1, 0],
      [0, H, -H, Q, -Q, 0],
      [0, 1 / 2, 1 / 2, 2, 2, 0],
      [0, H / 2, -H / 2, 2 * Q, -2 * Q, 1],
    ],
  },
};

/** A sum of operands times numbers, in WGSL. */
function combine(factors: readonly number[], operand: (index: number) => string): string {
  const terms = factors.flatMap((factor, k) => {
    if (factor === 0) return [];
    const size = Math.abs(factor);
    const term = size === 1 ? operand(k) : `${size}f * ${operand(k)}`;
    return [`${factor < 0 ? "-" : "+"} ${term}`];
  });
  return terms.join(" ").replace(/^\+ /, "");
}

/** Where two rows are the same but for signs, not all the same and not all opposite. */
function isPair(a: readonly number[], b: readonly number[]): boolean {
  const same = a.some((v, k) => v !== 0 && v === b[k]);
  const opposite = a.some((v, k) => v !== 0 && v === -b[k]!);
  return same && opposite && a.every((v, k) => Math.abs(v) === Math.abs(b[k]!));
}

/**
 * WGSL statements that declare a matrix times a vector, for the templates. What belongs to a point p
 * and to −p differs by the signs of odd powers: rows of Bᵀ share the sums of their even and of their
 * odd terms, and columns of Aᵀ the sum and the difference of their operands.
 */
function multiply(
  matrix: Matrix,
  from: (index: number) => string,
  to: (index: number) => string,
): string {
  const lines: string[] = [];
  const operands = matrix[0]!.map((_, k) => from(k));
  const rows = matrix.map((row) => [...row]);
  for (let k = 0; k + 1 < matrix[0]!.length; k++) {
    const [a, b] = [k, k + 1].map((column) => rows.map((row) => row[column]!));
    if (!isPair(a!, b!)) continue;
    const [sum, difference] = [`${to(0)}_sum${k}`, `${to(0)}_difference${k}`];
    lines.push(`let ${sum} = ${operands[k]} + ${operands[k + 1]};`);
    lines.push(`let ${difference} = ${operands[k]} - ${operands[k + 1]};`);
    [operands[k], operands[k + 1]] = [sum, difference];
    for (const row of rows) {
      const factor = row[k]!;
      const same = factor === row[k + 1];
      [row[k], row[k + 1]] = same ? [factor, 0] : [0, factor];
    }
    k++;
  }
  for (let a = 0; a < rows.length; a++) {
    const [row, next] = [rows[a]!, rows[a + 1]];
    const value = (factors: readonly number[]) => combine(factors, (k) => operands[k]!);
    if (!next || !isPair(row, next)) {
      lines.push(`let ${to(a)} = ${value(row)};`);
      continue;
    }
    const [even, odd] = [`${to(a)}_even`, `${to(a)}_odd`];
    lines.push(`let ${even} = ${value(row.map((v, k) => v === next[k] ? v : 0))};`);
    lines.push(`let ${odd} = ${value(row.map((v, k) => v === next[k] ? 0 : v))};`);
    lines.push(`let ${to(a)} = ${even} + ${odd};`, `let ${to(a + 1)} = ${even} - ${odd};`);
    a++;
  }
  return lines.join(" ");
}

/**
 * What reversing the filter does to its transform: G times a reversed filter is the value at 1/p
 * where G times the filter is that at p, times a number which is a power of two. The points are each
 * other's inverses, so the transposed convolution finds its weights among those of the first: element
 * a of a row or column in `place[a]`, times `factor[a]`.
 */
export const REVERSED: Readonly<
  Record<TileSize, { readonly place: readonly number[]; readonly factor: readonly number[] }>
> = {
  2: { place: [3, 1, 2, 0], factor: [1, 1, 1, 1] },
  4: { place: [5, 3, 4, 1, 2, 0], factor: [1, -2, -2, -1 / 2, -1 / 2, 1] },
};

/** Aᵀ, which in the transposed convolution brings the factors along. */
function outputMatrix(r: TileSize, transposed: boolean): Matrix {
  const { AT } = MATRICES[r];
  return transposed ? AT.map((row) => row.map((v, a) => v * REVERSED[r].factor[a]!)) : AT;
}

/** Bᵀ·d·B for winograd_input.wgsl: the columns of e = Bᵀ·d, then the rows of e·B. */
export function inputTransform(r: TileSize) {
  const { BT } = MATRICES[r];
  const sides = range(r + 2);
  return {
    BT_D: sides.map((b) => multiply(BT, (k) => `d_${k}_${b}`, (a) => `e_${a}_${b}`)),
    E_B: sides.map((a) => multiply(BT, (k) => `e_${a}_${k}`, (b) => `v_${a}_${b}`)),
  };
}

/** Aᵀ·m·A for winograd_output.wgsl: the columns of s = Aᵀ·m, then the rows of s·A. */
export function outputTransform(r: TileSize, transposed: boolean) {
  const AT = outputMatrix(r, transposed);
  return {
    AT_M: range(r + 2).map((b) => multiply(AT, (k) => `m_${k}_${b}`, (a) => `s_${a}_${b}`)),
    S_A: range(r).map((a) => multiply(AT, (k) => `s_${a}_${k}`, (b) => `y_${a}_${b}`)),
  };
}

/**
 * G·w·Gᵀ of all filters in the order of gemm.wgsl: input c in column c, the outputs of quad m/4 in
 * row m/4·(r+2)² + element.
 */
export function packWinogradWeights(weight: Tensor<"constant">, r: TileSize): HostSheet {
  const [outputs, inputs] = weight.shape;
  const size = r + 2;
  const elements = size * size;
  const width = Math.ceil(inputs / 4) * 4;
  return {
    width,
    height: Math.ceil(outputs / 4) * elements,
    of: { weight, order: `winograd${r}` },
    strip: elements,
    texels: (filters, from, rows) => {
      const texels = new Float32Array(width * rows * 4);
      const first = from / elements * 4;
      const { G } = MATRICES[r];
      const g = Float64Array.from(G.flat());
      const half = new Float64Array(size * 3);
      for (let m = first; m < Math.min(outputs, first + rows / elements * 4); m++) {
        const to = ((m - first) >> 2) * elements * width * 4 + (m & 3);
        for (let c = 0; c < inputs; c++) {
          const w = (m * inputs + c) * 9;
          for (let kx = 0; kx < 3; kx++) {
            const [w0, w1, w2] = [filters[w + kx]!, filters[w + 3 + kx]!, filters[w + 6 + kx]!];
            for (let a = 0; a < size; a++) {
              half[3 * a + kx] = g[3 * a]! * w0 + g[3 * a + 1]! * w1 + g[3 * a + 2]! * w2;
            }
          }
          for (let a = 0; a < size; a++) {
            const [h0, h1, h2] = [half[3 * a]!, half[3 * a + 1]!, half[3 * a + 2]!];
            for (let b = 0; b < size; b++) {
              texels[to + ((a * size + b) * width + c) * 4] = g[3 * b]! * h0 +
                g[3 * b + 1]! * h1 + g[3 * b + 2]! * h2;
            }
          }
        }
      }
      return texels;
    },
  };
}
