/** The table of operations. A missing gradient rule does not compile. */
import { averagePool2dGradientOperation, averagePool2dOperation } from "./average_pool2d.ts";
import type { AveragePool2dAttributes } from "./average_pool2d.ts";
import { channelShuffleOperation } from "./channel_shuffle.ts";
import { concatOperation, concatPairOperation } from "./concat.ts";
import { conv2dInputGradientOperation, conv2dOperation } from "./conv2d.ts";
import type { Conv2dAttributes, ConvolutionGeometry } from "./conv2d.ts";
import { packWeightsOperation } from "./conv2d_weights.ts";
import type { PackWeightsAttributes } from "./conv2d_weights.ts";
import { conv2dWeightGradientOperation } from "./conv2d_weight_gradient.ts";
import { fusedElementwiseOperation } from "./fused_elementwise.ts";
import type { FusedElementwiseAttributes } from "./fused_elementwise.ts";
import { elementwiseOperation } from "./elementwise.ts";
import type { ElementwiseAttributes } from "./elementwise.ts";
import { channelWindowOperation } from "./local_response_norm.ts";
import type { ChannelWindowAttributes } from "./local_response_norm.ts";
import { maxAxisOperation } from "./max.ts";
import { blurAxisOperation, blurAxisTransposeOperation } from "./gaussian_blur.ts";
import {
  maxPool2dGradientOperation,
  maxPool2dIndicesOperation,
  maxPool2dOperation,
} from "./max_pool2d.ts";
import type { MaxPool2dAttributes, MaxPool2dIndicesAttributes } from "./max_pool2d.ts";
import {
  centredDotAxisOperation,
  normaliseGradientOperation,
  normaliseOperation,
} from "./normalise.ts";
import type { Operation } from "./operation.ts";
import { radialMaskOperation } from "./radial_mask.ts";
import {
  robustLogPartitionOperation,
  robustLogPartitionSlopeOperation,
} from "./robust_log_partition.ts";
import { robustLossOperation, robustLossSlopeOperation } from "./robust_loss.ts";
import type { Axis } from "./reduce.ts";
import { rectifierGradientOperation, rectifierMaskOperation } from "./rectifier_mask.ts";
import { resampleAxisOperation } from "./resample_axis.ts";
import type { ResampleAxisAttributes } from "./resample_axis.ts";
import { rollOperation } from "./roll.ts";
import { padOperation, sliceOperation } from "./slice.ts";
import type { SliceAttributes } from "./slice.ts";
import { sumAxisOperation } from "./sum.ts";
import { differenceOperation, differenceTransposeOperation } from "./total_variation.ts";
import { tvDenoiseOperation } from "./tv_denoise.ts";
import { tvDenoiseGradientOperation } from "./tv_denoise_gradient.ts";
import type { TvDenoiseGradientAttributes } from "./tv_denoise_gradient.ts";
import type { Variable } from "./variable.ts";
import { warpOperation, warpTransposeOperation } from "./warp.ts";

