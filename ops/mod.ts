/** Tensors, differentiable operations, and compiled programs. */
export { adaptiveAveragePool2d } from "./adaptive_average_pool2d.ts";
export {
  averagePool2d,
  type AveragePool2dAttributes,
  type AveragePool2dOptions,
} from "./average_pool2d.ts";
export type { Band, BandMatrix } from "./band_matrix.ts";
export { batchNorm, type BatchNormParameters } from "./batch_norm.ts";
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
  expand,
  mix,
  mul,
  multiplyAdd,
  relu,
  relu6,
  sqrt,
  sub,
} from "./elementwise.ts";
export { gaussianBlur, gaussianKernel } from "./gaussian_blur.ts";
export { ancestors, gradients } from "./gradient.ts";
export {
  maxPool2d,
  type MaxPool2dAttributes,
  type MaxPool2dOptions,
  type Pool2dOptions,
} from "./max_pool2d.ts";
export type { Pair } from "./operation.ts";
export type { OperationName, OperationTable } from "./operations.ts";
export { compile, type ProgramOptions } from "./compile.ts";
export { Program } from "./program.ts";
export { maskNumbers, maskProfile, type MaskShape, radialMask } from "./radial_mask.ts";
export { Random } from "./random.ts";
export type { ResampleAxisAttributes } from "./resample_axis.ts";
export { resize, type ResizeMode, type ResizeOptions } from "./resize.ts";
export { areaWeights } from "./resize_weights.ts";
export { roll } from "./roll.ts";
export { pad, slice, type SliceAttributes, type Triple } from "./slice.ts";
export { type Axis, globalAveragePool, mean, sum } from "./sum.ts";
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
