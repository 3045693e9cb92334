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
  adaptiveRobustLoss: {
    y: "ρ(x, α, c) + ln c + ln Z(α), α = low + (high − low)·σ(a), c = low + (start − low)·softplus(s + ln(e − 1))",
    gradient: "as robustNegativeLogLikelihood, through α and c to a and s",
  },
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
  canberraDistance: {
    y: "mean |x − t|/(|x| + |t|), 0/0 = 0",
    gradient: "x: ∂·(sign d − y·sign x)/(|x| + |t|)/count, t: with −sign d and sign t",
  },
  chebyshevDistance: { y: "max |x − t|", gradient: "±∂·sign d to the largest, shared when equal" },
  channelShuffle: { y: "y[j·G + i] = x[i·C/G + j]", gradient: "∂ back in order" },
  clampMin: { y: "max(a, k)", gradient: "∂ where a ≥ k" },
  clampTo: { y: "min(max(a, low), high)", gradient: "∂ where low ≤ a ≤ high" },
  concat: { y: "the parts, one after another along the channels", gradient: "∂'s part" },
  conv2d: {
    y: "y[m] = Σ w[m,c,k]·x[c, s·o + d·k − p] + b[m]",
    gradient: "x: Σ w·∂ over the windows of a pixel; w: Σ ∂·x over pictures and places; b: Σ ∂",
  },
  convTranspose2d: {
    y: "Σ x·w into the windows of a convolution from y to x, + b",
    gradient: "x: the convolution of ∂, w: Σ ∂·x, b: Σ ∂",
  },
  crossEntropy: {
    y: "−Σ targets·ln softmax(logits) / N",
    gradient: "∂·(softmax(logits)·Σ targets − targets)/N, −∂·ln softmax(logits)/N",
  },
  detach: { y: "a", gradient: "none: that is its purpose" },
  div: { y: "a / b", gradient: "∂/b, −∂·y/b" },
  erf: { y: "2/√π·∫₀ᵃ e^(−t²)", gradient: "∂·2/√π·e^(−a²)" },
  exp: { y: "eᵃ", gradient: "∂·y" },
  expand: { y: "a, repeated along axes of size 1", gradient: "Σ ∂ along them" },
  finite: { y: "1 where a is a number, 0 where it is NaN or infinite", gradient: "none" },
  floor: { y: "⌊a⌋", gradient: "none: it is 0 almost everywhere" },
  gaussianBlur: {
    y: "Σ w[|k|]·x[mirror(p + k)], rows, then columns",
    gradient: "Σ w[|k|]·∂[p] over the p, k with mirror(p + k) = q",
  },
  globalAveragePool: { y: "Σ x / (H·W)", gradient: "∂/(H·W)" },
  huberDistance: {
    y: "mean of ½d² where |d| ≤ δ, δ·(|d| − ½δ) beyond",
    gradient: "±∂·min(max(d, −δ), δ)/count",
  },
  l1Distance: { y: "mean |x − t|", gradient: "±∂·sign d/count, 0 at 0" },
  l2Distance: { y: "mean (x − t)²", gradient: "±∂·2d/count" },
  linear: { y: "W·x + b", gradient: "x: Wᵀ·∂, W: Σ ∂·xᵀ over pictures, b: Σ ∂" },
  gelu: {
    y: "a·Φ(a), Φ(a) = (1 + erf(a/√2))/2, or a·(1 + tanh(√(2/π)·(a + 0.044715·a³)))/2",
    gradient: "∂·(Φ(a) + a·φ(a)), or that of the approximation",
  },
  hardsigmoid: { y: "min(max(a + 3, 0), 6)/6", gradient: "∂/6 where −3 < a < 3" },
  hardswish: {
    y: "a·min(max(a + 3, 0), 6)/6",
    gradient: "∂·(a/3 + ½) where −3 ≤ a ≤ 3, ∂ above",
  },
  layerNorm: {
    y: "x̂·weight + bias, x̂ = (x − mean)/√(variance + ε) with a pixel's mean and variance",
    gradient: "(g − mean g − x̂·mean(g·x̂))/√(variance + ε), g = ∂·weight; Σ ∂·x̂; Σ ∂",
  },
  localResponseNorm: {
    y: "x/d^β, d = k + α/size·Σ x² over neighbouring channels",
    gradient: "∂/d^β − 2αβ/size·x·Σ ∂·x/d^(β + 1) over the channels whose neighbour it is",
  },
  log: { y: "ln a", gradient: "∂/a" },
  logCoshHalf: { y: "2·ln cosh(a/2)", gradient: "∂·tanh(a/2)" },
  logitDistance: { y: "mean 2·ln cosh((x − t)/2)", gradient: "±∂·tanh(d/2)/count" },
  maximum: { y: "max(a, b)", gradient: "∂ to the larger, ½∂ to each of equal ones" },
  logSoftmax: { y: "x − ln Σ eˣ over the channels", gradient: "∂ − softmax(x)·Σ ∂" },
  max: { y: "max x", gradient: "∂, shared among the largest" },
  maxPool2d: { y: "max x[s·o + d·k − p] over k", gradient: "∂ to the first largest element" },
  mean: { y: "Σ x / count", gradient: "∂/count" },
  meanOfSquares: { y: "Σ x² / count", gradient: "∂·2x/count" },
  minimum: { y: "min(a, b)", gradient: "∂ to the smaller, ½∂ to each of equal ones" },
  minkowskiDistance: {
    y: "(mean |x − t|ᵖ)^(1/p)",
    gradient: "±∂·sign d·(|d|/y)^(p − 1)/count, 0 at d = 0",
  },
  mix: { y: "a + (b − a)·w", gradient: "∂·(1 − w), ∂·w, ∂·(b − a)" },
  mul: { y: "a·b", gradient: "∂·b, ∂·a" },
  multiplyAdd: { y: "a·b + c", gradient: "∂·b, ∂·a, ∂" },
  pad: { y: "x with zeros around", gradient: "∂'s inner part" },
  pow: { y: "aᵇ", gradient: "∂·b·aᵇ⁻¹, ∂·y·ln a; 0 where a ≤ 0" },
  quantileDistance: {
    y: "mean of q·(t − x) where x < t, (1 − q)·(x − t) where x > t",
    gradient: "±∂·(½·sign d + ½ − q)/count",
  },
  radialMask: {
    y: "(g(r) − min g)/(max g − min g), g(r) = exp(−½(max(0, r − edge)/s)²)",
    gradient: "none: it has no input but its shape",
  },
  rearrange: { y: "x, the factors of its axes in another order", gradient: "∂ back in order" },
  relu: { y: "max(a, 0)", gradient: "∂ where a > 0" },
  relu6: { y: "min(max(a, 0), 6)", gradient: "∂ where 0 < a < 6" },
  robustAlpha: { y: "low + (high − low)·σ(a)", gradient: "∂·(high − low)·σ·(1 − σ)" },
  robustDistance: { y: "mean ρ(x − t, α, c)", gradient: "as robustLoss" },
  robustLogPartition: { y: "ln ∫exp(−ρ(x, α, 1))dx", gradient: "∂·dlnZ/dα of the same table" },
  robustLoss: {
    y: "ρ = |α − 2|/α·(((x/c)²/|α − 2| + 1)^(α/2) − 1)",
    gradient: "x: ∂·x/c²·W, c: −∂·x²/c³·W, W = ((x/c)²/|α − 2| + 1)^(α/2 − 1); α: ∂·dρ/dα",
  },
  robustNegativeLogLikelihood: {
    y: "ρ(x, α, c) + ln c + ln Z(α)",
    gradient: "as robustLoss, c: + ∂/c, α: + ∂·dlnZ/dα",
  },
  robustScale: {
    y: "low + (start − low)·softplus(s + ln(e − 1))",
    gradient: "∂·(start − low)·σ(s + ln(e − 1))",
  },
  resize: { y: "M·x·Nᵀ with sparse weights M and N", gradient: "Mᵀ·∂·N" },
  roll: { y: "y[p + d mod size] = x[p]", gradient: "∂ rolled back" },
  sigmoid: { y: "1/(1 + e⁻ᵃ)", gradient: "∂·y·(1 − y)" },
  silu: { y: "a/(1 + e⁻ᵃ)", gradient: "∂·s·(1 + a·(1 − s)), s = 1/(1 + e⁻ᵃ)" },
  slice: { y: "x[start::step]", gradient: "∂ at those places, 0 elsewhere" },
  softplus: { y: "ln(1 + eᵃ)", gradient: "∂·σ(a)" },
  softmax: { y: "eˣ / Σ eˣ over the channels", gradient: "y·(∂ − Σ ∂·y)" },
  sqrt: { y: "√a", gradient: "½·∂/y" },
  sub: { y: "a − b", gradient: "∂, −∂" },
  sum: { y: "Σ x", gradient: "∂, repeated" },
  sumOfSquares: { y: "Σ x²", gradient: "∂·2x" },
  tanh: { y: "(eᵃ − e⁻ᵃ)/(eᵃ + e⁻ᵃ)", gradient: "∂·(1 − y²)" },
  totalVariation: {
    y: "Σ |∇x| + |∇y|, or Σ √(∇x² + ∇y² + ε); ∇ is 0 in the last column or row",
    gradient: "∇ᵀ of ∂·sign ∇, or of ∂·∇/√(…)",
  },
  tvDenoise: {
    y: "split Bregman sweeps towards argmin Σ|∇u| + ½·weight·Σ(u − x)²",
    gradient: "x, weight: the sweeps that were done, backwards; eps: none",
  },
  warp: { y: "bilinear samples at θ·(u, v, 1)", gradient: "∂ scattered with the same weights" },
  where: {
    y: "a where the condition is ½ or more, else b",
    gradient: "condition: none; ∂ to the chosen one, 0 to the other",
  },
  xlogy: { y: "a·ln b, 0 where a = 0", gradient: "∂·ln b, ∂·a/b" },
};
