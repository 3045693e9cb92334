/** Layer normalisation. */
import { type AffineParameters, perChannel } from "./batch_norm.ts";
import { inverseDeviation } from "../element/elementwise.ts";
import { normalise, variance } from "./normalise.ts";
import { mean } from "../element/sum.ts";
import type { Tensor } from "../graph/tensor.ts";

/**
 * `torch.nn.LayerNorm` over the channels of each pixel (torchvision's LayerNorm2d):
 * (x − mean)/√(variance + ε)·weight + bias with the mean and variance of a pixel's channels.
 * [N,C,H,W] → the same. All inputs get gradients.
 */
export function layerNorm(x: Tensor, parameters: AffineParameters = {}): Tensor {
  const channels = x.shape[1];
  const { weight = perChannel(channels, 1), bias = perChannel(channels, 0) } = parameters;
  const m = mean(x, [1]);
  const inverse = inverseDeviation(variance(x, m, [1]), parameters.epsilon ?? 1e-5);
  return normalise(x, m, inverse, weight, bias, [1]);
}
