/** Batch normalisation, with given statistics and with those of the batch. */
import { inverseDeviation, mul, multiplyAdd, sub } from "../element/elementwise.ts";
import { normalise, variance } from "./normalise.ts";
import { mean } from "../element/sum.ts";
import { constant, formatShape, type Shape, type Tensor } from "../graph/tensor.ts";

/** Scale and shift of a normalisation, each [1,C,1,1]. */
export interface AffineParameters {
  /** Scale, 1 by default. */
  weight?: Tensor | undefined;
  /** Shift, 0 by default. */
  bias?: Tensor | undefined;
  /** Added to the variance, 1e-5 by default. */
  epsilon?: number;
}

/** Statistics and parameters, each [1,C,1,1]. */
export interface BatchNormParameters extends AffineParameters {
  /** Running mean. */
  mean: Tensor;
  /** Running variance. */
  variance: Tensor;
}

/** What {@linkcode batchNormTraining} makes. */
export interface BatchNormTraining {
  /** The normalised pictures, [N,C,H,W]. */
  readonly y: Tensor;
  /** Their mean before, [1,C,1,1]. */
  readonly mean: Tensor;
  /** Their variance before, divided by the count (not by one less), [1,C,1,1]. */
  readonly variance: Tensor;
}

/** The same number for each channel. */
export function perChannel(channels: number, value: number): Tensor {
  return constant([1, channels, 1, 1], () => new Float32Array(channels).fill(value));
}

/**
 * `torch.nn.BatchNorm2d` in evaluation mode: (x − mean)/√(variance + ε)·weight + bias, as one scale
 * and shift per channel. All inputs get gradients. Where the parameters are constants, the scale
 * and shift are folded into the convolution before when a program is compiled.
 */
export function batchNorm(x: Tensor, parameters: BatchNormParameters): Tensor {
  const { mean, variance, weight, bias, epsilon = 1e-5 } = parameters;
  const inverse = inverseDeviation(variance, epsilon);
  const scale = weight ? mul(weight, inverse) : inverse;
  const offset = mul(mean, scale);
  return multiplyAdd(x, scale, sub(bias ?? perChannel(offset.shape[1], 0), offset));
}

/**
 * `torch.nn.BatchNorm2d` in training mode: the same with the mean and variance of x over pictures,
 * rows and columns, which are returned for the trainer's running statistics. (PyTorch's running
 * variance takes count/(count − 1) of it.)
 *
 * @throws {RangeError} when a channel has one pixel, whose variance says nothing.
 */
export function batchNormTraining(x: Tensor, parameters: AffineParameters): BatchNormTraining {
  const [n, c, h, w]: Shape = x.shape;
  if (n * h * w === 1) {
    throw new RangeError(
      `batchNormTraining: ${formatShape(x.shape)} has one pixel a channel, of which there is no ` +
        `variance; use more pictures or larger ones`,
    );
  }
  const { weight = perChannel(c, 1), bias = perChannel(c, 0), epsilon = 1e-5 } = parameters;
  const axes = [0, 2, 3] as const;
  const m = mean(x, axes);
  const v = variance(x, m, axes);
  return {
    y: normalise(x, m, inverseDeviation(v, epsilon), weight, bias, axes),
    mean: m,
    variance: v,
  };
}
