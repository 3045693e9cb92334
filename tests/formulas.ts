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
  add: { y: "a + b", gradient: "∂, ∂" },
  affine: { y: "k·a + l", gradient: "k·∂" },
  averagePool2d: { y: "Σ window / count", gradient: "Σ ∂ / count over the windows of a pixel" },
  batchNorm: {
    y: "(x − mean)/√(variance + ε)·weight + bias",
    gradient: "x: ∂·weight/√(variance + ε); the parameters by the chain rule",
  },
  batchNormTraining: {
    y: "x̂·weight + bias, x̂ = (x − mean)/√(variance + ε) with the batch's mean and variance",
    gradient: "weight/√(variance + ε)·(∂ − mean ∂ − x̂·mean(∂·x̂)), Σ ∂·x̂, Σ ∂",
  },
  channelShuffle: { y: "y[j·G + i] = x[i·C/G + j]", gradient: "∂ back in order" },
  clampMin: { y: "max(a, k)", gradient: "∂ where a ≥ k" },
  clampTo: { y: "min(max(a, low), high)", gradient: "∂ where low ≤ a ≤ high" },
  concat: { y: "the parts, one after another along the channels", gradient: "∂'s part" },
  conv2d: {
    y: "y[m] = Σ w[m,c,k]·x[c, s·o + d·k − p] + b[m]",
    gradient: "x: Σ w·∂ over the windows of a pixel",
  },
  crossEntropy: {
    y: "−Σ targets·ln softmax(logits) / N",
    gradient: "∂·(softmax(logits)·Σ targets − targets)/N, −∂·ln softmax(logits)/N",
  },
  detach: { y: "a", gradient: "none: that is its purpose" },
  div: { y: "a / b", gradient: "∂/b, −∂·y/b" },
  exp: { y: "eᵃ", gradient: "∂·y" },
  expand: { y: "a, repeated along axes of size 1", gradient: "Σ ∂ along them" },
  gaussianBlur: { y: "Σ w[|k|]·x[mirror(p + k)], rows, then columns", gradient: "none yet" },
  gelu: {
    y: "a·Φ(a), Φ(a) = (1 + erf(a/√2))/2, or a·(1 + tanh(√(2/π)·(a + 0.044715·a³)))/2",
    gradient: "∂·(Φ(a) + a·φ(a)), or that of the approximation",
  },
  globalAveragePool: { y: "Σ x / (H·W)", gradient: "∂/(H·W)" },
  hardsigmoid: { y: "min(max(a + 3, 0), 6)/6", gradient: "∂/6 where −3 < a < 3" },
  hardswish: {
    y: "a·min(max(a + 3, 0), 6)/6",
    gradient: "∂·(a/3 + ½) where −3 ≤ a ≤ 3, ∂ above",
  },
  layerNorm: {
    y: "x̂·weight + bias, x̂ = (x − mean)/√(variance + ε) with a pixel's mean and variance",
    gradient: "(g − mean g − x̂·mean(g·x̂))/√(variance + ε), g = ∂·weight; Σ ∂·x̂; Σ ∂",
  },
  linear: { y: "W·x + b", gradient: "x: Wᵀ·∂" },
  localResponseNorm: {
    y: "x/d^β, d = k + α/size·Σ x² over neighbouring channels",
    gradient: "∂/d^β − 2αβ/size·x·Σ ∂·x/d^(β + 1) over the channels whose neighbour it is",
  },
  log: { y: "ln a", gradient: "∂/a" },
  logSoftmax: { y: "x − ln Σ eˣ over the channels", gradient: "∂ − softmax(x)·Σ ∂" },
  max: { y: "max x", gradient: "∂, shared among the largest" },
  maxPool2d: { y: "max window", gradient: "∂ to the first largest element" },
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
  roll: { y: "y[p + d mod size] = x[p]", gradient: "∂ rolled back" },
  sigmoid: { y: "1/(1 + e⁻ᵃ)", gradient: "∂·y·(1 − y)" },
  silu: { y: "a/(1 + e⁻ᵃ)", gradient: "∂·s·(1 + a·(1 − s)), s = 1/(1 + e⁻ᵃ)" },
  slice: { y: "x[start::step]", gradient: "∂ at those places, 0 elsewhere" },
  softmax: { y: "eˣ / Σ eˣ over the channels", gradient: "y·(∂ − Σ ∂·y)" },
  sqrt: { y: "√a", gradient: "½·∂/y" },
  sub: { y: "a − b", gradient: "∂, −∂" },
  sum: { y: "Σ x", gradient: "∂, repeated" },
  tanh: { y: "(eᵃ − e⁻ᵃ)/(eᵃ + e⁻ᵃ)", gradient: "∂·(1 − y²)" },
  tvDenoise: {
    y: "split Bregman sweeps towards argmin Σ|∇u| + ½·weight·Σ(u − x)²",
    gradient: "none yet",
  },
  warp: { y: "bilinear samples at θ·(u, v, 1)", gradient: "∂ scattered with the same weights" },
};
