/** What follows a convolution becomes its epilogue, in the order in which epilogue.wgsl applies it. */
import { isOp, sameShape, type Tensor } from "../../graph/tensor.ts";
import { extend, isBare, isConvolution, soleConvolution } from "./convolution.ts";
import type { Rewriting } from "./rewrite.ts";

/** conv + other. */
export function addResidual(n: Tensor, graph: Rewriting): Tensor | undefined {
  if (!isOp(n, "elementwise") || n.attributes.f !== "add") return;
  for (const i of [0, 1]) {
    const conv = soleConvolution(n, i, graph);
    const other = n.inputs[1 - i]!;
    if (conv && isBare(conv) && sameShape(other.shape, conv.shape)) {
      return extend(conv, {}, { residual: graph.now(other) });
    }
  }
}

/** relu(conv), relu6(conv). */
export function rectify(n: Tensor, graph: Rewriting): Tensor | undefined {
  if (!isOp(n, "elementwise")) return;
  const { f } = n.attributes;
  if (f !== "relu" && f !== "relu6") return;
  const conv = soleConvolution(n, 0, graph);
  if (!conv || conv.attributes.gate || conv.attributes.activation !== "none") return;
  return extend(conv, { activation: f });
}

/** rectifierGradient(conv, mask). */
export function gateGradient(n: Tensor, graph: Rewriting): Tensor | undefined {
  if (!isOp(n, "rectifierGradient") || !graph.isSole(n.inputs[0]!)) return;
  const [dy, gate] = graph.inputsOf(n) as [Tensor, Tensor];
  if (isConvolution(dy) && !dy.attributes.gate) return extend(dy, {}, { gate });
}