/** Every operation and the attributes of its nodes. */
export interface OperationTable {
  /** Host values, such as weights. */
  constant: { load: () => Float32Array; fresh: boolean };
  /** A variable's current value. */
  variable: { variable: Variable };
  /** y[m] = Σ w[m,c,k]·x[c, s·o + d·k − p] + b[m], and an epilogue. */
  conv2d: Conv2dAttributes;
  /** dL/dx of a convolution from dL/dy and its weights. */
  conv2dInputGradient: Conv2dAttributes;
  /** dL/dw of a convolution from its input and dL/dy. */
  conv2dWeightGradient: ConvolutionGeometry;
  /** Weights in the order in which a convolution's kernel reads them. */
  packWeights: PackWeightsAttributes;
  /** The largest value of each window. */
  maxPool2d: MaxPool2dAttributes;
  /** Where in each window the largest value is. */
  maxPool2dIndices: MaxPool2dIndicesAttributes;
  /** dL/dx of the maximum from dL/dy and those places. */
  maxPool2dGradient: MaxPool2dAttributes;
  /** The mean of each window. */
  averagePool2d: AveragePool2dAttributes;
  /** dL/dx of the mean from dL/dy. */
  averagePool2dGradient: AveragePool2dAttributes;
  /** A function of up to three operands, element by element. */
  elementwise: ElementwiseAttributes;
  /** Several of them, computed together. */
  fusedElementwise: FusedElementwiseAttributes;
  /** Where a rectifier lets its gradient through, from its output: a bit for each element. */
  rectifierMask: { rectifier: "relu" | "relu6" };
  /** dL/dx of a rectifier from dL/dy and that. */
  rectifierGradient: Record<string, never>;
  /** Barron's general robust loss of x, α and c. */
  robustLoss: Record<string, never>;
  /** Its derivative for x or for α. */
  robustLossSlope: { wrt: "x" | "alpha" };
  /** ln Z(α) of the density exp(−ρ)/Z. */
  robustLogPartition: Record<string, never>;
  /** Its derivative. */
  robustLogPartitionSlope: Record<string, never>;
  /** The sum, or that of the squares, along one axis, which keeps size 1. */
  sumAxis: { axis: Axis; squared: boolean };
  /** The largest element along one axis, which keeps size 1. */
  maxAxis: { axis: Axis };
  /** Σ (x − mean)·z along one axis, which keeps size 1. */
  centredDotAxis: { axis: Axis };
  /** x less its mean, divided by its deviation, scaled and shifted. */
  normalise: { axes: readonly Axis[] };
  /** dL/dx of that, given dL/dy and two means. */
  normaliseGradient: Record<string, never>;
  /** The sum over neighbouring channels. */
  channelWindow: ChannelWindowAttributes;
  /** The channels of groups in turn. */
  channelShuffle: { groups: number };
  /** Every step-th element from a start. */
  slice: SliceAttributes;
  /** The adjoint of a slice: zeros elsewhere. */
  pad: SliceAttributes;
  /** Parts that start at whole channel quads, side by side. */
  concat: Record<string, never>;
  /** Two parts of any number of channels, side by side. */
  concatPair: Record<string, never>;
  /** A symmetric filter along rows or columns, the border mirrored. */
  blurAxis: { axis: 2 | 3 };
  /** Differences to the next row or column. */
  difference: { axis: 2 | 3 };
  /** The adjoint of differences. */
  differenceTranspose: { axis: 2 | 3 };
  /** The adjoint of such a filter. */
  blurAxisTranspose: { axis: 2 | 3 };
  /** A sparse matrix applied to every row or column. */
  resampleAxis: ResampleAxisAttributes;
  /** A circular shift. */
  roll: { sign: 1 | -1 };
  /** Bilinear samples through an affine map, the border reflected. */
  warp: Record<string, never>;
  /** The adjoint of a warp. */
  warpTranspose: Record<string, never>;
  /** A Gaussian of the distance from the centre. */
  radialMask: { plateau: boolean };
  /** Total-variation denoising by split Bregman. */
  tvDenoise: { sweeps: number };
  /** dL/dx or dL/dweight of that, from dL/dy. */
  tvDenoiseGradient: TvDenoiseGradientAttributes;
}

/** The name of an operation. */
export type OperationName = keyof OperationTable;

const leaf = { lower: () => [], gradient: () => [] };

/** How each operation runs and differentiates. */
export const OPERATIONS: { readonly [K in OperationName]: Operation<K> } = {
  constant: leaf,
  variable: leaf,
  conv2d: conv2dOperation,
  conv2dInputGradient: conv2dInputGradientOperation,
  conv2dWeightGradient: conv2dWeightGradientOperation,
  packWeights: packWeightsOperation,
  maxPool2d: maxPool2dOperation,
  maxPool2dIndices: maxPool2dIndicesOperation,
  maxPool2dGradient: maxPool2dGradientOperation,
  averagePool2d: averagePool2dOperation,
  averagePool2dGradient: averagePool2dGradientOperation,
  elementwise: elementwiseOperation,
  fusedElementwise: fusedElementwiseOperation,
  rectifierMask: rectifierMaskOperation,
  rectifierGradient: rectifierGradientOperation,
  robustLoss: robustLossOperation,
  robustLossSlope: robustLossSlopeOperation,
  robustLogPartition: robustLogPartitionOperation,
  robustLogPartitionSlope: robustLogPartitionSlopeOperation,
  sumAxis: sumAxisOperation,
  maxAxis: maxAxisOperation,
  centredDotAxis: centredDotAxisOperation,
  normalise: normaliseOperation,
  normaliseGradient: normaliseGradientOperation,
  channelWindow: channelWindowOperation,
  channelShuffle: channelShuffleOperation,
  slice: sliceOperation,
  pad: padOperation,
  concat: concatOperation,
  concatPair: concatPairOperation,
  blurAxis: blurAxisOperation,
  difference: differenceOperation,
  differenceTranspose: differenceTransposeOperation,
  blurAxisTranspose: blurAxisTransposeOperation,
  resampleAxis: resampleAxisOperation,
  roll: rollOperation,
  warp: warpOperation,
  warpTranspose: warpTransposeOperation,
  radialMask: radialMaskOperation,
  tvDenoise: tvDenoiseOperation,
  tvDenoiseGradient: tvDenoiseGradientOperation,
};
