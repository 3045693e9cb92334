/** Rebuilding a graph in which some nodes are replaced. */
import { node, type Tensor } from "./tensor.ts";

/**
 * Goes through a graph, inputs first, and makes each node anew whose inputs have changed.
 *
 * @param nodes the graph, inputs before users
 * @param now filled with the tensor that has a node's value now, for each node
 * @param replace what takes a node's place, if not the same operation
 */
export function rewrite(
  nodes: readonly Tensor[],
  now: Map<Tensor, Tensor>,
  replace: (n: Tensor) => Tensor | undefined,
): void {
  for (const n of nodes) {
    const inputs = n.inputs.map((input) => now.get(input)!);
    const changed = inputs.some((input, i) => input !== n.inputs[i]);
    now.set(n, replace(n) ?? (changed ? node(n.op, n.shape, inputs, n.attributes) : n));
  }
}
