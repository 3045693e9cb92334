/** Tensors, differentiable operations, and compiled programs. */
export { adaptiveAveragePool2d } from "./adaptive_average_pool2d.ts";
export {
  averagePool2d,
  type AveragePool2dAttributes,
  type AveragePool2dOptions,
} from "./average_pool2d.ts";
export {
  type AffineParameters,
  batchNorm,
  type BatchNormParameters,
  type BatchNormTraining,
  batchNormTraining,
} from "./batch_norm.ts";
export { Arena } from "./arena.ts";
export type { Band, BandMatrix } from "./band_matrix.ts";
export { channelShuffle } from "./channel_shuffle.ts";
export { concat } from "./concat.ts";
export {
  conv2d,
  type Conv2dAttributes,
  type Conv2dOptions,
  type ConvolutionGeometry,
  linear,
  type Rectifier,
} from "./conv2d.ts";
export {
  type Algorithm,
  ALGORITHMS,
  type Choose,
  chooseVariant,
  type Geometry,
  type StagedTile,
  type Staging,
  type Tile,
  type Variant,
  variantOf,
} from "./conv2d_variants.ts";
export type { PackWeightsAttributes, Taps, WeightView } from "./conv2d_weights.ts";
export {
  abs,
  add,
  affine,
  clampMin,
  clampTo,
  detach,
  div,
  type ElementFunctionName,
  type ElementwiseAttributes,
  exp,
  expand,
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
  pow,
  relu,
  relu6,
  sigmoid,
  silu,
  softplus,
  sqrt,
  sub,
  tanh,
  xlogy,
} from "./elementwise.ts";
export type { ElementStep, FusedElementwiseAttributes } from "./fused_elementwise.ts";
export { gaussianBlur, gaussianKernel } from "./gaussian_blur.ts";
export { ancestors, gradients } from "./gradient.ts";
export { hartley2d } from "./hartley.ts";
export { layerNorm } from "./layer_norm.ts";
export {
  type ChannelWindowAttributes,
  localResponseNorm,
  type LocalResponseNormOptions,
} from "./local_response_norm.ts";
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
} from "./losses.ts";
export { max } from "./max.ts";
export {
  maxPool2d,
  type MaxPool2dAttributes,
  type MaxPool2dIndicesAttributes,
  type MaxPool2dOptions,
  type Pool2dOptions,
} from "./max_pool2d.ts";
export type { Pair } from "./operation.ts";
export type { OperationName, OperationTable } from "./operations.ts";
export { compile, type ProgramOptions } from "./compile.ts";
export { Program } from "./program.ts";
export { maskNumbers, maskProfile, type MaskShape, radialMask } from "./radial_mask.ts";
export { Random } from "./random.ts";
export { robustLogPartition } from "./robust_log_partition.ts";
export {
  adaptiveRobustLoss,
  type AdaptiveRobustOptions,
  robustAlpha,
  robustLoss,
  robustNegativeLogLikelihood,
  robustScale,
} from "./robust_loss.ts";
export type { Axis } from "./reduce.ts";
export { resample, type ResampleAxisAttributes } from "./resample_axis.ts";
export { resize, type ResizeMode, type ResizeOptions } from "./resize.ts";
export { areaWeights } from "./resize_weights.ts";
export { roll } from "./roll.ts";
export { pad, slice, type SliceAttributes, type Triple } from "./slice.ts";
export { crossEntropy, logSoftmax, softmax } from "./softmax.ts";
export { globalAveragePool, mean, meanOfSquares, sum, sumOfSquares } from "./sum.ts";
export {
  type Attributes,
  constant,
  formatShape,
  sameShape,
  type Shape,
  sizeOf,
  type Tensor,
} from "./tensor.ts";
export { totalVariation, type TotalVariationOptions } from "./total_variation.ts";
export { tvDenoise } from "./tv_denoise.ts";
export type { TvDenoiseGradientAttributes } from "./tv_denoise_gradient.ts";
export { type Tuned, tuned, Tuning, type TuningOptions } from "./tune.ts";
export { cacheFolder, type Measured, TuningFile } from "./tuning_file.ts";
export { Variable } from "./variable.ts";
export { warp } from "./warp.ts";
