/** The Hartley transform: a picture's frequencies as real numbers. */
import type { BandMatrix } from "../graph/attributes.ts";
import { resample } from "./resample_axis.ts";
import type { Tensor } from "../graph/tensor.ts";

/** cas(2πjk/n)/√n, cas = cos + sin: symmetric and its own inverse. */
function casMatrix(n: number): BandMatrix {
  const row = (k: number) =>
    Array.from({ length: n }, (_, j) => {
      // Small angles keep cos and sin exact.
      const angle = 2 * Math.PI * (j * k % n) / n;
      return (Math.cos(angle) + Math.sin(angle)) / Math.sqrt(n);
    });
  return { columns: n, rows: Array.from({ length: n }, (_, k) => ({ first: 0, weights: row(k) })) };
}

/**
 * The separable discrete Hartley transform of each channel, orthonormal, so that it is its own
 * inverse and its own gradient (Bracewell 1983). The coefficients at (±u, ±v) hold what the Fourier
 * transform has at these frequencies: filters that are even along both axes multiply all four by the
 * same number.
 *
 * @param x [N,C,H,W]
 * @returns the same shape; row and column k are k periods a picture, or n − k
 */
export function hartley2d(x: Tensor): Tensor {
  return resample(x, casMatrix(x.shape[2]), casMatrix(x.shape[3]));
}
