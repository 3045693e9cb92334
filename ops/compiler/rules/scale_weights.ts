/** What scales the channels of a convolution becomes part of its weights, forward and backward. */
import { epilogueInputs } from "../../conv2d/epilogue.ts";
import { constant, isOp, node, sameShape, type Tensor } from "../../graph/tensor.ts";
import { extend, isBare, isChannelConstant, soleConvolution } from "./convolution.ts";
import { derived } from "./derived.ts";
import type { Rewriting } from "./rewrite.ts";

/** Weights times a factor for each output channel (their first axis), or for each input channel. */
function scaledWeights(
  weight: Tensor<"constant">,
  scale: Tensor<"constant">,
  axis: 0 | 1 = 0,
): Tensor {
  return derived(`scaled ${axis}`, [weight, scale], () =>
    constant(weight.shape, () => {
      const { load, fresh } = weight.attributes;
      const values = fresh ? load() : load().slice();
      const factors = scale.attributes.load();
      const [outputs, inputs] = weight.shape;
      const parts = axis === 0 ? outputs : outputs * inputs;
      const size = values.length / parts;
      for (let part = 0; part < parts; part++) {
        const factor = factors[part % factors.length]!;
        for (let i = part * size; i < (part + 1) * size; i++) values[i]! *= factor;
      }
      return values;
    }, { fresh: true }));
}

/** conv2d(x, w)·scale + shift → conv2d(x, w·scale) + shift: batch normalisation. */
export function scaleOutputs(n: Tensor, graph: Rewriting): Tensor | undefined {
  if (!isOp(n, "elementwise") || n.attributes.f !== "multiplyAdd") return;
  const conv = soleConvolution(n, 0, graph);
  const [, scale, shift] = graph.inputsOf(n);
  if (!conv || conv.op !== "conv2d" || !isBare(conv)) return;
  const channels = conv.shape[1];
  const weight = conv.inputs[1]!;
  if (!isOp(weight, "constant") || !isChannelConstant(scale, channels)) return;
  if (!isChannelConstant(shift, channels)) return;
  const { bias } = epilogueInputs(conv);
  if (bias && !isOp(bias, "constant")) return;
  const folded = bias === undefined
    ? shift
    : derived("bias", [shift, bias, scale], () =>
      constant(shift.shape, () => {
        const s = scale.attributes.load();
        const b = bias.attributes.load();
        return shift.attributes.load().map((value, c) => value + b[c]! * s[c]!);
      }));
  return extend(conv, {}, { weight: scaledWeights(weight, scale), bias: folded });
}

/** conv2dInputGradient(dy·scale, w) → conv2dInputGradient(dy, w·scale): the gradient of that. */
export function scaleOutputsOfGradient(n: Tensor, graph: Rewriting): Tensor | undefined {
  if (!isOp(n, "conv2dInputGradient")) return;
  const [dy, weight] = n.inputs as [Tensor, Tensor];
  if (!isOp(dy, "elementwise") || dy.attributes.f !== "mul" || !graph.isSole(dy)) return;
  const [unscaled, scale] = dy.inputs as [Tensor, Tensor];
  if (!sameShape(unscaled.shape, dy.shape)) return;
  const factor = graph.now(scale);
  if (!isOp(weight, "constant") || !isChannelConstant(factor, weight.shape[0])) return;
  const inputs = [graph.now(unscaled), scaledWeights(weight, factor)];
  return node(n.op, n.shape, inputs, n.attributes);
}

/**
 * conv2dInputGradient(dy, w)·scale → conv2dInputGradient(dy, w·scale) along w's other axis: the
 * gradient of a convolution of scaled channels.
 */
export function scaleInputsOfGradient(n: Tensor, graph: Rewriting): Tensor | undefined {
  if (!isOp(n, "elementwise") || n.attributes.f !== "mul") return;
  const conv = soleConvolution(n, 0, graph);
  const scale = graph.now(n.inputs[1]!);
  if (!conv || conv.op !== "conv2dInputGradient" || !isBare(conv)) return;
  const [dy, weight] = conv.inputs as [Tensor, Tensor];
  if (conv.attributes.groups !== 1 || !isOp(weight, "constant")) return;
  if (!isChannelConstant(scale, conv.shape[1]) || !sameShape(n.shape, conv.shape)) return;
  return node(conv.op, conv.shape, [dy, scaledWeights(weight, scale, 1)], conv.attributes);
}
