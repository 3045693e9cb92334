/** What the rules about convolutions share. */
import { type Convolution, epilogueInputs } from "../../conv2d/epilogue.ts";
import type { Conv2dAttributes } from "../../graph/attributes.ts";
import { isOp, node, type Tensor } from "../../graph/tensor.ts";
import type { Rewriting } from "./rewrite.ts";

/** Whether a node has an epilogue. */
export function isConvolution(tensor: Tensor): tensor is Convolution {
  return isOp(tensor, "conv2d") || isOp(tensor, "conv2dInputGradient");
}

/** Input i of a node as it is now, when it is a convolution that nobody else wants. */
export function soleConvolution(n: Tensor, i: number, graph: Rewriting): Convolution | undefined {
  const input = n.inputs[i]!;
  const now = graph.now(input);
  return graph.isSole(input) && isConvolution(now) ? now : undefined;
}

/** Whether nothing but a bias follows the sum. */
export function isBare({ attributes: { residual, activation, gate } }: Convolution): boolean {
  return !residual && activation === "none" && !gate;
}

/** The same convolution with a changed epilogue, or other weights. */
export function extend(
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

/** Whether a tensor is a known number for each of c channels. */
export function isChannelConstant(
  tensor: Tensor | undefined,
  c: number,
): tensor is Tensor<"constant"> {
  return tensor !== undefined && isOp(tensor, "constant") && tensor.shape[1] === c &&
    tensor.shape[0] * tensor.shape[2] * tensor.shape[3] === 1;
}
