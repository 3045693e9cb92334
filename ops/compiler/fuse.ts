/**
 * Rewrites that save memory traffic: what follows a convolution becomes its epilogue, and what
 * scales its output channels becomes part of its weights. Applied to the whole graph, forward and
 * backward, after differentiation; a tensor somebody asked for keeps its value. One number per channel
 * made from constants, such as the scale of a batch normalisation, is computed here.
 */
import { derived } from "./constants.ts";
import { epilogueInputs } from "../conv2d/conv2d.ts";
import type { Conv2dAttributes } from "../graph/attributes.ts";
import { onHost } from "../element/elementwise.ts";
import { ancestors } from "../autograd/gradient.ts";
import { gatePooled } from "./gate_pooled.ts";
import { joinRectifiers } from "./join_rectifiers.ts";
import { rewrite, usesOf } from "./rewrite.ts";
import { constant, isOp, node, sameShape, type Tensor } from "../graph/tensor.ts";

type Convolution = Tensor<"conv2d"> | Tensor<"conv2dInputGradient">;

function isConvolution(tensor: Tensor): tensor is Convolution {
  return isOp(tensor, "conv2d") || isOp(tensor, "conv2dInputGradient");
}

/** The same convolution with a changed epilogue. */
function extend(
  conv: Convolution,
  attributes: Partial<Conv2dAttributes>,
  tensors: { weight?: Tensor; bias?: Tensor; residual?: Tensor; gate?: Tensor } = {},
): Tensor {
  const { weight = conv.inputs[1]!, ...epilogue } = { ...epilogueInputs(conv), ...tensors };
  const { bias, residual, gate } = epilogue;
  const inputs = [conv.inputs[0]!, weight, bias, residual, gate].filter((t) => t !== undefined);
  return node(conv.op, conv.shape, inputs, {
    ...conv.attributes,
    ...attributes,
    bias: bias !== undefined,
    residual: residual !== undefined,
    gate: gate !== undefined,
  });
}

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

function isChannelConstant(tensor: Tensor | undefined, c: number): tensor is Tensor<"constant"> {
  return tensor !== undefined && isOp(tensor, "constant") && tensor.shape[1] === c &&
    tensor.shape[0] * tensor.shape[2] * tensor.shape[3] === 1;
}

/**
 * Rewrites the graph below the given tensors.
 *
 * @returns for each of them, the tensor that now has its value
 */
export function fuse(asked: readonly Tensor[]): Tensor[] {
  const roots = gatePooled(joinRectifiers(asked));
  const nodes = ancestors(roots);
  const uses = usesOf(nodes, roots);

  const rewritten = new Map<Tensor, Tensor>();
  /** The rewritten input i of a node when nobody else wants it and it is a convolution. */
  const soleConvolution = (n: Tensor, i: number): Convolution | undefined => {
    const input = n.inputs[i]!;
    const now = rewritten.get(input)!;
    return uses.get(input) === 1 && isConvolution(now) ? now : undefined;
  };
  const bare = (conv: Convolution) =>
    !conv.attributes.residual && conv.attributes.activation === "none" && !conv.attributes.gate;

  /** conv · scale + shift: batch normalisation, or the scale alone. */
  const absorbScale = (n: Tensor<"elementwise">): Tensor | undefined => {
    const conv = soleConvolution(n, 0);
    const [, scale, shift] = n.inputs.map((input) => rewritten.get(input)!);
    if (!conv || conv.op !== "conv2d" || !bare(conv)) return;
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
  };

  /** The gradient of that: conv2dInputGradient(dy · scale, weight). */
  const absorbGradientScale = (n: Tensor<"conv2dInputGradient">): Tensor | undefined => {
    const [dy, weight] = n.inputs as [Tensor, Tensor];
    if (!isOp(dy, "elementwise") || dy.attributes.f !== "mul" || uses.get(dy) !== 1) return;
    const [unscaled, scale] = dy.inputs as [Tensor, Tensor];
    if (!sameShape(unscaled.shape, dy.shape)) return;
    const factor = rewritten.get(scale);
    if (!isOp(weight, "constant") || !isChannelConstant(factor, weight.shape[0])) return;
    const inputs = [rewritten.get(unscaled)!, scaledWeights(weight, factor)];
    return node(n.op, n.shape, inputs, n.attributes);
  };

  /** conv2dInputGradient(dy, weight) · scale: the gradient of a convolution of scaled channels. */
  const absorbInputScale = (n: Tensor<"elementwise">): Tensor | undefined => {
    const conv = soleConvolution(n, 0);
    const scale = rewritten.get(n.inputs[1]!);
    if (!conv || conv.op !== "conv2dInputGradient" || !bare(conv)) return;
    const [dy, weight] = conv.inputs as [Tensor, Tensor];
    if (conv.attributes.groups !== 1 || !isOp(weight, "constant")) return;
    if (!isChannelConstant(scale, conv.shape[1]) || !sameShape(n.shape, conv.shape)) return;
    return node(conv.op, conv.shape, [dy, scaledWeights(weight, scale, 1)], conv.attributes);
  };

  const absorbResidual = (n: Tensor<"elementwise">): Tensor | undefined => {
    for (const i of [0, 1]) {
      const conv = soleConvolution(n, i);
      const other = n.inputs[1 - i]!;
      if (conv && bare(conv) && sameShape(other.shape, conv.shape)) {
        return extend(conv, {}, { residual: rewritten.get(other)! });
      }
    }
  };

  const absorbGate = (n: Tensor<"rectifierGradient">): Tensor | undefined => {
    const [dy, gate] = n.inputs.map((input) => rewritten.get(input)!) as [Tensor, Tensor];
    if (uses.get(n.inputs[0]!) !== 1) return;
    if (isConvolution(dy) && !dy.attributes.gate) return extend(dy, {}, { gate });
  };

  /** A function of constants, each one number per channel. */
  const fold = (n: Tensor<"elementwise">): Tensor | undefined => {
    const inputs = n.inputs.map((input) => rewritten.get(input)!);
    if (!inputs.every((input) => isChannelConstant(input, n.shape[1]))) return;
    const values = onHost(n.attributes, inputs);
    const { f, k, l } = n.attributes;
    return values && derived(`${f} ${k} ${l}`, inputs, () => constant(n.shape, values));
  };

  const absorb = (n: Tensor): Tensor | undefined => {
    if (isOp(n, "conv2dInputGradient")) return absorbGradientScale(n);
    if (isOp(n, "rectifierGradient")) return absorbGate(n);
    if (!isOp(n, "elementwise")) return;
    const folded = fold(n);
    if (folded) return folded;
    const { f } = n.attributes;
    if (f === "multiplyAdd") return absorbScale(n);
    if (f === "mul") return absorbInputScale(n);
    if (f === "add") return absorbResidual(n);
    const conv = soleConvolution(n, 0);
    if (!conv || conv.attributes.gate) return;
    if (f === "relu" || f === "relu6") {
      return conv.attributes.activation === "none" ? extend(conv, { activation: f }) : undefined;
    }
  };

  rewrite(nodes, rewritten, absorb);
  return roots.map((root) => rewritten.get(root)!);
}
