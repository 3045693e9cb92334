/** Computes functions of one number per channel on the host. */
import { onHost } from "../../element/elementwise.ts";
import { constant, isOp, type Tensor } from "../../graph/tensor.ts";
import { isChannelConstant } from "./convolution.ts";
import { derived } from "./derived.ts";
import type { Rewriting } from "./rewrite.ts";

/** A function of constants, each one number per channel. */
export function foldConstants(n: Tensor, graph: Rewriting): Tensor | undefined {
  if (!isOp(n, "elementwise")) return;
  const inputs = graph.inputsOf(n);
  if (!inputs.every((input) => isChannelConstant(input, n.shape[1]))) return;
  const values = onHost(n.attributes, inputs);
  const { f, k, l } = n.attributes;
  return values && derived(`${f} ${k} ${l}`, inputs, () => constant(n.shape, values));
}
