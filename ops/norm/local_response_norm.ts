/** Local response normalisation, of AlexNet and the first GoogLeNet. */
import source from "../../kernels/shape/channel_window.wgsl" with { type: "text" };
import { affine, exp, log, mul } from "../element/elementwise.ts";
import { expectWhole } from "../graph/check.ts";
import { type Operation, perTexel } from "../graph/operation.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/** Four of them are a turn of a loop, of which some drivers make no more than 65535. */
const MOST_CHANNELS = 2 ** 17;

/** Options of {@linkcode localResponseNorm}, with PyTorch's defaults. */
export interface LocalResponseNormOptions {
  /** Neighbouring channels that count, itself included. */
  size: number;
  /** Weight of their mean square, 1e-4 by default. */
  alpha?: number;
  /** Exponent, 0.75 by default. */
  beta?: number;
  /** Added to it, 1 by default. */
  k?: number;
}

/**
 * `torch.nn.LocalResponseNorm`: x / (k + α/size·Σ x²)^β with the sum over ⌊size/2⌋ channels before,
 * the channel itself, and the rest after; channels beyond the ends count as zeros. [N,C,H,W] → the
 * same. k must be positive.
 *
 * @throws {RangeError} when the size is not a whole number from 1 to 131072, or k not positive.
 */
export function localResponseNorm(x: Tensor, options: LocalResponseNormOptions): Tensor {
  const { size, alpha = 1e-4, beta = 0.75, k = 1 } = options;
  expectWhole("localResponseNorm: size", size, 1, MOST_CHANNELS);
  if (!(k > 0)) throw new RangeError(`localResponseNorm: expected a k above 0, got ${k}`);
  const before = Math.floor(size / 2);
  const squares = node("channelWindow", x.shape, [mul(x, x)], { before, after: size - 1 - before });
  const logarithm = log(affine(squares, alpha / size, k));
  return mul(x, exp(affine(logarithm, -beta)));
}

/** Table entry. */
export const channelWindowOperation: Operation<"channelWindow"> = {
  lower: (y) => [{
    source: { name: "channelWindow", wgsl: source },
    reads: { x: y.inputs[0]! },
    writes: { y },
    parameters: { ...y.attributes },
    workgroups: perTexel(y),
  }],
  gradient(y, dy) {
    const { before, after } = y.attributes;
    return [node("channelWindow", y.shape, [dy], { before: after, after: before })];
  },
};
