/** Tensors, differentiable operations, and compiled programs. */
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
export { channelShuffle } from "./channel_shuffle.ts";
export { concat } from "./concat.ts";
export {
  conv2d,
  type Conv2dAttributes,
  type Conv2dOptions,
  linear,
  type Rectifier,
} from "./conv2d.ts";
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
  gelu,
  hardsigmoid,
  hardswish,
  log,
  mix,
  mul,
  multiplyAdd,
  relu,
  relu6,
  sigmoid,
  silu,
  sqrt,
  sub,
  tanh,
} from "./elementwise.ts";
export { gaussianBlur, gaussianKernel } from "./gaussian_blur.ts";
export { ancestors, gradients } from "./gradient.ts";
export { layerNorm } from "./layer_norm.ts";
export {
  type ChannelWindowAttributes,
  localResponseNorm,
  type LocalResponseNormOptions,
} from "./local_response_norm.ts";
export { max } from "./max.ts";
export { maxPool2d, type MaxPool2dAttributes, type Pool2dOptions } from "./max_pool2d.ts";
export type { Pair } from "./operation.ts";
export type { OperationName, OperationTable } from "./operations.ts";
export { compile, type ProgramOptions } from "./compile.ts";
export { Program } from "./program.ts";
export { maskNumbers, maskProfile, type MaskShape, radialMask } from "./radial_mask.ts";
export { Random } from "./random.ts";
export type { Axis } from "./reduce.ts";
export { roll } from "./roll.ts";
export { pad, slice, type SliceAttributes, type Triple } from "./slice.ts";
export { crossEntropy, logSoftmax, softmax } from "./softmax.ts";
export { globalAveragePool, mean, sum } from "./sum.ts";
export {
  type Attributes,
  constant,
  formatShape,
  sameShape,
  type Shape,
  sizeOf,
  type Tensor,
} from "./tensor.ts";
export { tvDenoise } from "./tv_denoise.ts";
export { Variable } from "./variable.ts";
export { warp } from "./warp.ts";
