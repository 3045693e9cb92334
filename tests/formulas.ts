/** What docs/operations.md says about each operation, besides what was measured. */
import type { Operations } from "./reference.ts";

/** One line of the table. */
export interface Formula {
  /** The result y. */
  readonly y: string;
  /** What flows back to each input for ∂ = dL/dy, or why nothing does. */
  readonly gradient: string;
}

/** A line for every operation: one that is missing does not compile. */
export const FORMULAS: Record<keyof Operations<unknown>, Formula> = {
  abs: { y: "|a|", gradient: "∂·sign a, 0 at 0" },
  adaptiveAveragePool2d: {
    y: "Σ x / count from ⌊o·H/h⌋ to before ⌈(o+1)·H/h⌉",
    gradient: "Σ ∂ / count over the windows of a pixel",
  },
  add: { y: "a + b", gradient: "∂, ∂" },
  affine: { y: "k·a + l", gradient: "k·∂" },
  averagePool2d: { y: "Σ window / count", gradient: "Σ ∂ / count over the windows of a pixel" },
  batchNorm: {
    y: "(x − mean)/√(variance + ε)·weight + bias",
    gradient: "∂·weight/√(variance + ε); the statistics are constants",
  },
  clampMin: { y: "max(a, k)", gradient: "∂ where a ≥ k" },
  clampTo: { y: "min(max(a, low), high)", gradient: "∂ where low ≤ a ≤ high" },
  concat: { y: "the parts, one after another along the channels", gradient: "∂'s part" },
  conv2d: {
    y: "y[m] = Σ w[m,c,k]·x[c, s·o + d·k − p] + b[m]",
    gradient: "x: Σ w·∂ over the windows of a pixel",
  },
  detach: { y: "a", gradient: "none: that is its purpose" },
  div: { y: "a / b", gradient: "∂/b, −∂·y/b" },
  expand: { y: "a, repeated along axes of size 1", gradient: "Σ ∂ along them" },
  gaussianBlur: {
    y: "Σ w[|k|]·x[mirror(p + k)], rows, then columns",
    gradient: "Σ w[|k|]·∂[p] over the p, k with mirror(p + k) = q",
  },
  globalAveragePool: { y: "Σ x / (H·W)", gradient: "∂/(H·W)" },
  linear: { y: "W·x + b", gradient: "x: Wᵀ·∂" },
  maxPool2d: { y: "max x[s·o + d·k − p] over k", gradient: "∂ to the first largest element" },
  mean: { y: "Σ x / count", gradient: "∂/count" },
  mix: { y: "a + (b − a)·w", gradient: "∂·(1 − w), ∂·w, ∂·(b − a)" },
  mul: { y: "a·b", gradient: "∂·b, ∂·a" },
  multiplyAdd: { y: "a·b + c", gradient: "∂·b, ∂·a, ∂" },
  pad: { y: "x with zeros around", gradient: "∂'s inner part" },
  radialMask: {
    y: "(g(r) − min g)/(max g − min g), g(r) = exp(−½(max(0, r − edge)/s)²)",
    gradient: "none: it has no input but its shape",
  },
  relu: { y: "max(a, 0)", gradient: "∂ where a > 0" },
  relu6: { y: "min(max(a, 0), 6)", gradient: "∂ where 0 < a < 6" },
  resize: { y: "M·x·Nᵀ with sparse weights M and N", gradient: "Mᵀ·∂·N" },
  roll: { y: "y[p + d mod size] = x[p]", gradient: "∂ rolled back" },
  slice: { y: "x[start::step]", gradient: "∂ at those places, 0 elsewhere" },
  sqrt: { y: "√a", gradient: "½·∂/y" },
  sub: { y: "a − b", gradient: "∂, −∂" },
  sum: { y: "Σ x", gradient: "∂, repeated" },
  tvDenoise: {
    y: "split Bregman sweeps towards argmin Σ|∇u| + ½·weight·Σ(u − x)²",
    gradient: "none yet",
  },
  warp: { y: "bilinear samples at θ·(u, v, 1)", gradient: "∂ scattered with the same weights" },
};
