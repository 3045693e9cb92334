/** ln Z(α), by which the adaptive robust loss is a probability density. */
import source from "../../kernels/element/robust_log_partition.wgsl" with { type: "text" };
import { mul } from "../element/elementwise.ts";
import { type Call, type Operation, perTexel } from "../graph/operation.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/** ln Z(α), Z = ∫exp(−ρ(x, α, 1))dx, for α in [0, 2]; constant beyond. Within 1e-6 of the integral. */
export function robustLogPartition(alpha: Tensor): Tensor<"robustLogPartition"> {
  return node("robustLogPartition", alpha.shape, [alpha], {});
}

/** Distance of the integral's nodes. */
const STEP = 1 / 8;
/** ln cosh v of the nodes v = 0, STEP, 2·STEP, ... */
const LOG_COSH = Float64Array.from({ length: 320 }, (_, i) => {
  const v = i * STEP;
  return v + Math.log1p(Math.exp(-2 * v)) - Math.LN2;
});

/**
 * ln Z(2 − b) by the trapezoidal rule.
 *
 * With x = √b·sinh v, 1 + x²/b is cosh²v, and the integral becomes
 * 2√b·∫cosh v·exp(−(b/α)·(cosh^α v − 1))dv from 0 to ∞. Its integrand is even and analytic around
 * the real line, so the rule converges exponentially; and it ends like exp(−v) or sooner, while
 * in x it ends as slowly as 1/x² (at α = 0).
 *
 * @param b from 0 to 2
 */
export function logPartition(b: number): number {
  if (b === 0) return Math.log(2 * Math.PI) / 2;
  const alpha = 2 - b;
  let total = 0;
  for (const [i, l] of LOG_COSH.entries()) {
    const rho = b * (alpha === 0 ? l : Math.expm1(alpha * l) / alpha);
    const term = Math.exp(l - rho);
    total += i === 0 ? term / 2 : term;
    if (term < 1e-17 * total) break;
  }
  return Math.log(2 * Math.sqrt(b) * STEP * total);
}

/**
 * Cells of the table: evenly over √α from 0 to 1 (α ≤ 1), then evenly over (2 − α)^(1/4) from 0 to
 * 1: fine where ln Z changes fast, at 0, and where it is not smooth, at 2.
 */
const CELLS = { low: 128, high: 512 };

let table: Float32Array<ArrayBuffer> | undefined;

/** For each cell the coefficients of the cubic through 4 values of the integral. Takes 20 ms, once. */
function coefficients(): Float32Array<ArrayBuffer> {
  table ??= Float32Array.from([
    ...cubics(CELLS.low, (u) => logPartition(2 - u ** 2)),
    ...cubics(CELLS.high, (u) => logPartition(u ** 4)),
  ]);
  return table;
}

/** Cubics of t, which goes from 0 to 1 in each of the equal parts of [0, 1]. */
function cubics(cells: number, f: (u: number) => number): number[] {
  const values = Array.from({ length: 3 * cells + 1 }, (_, i) => f(i / (3 * cells)));
  return Array.from({ length: cells }, (_, cell) => {
    const [p, q, r, s] = values.slice(3 * cell) as [number, number, number, number];
    // Newton's differences at t = 0, 1/3, 2/3, 1.
    const [d1, d2, d3] = [q - p, r - 2 * q + p, s - 3 * r + 3 * q - p];
    return [p, 3 * d1 - 1.5 * d2 + d3, 4.5 * (d2 - d3), 4.5 * d3];
  }).flat();
}

function call(y: Tensor<"robustLogPartition"> | Tensor<"robustLogPartitionSlope">): Call[] {
  return [{
    source: { name: y.op, wgsl: source },
    defines: { DERIVATIVE: y.op === "robustLogPartitionSlope" },
    reads: {
      alpha: y.inputs[0]!,
      table: { width: CELLS.low + CELLS.high, height: 1, texels: coefficients },
    },
    writes: { y },
    parameters: CELLS,
    workgroups: perTexel(y),
  }];
}

/** Table entry. */
export const robustLogPartitionOperation: Operation<"robustLogPartition"> = {
  lower: call,
  gradient: (y, dy) => [mul(dy, node("robustLogPartitionSlope", y.shape, y.inputs, {}))],
};

/** Table entry of the derivative. */
export const robustLogPartitionSlopeOperation: Operation<"robustLogPartitionSlope"> = {
  lower: call,
  gradient: "second derivatives are not part of the method",
};
