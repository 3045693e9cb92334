/**
 * The engine alone: tensors, differentiable operations, and compiled programs on a WebGPU device.
 *
 * @example A gradient step
 * ```ts
 * import assert from "node:assert/strict";
 * import { affine, compile, gradients, mul, openGpu, sub, sum, Variable } from "./mod.ts";
 *
 * using gpu = await openGpu();
 * using x = new Variable(gpu, [1, 3, 8, 8]);
 * x.write(new Float32Array(3 * 8 * 8).fill(2));
 * const loss = sum(mul(x.tensor, x.tensor), [1, 2, 3]);
 * const [slope] = gradients(loss, [x.tensor]);
 * const step = sub(x.tensor, affine(slope!, 0.25));
 * using program = await compile(gpu, { outputs: [loss, slope!], assign: [[x, step]] });
 * program.run();
 * assert((await program.read(loss))[0] === 4 * 3 * 8 * 8);
 * assert((await x.read())[0] === 1);
 * ```
 *
 * @module
 */
export { Gpu, type GpuOptions, openGpu, type Storage } from "../kernels/runtime/device.ts";
export type { Sheet } from "../kernels/runtime/sheet.ts";
export { adaptiveAveragePool2d } from "./pool/adaptive_average_pool2d.ts";
export { averagePool2d, type AveragePool2dOptions } from "./pool/average_pool2d.ts";
export type { AveragePool2dAttributes } from "./graph/attributes.ts";
export {
  type AffineParameters,
  batchNorm,
  type BatchNormParameters,
  type BatchNormTraining,
  batchNormTraining,
} from "./norm/batch_norm.ts";
export { Arena } from "./compiler/arena.ts";
export type { Band, BandMatrix } from "./graph/attributes.ts";
export { channelShuffle } from "./shape/channel_shuffle.ts";
export { concat } from "./shape/concat.ts";
export {
  conv2d,
  type Conv2dOptions,
  convTranspose2d,
  type ConvTranspose2dOptions,
  linear,
} from "./conv2d/conv2d.ts";
export type { Conv2dAttributes, ConvolutionGeometry, Rectifier } from "./graph/attributes.ts";
export { ALGORITHMS, chooseVariant, variantOf } from "./conv2d/variants.ts";
export type {
  Algorithm,
  ChooseVariant,
  Geometry,
  StagedTile,
  Staging,
  Tile,
  Variant,
} from "./graph/convolution.ts";
export {
  abs,
  add,
  affine,
  clampMin,
  clampTo,
  copy,
  detach,
  div,
  erf,
  exp,
  expand,
  finite,
  floor,
  gelu,
  hardsigmoid,
  hardswish,
  log,
  logCoshHalf,
  maximum,
  minimum,
  mix,
  mul,
  multiplyAdd,
  notLess,
  pow,
  relu,
  relu6,
  sigmoid,
  silu,
  softplus,
  sqrt,
  sub,
  tanh,
  where,
  xlogy,
} from "./element/elementwise.ts";
export type { ElementwiseAttributes } from "./graph/attributes.ts";
export type { ElementStep, FusedElementwiseAttributes } from "./graph/attributes.ts";
export { gaussianBlur, gaussianKernel } from "./image/gaussian_blur.ts";
export { ancestors, gradients } from "./autograd/gradient.ts";
export { hartley2d } from "./image/hartley.ts";
export { layerNorm } from "./norm/layer_norm.ts";
export { localResponseNorm, type LocalResponseNormOptions } from "./norm/local_response_norm.ts";
export type { ChannelWindowAttributes } from "./graph/attributes.ts";
export {
  canberraDistance,
  chebyshevDistance,
  type Distance,
  distance,
  type DistanceName,
  type DistanceParameter,
  DISTANCES,
  huberDistance,
  l1Distance,
  l2Distance,
  logitDistance,
  minkowskiDistance,
  quantileDistance,
  robustDistance,
} from "./loss/losses.ts";
export { max } from "./element/max.ts";
export { maxPool2d, type MaxPool2dOptions, type Pool2dOptions } from "./pool/max_pool2d.ts";
export type { MaxPool2dAttributes, MaxPool2dIndicesAttributes } from "./graph/attributes.ts";
export type { Pair } from "./graph/attributes.ts";
export type { OperationName, OperationTable } from "./graph/attributes.ts";
export { compile, type ProgramOptions } from "./compiler/compile.ts";
export { Program } from "./compiler/program.ts";
export { maskNumbers, maskProfile, type MaskShape, radialMask } from "./image/radial_mask.ts";
export { Random } from "../base/random.ts";
export { robustLogPartition } from "./loss/robust_log_partition.ts";
export {
  adaptiveRobustLoss,
  type AdaptiveRobustOptions,
  robustAlpha,
  robustLoss,
  robustNegativeLogLikelihood,
  robustScale,
} from "./loss/robust_loss.ts";
export type { Axis, Digit } from "./graph/attributes.ts";
export { bandMatrix, type Tap } from "./image/band_matrix.ts";
export { rearrange, type Rearrangement } from "./shape/rearrange.ts";
export { resample } from "./image/resample_axis.ts";
export type { ResampleAxisAttributes } from "./graph/attributes.ts";
export { resize, type ResizeMode, type ResizeOptions } from "./image/resize.ts";
export { areaWeights } from "./image/resize_weights.ts";
export { roll } from "./image/roll.ts";
export { pad, slice } from "./shape/slice.ts";
export type { SliceAttributes, Triple } from "./graph/attributes.ts";
export { inverseDeviation } from "./element/elementwise.ts";
export { normalise, variance } from "./norm/normalise.ts";
export { crossEntropy, logSoftmax, softmax } from "./element/softmax.ts";
export { globalAveragePool, mean, meanOfSquares, sum, sumOfSquares } from "./element/sum.ts";
export {
  type Attributes,
  constant,
  formatShape,
  sameShape,
  type Shape,
  sizeOf,
  type Tensor,
} from "./graph/tensor.ts";
export { totalVariation, type TotalVariationOptions } from "./image/total_variation.ts";
export { tvDenoise } from "./image/tv_denoise.ts";
export type { TvDenoiseGradientAttributes } from "./graph/attributes.ts";
export { Variable } from "./graph/variable.ts";
export { warp } from "./image/warp.ts";
