/** The table of operations. A missing gradient rule does not compile. */
import { averagePool2dGradientOperation, averagePool2dOperation } from "./average_pool2d.ts";
import type { AveragePool2dAttributes } from "./average_pool2d.ts";
import { concatOperation, concatPairOperation } from "./concat.ts";
import { conv2dInputGradientOperation, conv2dOperation } from "./conv2d.ts";
import type { Conv2dAttributes } from "./conv2d.ts";
import { elementwiseOperation } from "./elementwise.ts";
import type { ElementwiseAttributes } from "./elementwise.ts";
import { blurAxisOperation } from "./gaussian_blur.ts";
import {
  maxPool2dGradientOperation,
  maxPool2dIndicesOperation,
  maxPool2dOperation,
} from "./max_pool2d.ts";
import type { MaxPool2dAttributes } from "./max_pool2d.ts";
import type { Operation } from "./operation.ts";
import { radialMaskOperation } from "./radial_mask.ts";
import { rollOperation } from "./roll.ts";
import { padOperation, sliceOperation } from "./slice.ts";
import type { SliceAttributes } from "./slice.ts";
import { sumAxisOperation } from "./sum.ts";
import { tvDenoiseOperation } from "./tv_denoise.ts";
import type { Variable } from "./variable.ts";
import { warpOperation, warpTransposeOperation } from "./warp.ts";

/** Every operation and the attributes of its nodes. */
export interface OperationTable {
  constant: { load: () => Float32Array };
  variable: { variable: Variable };
  conv2d: Conv2dAttributes;
  conv2dInputGradient: Conv2dAttributes;
  maxPool2d: MaxPool2dAttributes;
  maxPool2dIndices: MaxPool2dAttributes;
  maxPool2dGradient: MaxPool2dAttributes;
  averagePool2d: AveragePool2dAttributes;
  averagePool2dGradient: AveragePool2dAttributes;
  elementwise: ElementwiseAttributes;
  sumAxis: { axis: number };
  slice: SliceAttributes;
  pad: SliceAttributes;
  concat: Record<string, never>;
  concatPair: Record<string, never>;
  blurAxis: { axis: 2 | 3 };
  roll: { sign: 1 | -1 };
  warp: Record<string, never>;
  warpTranspose: Record<string, never>;
  radialMask: { plateau: boolean };
  tvDenoise: { sweeps: number };
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
  maxPool2d: maxPool2dOperation,
  maxPool2dIndices: maxPool2dIndicesOperation,
  maxPool2dGradient: maxPool2dGradientOperation,
  averagePool2d: averagePool2dOperation,
  averagePool2dGradient: averagePool2dGradientOperation,
  elementwise: elementwiseOperation,
  sumAxis: sumAxisOperation,
  slice: sliceOperation,
  pad: padOperation,
  concat: concatOperation,
  concatPair: concatPairOperation,
  blurAxis: blurAxisOperation,
  roll: rollOperation,
  warp: warpOperation,
  warpTranspose: warpTransposeOperation,
  radialMask: radialMaskOperation,
  tvDenoise: tvDenoiseOperation,
};
