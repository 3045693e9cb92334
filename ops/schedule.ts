/** In which order the nodes of a graph are computed. */
import type { Operation } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import type { Tensor } from "./tensor.ts";

/** Whether a node replaces its large input by something small: see {@linkcode Operation.early}. */
function isEarly(n: Tensor): boolean {
  return (OPERATIONS[n.op] as Operation<typeof n.op>).early ?? false;
}

/**
 * Moves what the backward pass keeps instead of an activation to where the activation is made, so
 * that the activation itself need not be kept.
 *
 * @param nodes a graph, inputs before users
 */
export function schedule(nodes: readonly Tensor[]): Tensor[] {
  const waiting = new Map<Tensor, Tensor[]>();
  for (const n of nodes) {
    if (!isEarly(n)) continue;
    const [input] = n.inputs as [Tensor];
    waiting.set(input, [...waiting.get(input) ?? [], n]);
  }
  return nodes.flatMap((n) => isEarly(n) ? [] : [n, ...waiting.get(n) ?? []]);
}
