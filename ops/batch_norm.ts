/** Batch normalisation in evaluation mode. */
import { multiplyAdd } from "./elementwise.ts";
import { constant, isOp, type Tensor } from "./tensor.ts";

/** Statistics and parameters, each a constant [1,C,1,1]. */
export interface BatchNormParameters {
  /** Running mean. */
  mean: Tensor;
  /** Running variance. */
  variance: Tensor;
  /** Scale, 1 by default. */
  weight?: Tensor | undefined;
  /** Shift, 0 by default. */
  bias?: Tensor | undefined;
  /** 1e-5 by default. */
  epsilon?: number;
}

function valuesOf(tensor: Tensor): Float32Array {
  if (!isOp(tensor, "constant")) throw new TypeError("batchNorm: parameters must be constants");
  return tensor.attributes.load();
}

/** (x − mean)/√(variance + ε)·weight + bias, as one scale and shift per channel. */
export function batchNorm(x: Tensor, parameters: BatchNormParameters): Tensor {
  const { mean, variance, weight, bias, epsilon = 1e-5 } = parameters;
  const scaleAt = () => {
    const v = valuesOf(variance);
    const w = weight && valuesOf(weight);
    return (c: number) => (w ? w[c]! : 1) / Math.sqrt(v[c]! + epsilon);
  };
  const channels = mean.shape[1];
  const scale = constant(mean.shape, () => {
    const at = scaleAt();
    return Float32Array.from({ length: channels }, (_, c) => at(c));
  });
  const shift = constant(mean.shape, () => {
    const at = scaleAt();
    const m = valuesOf(mean);
    const b = bias && valuesOf(bias);
    return Float32Array.from({ length: channels }, (_, c) => (b ? b[c]! : 0) - m[c]! * at(c));
  });
  return multiplyAdd(x, scale, shift);
}
