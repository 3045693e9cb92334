/** The table of operations. A missing gradient rule does not compile. */
import { averagePool2dGradientOperation, averagePool2dOperation } from "../pool/average_pool2d.ts";
import { channelShuffleOperation } from "../shape/channel_shuffle.ts";
import { concatOperation, concatPairOperation } from "../shape/concat.ts";
import { conv2dInputGradientOperation, conv2dOperation } from "../conv2d/conv2d.ts";
import { conv2dWeightGradientOperation } from "../conv2d/weight_gradient.ts";
import { fusedElementwiseOperation } from "../element/fused_elementwise.ts";
import { elementwiseOperation } from "../element/elementwise.ts";
import { channelWindowOperation } from "../norm/local_response_norm.ts";
import { maxAxisOperation } from "../element/max.ts";
import { blurAxisOperation, blurAxisTransposeOperation } from "../image/gaussian_blur.ts";
import {
  maxPool2dGradientOperation,
  maxPool2dIndicesOperation,
  maxPool2dOperation,
} from "../pool/max_pool2d.ts";
import {
  centredDotAxisOperation,
  normaliseGradientOperation,
  normaliseOperation,
} from "../norm/normalise.ts";
import type { Operation } from "../graph/operation.ts";
import { radialMaskOperation } from "../image/radial_mask.ts";
import {
  robustLogPartitionOperation,
  robustLogPartitionSlopeOperation,
} from "../loss/robust_log_partition.ts";
import { robustLossOperation, robustLossSlopeOperation } from "../loss/robust_loss.ts";
import { rectifierGradientOperation, rectifierMaskOperation } from "../element/rectifier_mask.ts";
import { rearrangeOperation } from "../shape/rearrange.ts";
import { resampleAxisOperation } from "../image/resample_axis.ts";
import { rollOperation } from "../image/roll.ts";
import { padOperation, sliceOperation } from "../shape/slice.ts";
import { sumAxisOperation } from "../element/sum.ts";
import { differenceOperation, differenceTransposeOperation } from "../image/total_variation.ts";
import { tvDenoiseOperation } from "../image/tv_denoise.ts";
import { tvDenoiseGradientOperation } from "../image/tv_denoise_gradient.ts";
import { warpOperation, warpTransposeOperation } from "../image/warp.ts";
import type { OperationName } from "../graph/attributes.ts";

const leaf = { lower: () => [], gradient: () => [] };

/** How each operation runs and differentiates. */
export const OPERATIONS: { readonly [K in OperationName]: Operation<K> } = {
  constant: leaf,
  variable: leaf,
  conv2d: conv2dOperation,
  conv2dInputGradient: conv2dInputGradientOperation,
  conv2dWeightGradient: conv2dWeightGradientOperation,
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
  rearrange: rearrangeOperation,
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
