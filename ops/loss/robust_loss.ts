/**
 * Barron's general robust loss and its adaptive form ("A General and Adaptive Robust Loss
 * Function", CVPR 2019): one formula from squares (α = 2) over Charbonnier (1), Cauchy (0) and
 * Geman-McClure (−2) to Welsch (−∞), differentiable in its shape.
 */
import functions from "../../kernels/element/robust_loss.wgsl" with { type: "text" };
import {
  add,
  affine,
  broadcast,
  div,
  elementwiseCall,
  log,
  mul,
  sigmoid,
  softplus,
} from "../element/elementwise.ts";
import type { Operation } from "../graph/operation.ts";
import { robustLogPartition } from "./robust_log_partition.ts";
import { sumTo } from "../element/sum.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/**
 * ρ(x, α, c) = |α − 2|/α·(((x/c)²/|α − 2| + 1)^(α/2) − 1) element by element, with its limits at
 * α = 0, 2 and −∞ (α ≤ −1e6). Near 0 it is ½(x/c)² for any α.
 *
 * @param alpha the shape; of x's shape or repeated along axes of size 1, as is c
 * @param c the scale, positive
 */
export function robustLoss(x: Tensor, alpha: Tensor, c: Tensor): Tensor {
  const inputs = [x, alpha, c];
  return node("robustLoss", broadcast("robustLoss", inputs), inputs, {});
}

/** −ln of the probability density exp(−ρ(x, α, c))/(c·Z(α)): ρ + ln c + ln Z(α), for α in [0, 2]. */
export function robustNegativeLogLikelihood(x: Tensor, alpha: Tensor, c: Tensor): Tensor {
  return add(robustLoss(x, alpha, c), add(log(c), robustLogPartition(alpha)));
}

/** Bounds of the learned shape and scale. */
export interface AdaptiveRobustOptions {
  /** α is above it (0.001). */
  alphaLow?: number;
  /** α is below it (1.999). */
  alphaHigh?: number;
  /** c is above it (1e-5). */
  scaleLow?: number;
  /** c where its latent number is 0 (1). */
  scaleStart?: number;
}

/** ln(e − 1): where softplus is 1. */
const SOFTPLUS_ONE = Math.log(Math.E - 1);

/** α = low + (high − low)·sigmoid(latent): in the middle where the latent number is 0. */
export function robustAlpha(latent: Tensor, options: AdaptiveRobustOptions = {}): Tensor {
  const { alphaLow = 0.001, alphaHigh = 1.999 } = options;
  if (!(alphaLow >= 0 && alphaLow < alphaHigh && alphaHigh <= 2)) {
    throw new RangeError(
      `robustAlpha: alphaLow ${alphaLow} and alphaHigh ${alphaHigh} must rise within 0 to 2`,
    );
  }
  return affine(sigmoid(latent), alphaHigh - alphaLow, alphaLow);
}

/** c = low + (start − low)·softplus(latent + ln(e − 1)): start where the latent number is 0. */
export function robustScale(latent: Tensor, options: AdaptiveRobustOptions = {}): Tensor {
  const { scaleLow = 1e-5, scaleStart = 1 } = options;
  if (!(scaleLow > 0 && scaleLow < scaleStart)) {
    throw new RangeError(
      `robustScale: scaleLow ${scaleLow} and scaleStart ${scaleStart} must rise from above 0`,
    );
  }
  return affine(softplus(affine(latent, 1, SOFTPLUS_ONE)), scaleStart - scaleLow, scaleLow);
}

/**
 * The adaptive loss: {@linkcode robustNegativeLogLikelihood} whose shape and scale are learned
 * with everything else, usually by channel: both latent tensors [1,C,1,1] and 0 at the start. Its
 * ln c + ln Z(α) keep it from calling everything an outlier. Not bounded by 0; minimise its mean.
 */
export function adaptiveRobustLoss(
  x: Tensor,
  latentAlpha: Tensor,
  latentScale: Tensor,
  options: AdaptiveRobustOptions = {},
): Tensor {
  const alpha = robustAlpha(latentAlpha, options);
  return robustNegativeLogLikelihood(x, alpha, robustScale(latentScale, options));
}

/** Table entry. */
export const robustLossOperation: Operation<"robustLoss"> = {
  lower: (y, gpu) => [elementwiseCall(gpu, "robustLoss", y, "robust_loss(a, b, c)", { functions })],
  gradient(y, dy) {
    const [x, alpha, c] = y.inputs as [Tensor, Tensor, Tensor];
    const slope = (wrt: "x" | "alpha") =>
      mul(dy, node("robustLossSlope", y.shape, [x, alpha, c], { wrt }));
    const dx = slope("x");
    // ρ depends on x/c alone, so c·dρ/dc = −x·dρ/dx.
    const dc = affine(mul(dx, div(x, c)), -1);
    return [dx, slope("alpha"), dc].map((d, i) => sumTo(d, y.inputs[i]!.shape));
  },
};

/** Table entry of the derivatives. */
export const robustLossSlopeOperation: Operation<"robustLossSlope"> = {
  lower(y, gpu) {
    const f = y.attributes.wrt === "x" ? "robust_slope" : "robust_shape_slope";
    return [elementwiseCall(gpu, f, y, `${f}(a, b, c)`, { functions })];
  },
  gradient: "second derivatives are not part of the method",
};
