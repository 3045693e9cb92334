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
import type { WeightView } from "./conv2d_weights.ts";
import type { HostSheet } from "./operation.ts";
import type { Tensor } from "./tensor.ts";

/** Outputs a tile has along each axis. */
export type TileSize = 2 | 4;

interface Matrices {
  readonly AT: readonly (readonly number[])[];
  readonly BT: readonly (readonly number[])[];
  readonly G: readonly (readonly number[])[];
}

const H = Math.SQRT1_2;
const Q = Math.SQRT2;

/**
 * The Toom-Cook algorithm's matrices at some points: row a of Aᵀ and of G holds powers of the
 * points, divided in G by Π(p − other points); a row of Bᵀ the coefficients of the polynomial that
 * is zero at all other points. Points 0, ±1, ∞ for r = 2. For r = 4: 0, ±√½, ±√2, ∞, whose rounding
 * is a fifth of that of the usual 0, ±1, ±2, ∞ (docs/decisions.md).
 */
export const MATRICES: Readonly<Record<TileSize, Matrices>> = {
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

/** A sum of operands times numbers, in WGSL; for the templates. */
export function combine(
  factors: readonly number[],
  operand: (index: number) => string,
): string {
  const terms = factors.flatMap((factor, k) => {
    if (factor === 0) return [];
    const size = Math.abs(factor);
    const term = size === 1 ? operand(k) : `${size}f * ${operand(k)}`;
    return [`${factor < 0 ? "-" : "+"} ${term}`];
  });
  return terms.join(" ").replace(/^\+ /, "");
}

/**
 * G·w·Gᵀ of all filters in the order of gemm.wgsl: column (4·c4 + lane)·quads + quad, row
 * block·(r+2)² + element, where a block is 4·quads outputs.
 */
export function packWinogradWeights(
  weight: Tensor<"constant">,
  view: WeightView,
  r: TileSize,
  quads: number,
): HostSheet {
  const { outputs, inputs, transposed, rows, columns } = view;
  const size = r + 2;
  const elements = size * size;
  const block = 4 * quads;
  const width = Math.ceil(inputs / 4) * block;
  const height = Math.ceil(outputs / block) * elements;
  const stored = (index: number, ky: number, kx: number) =>
    index * 9 + 3 * (rows.first + rows.step * ky) + columns.first + columns.step * kx;
  return {
    width,
    height,
    of: { weight, order: JSON.stringify(["winograd", r, quads, view]) },
    texels: (filters) => {
      const texels = new Float32Array(width * height * 4);
      const half = new Float64Array(size * 3);
      for (let m = 0; m < outputs; m++) {
        const to = Math.floor(m / block) * elements * width * 4 + m % block;
        for (let c = 0; c < inputs; c++) {
          const filter = transposed ? c * outputs + m : m * inputs + c;
          const { G } = MATRICES[r];
          for (let kx = 0; kx < 3; kx++) {
            const [w0, w1, w2] = [0, 1, 2].map((ky) => filters[stored(filter, ky, kx)]!);
            for (let a = 0; a < size; a++) {
              const [g0, g1, g2] = G[a] as [number, number, number];
              half[3 * a + kx] = g0 * w0! + g1 * w1! + g2 * w2!;
            }
          }
          for (let a = 0; a < size; a++) {
            for (let b = 0; b < size; b++) {
              const [g0, g1, g2] = G[b] as [number, number, number];
              texels[to + (a * size + b) * width * 4 + c * block] = g0 * half[3 * a]! +
                g1 * half[3 * a + 1]! + g2 * half[3 * a + 2]!;
            }
          }
        }
      }
      return texels;
    },
  };
}
