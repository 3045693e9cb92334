/** In which order the nodes of a graph are computed. */
import type { Operation } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import { sizeOf, type Tensor } from "./tensor.ts";

/** Whether a node replaces its large input by something small: see {@linkcode Operation.early}. */
function isEarly(n: Tensor): boolean {
  return (OPERATIONS[n.op] as Operation<typeof n.op>).early ?? false;
}

/** Bytes of an input that its use keeps in memory; leaves are in memory anyway. */
function held(n: Tensor): number {
  return n.inputs.length === 0 ? 0 : sizeOf(n.shape);
}

/**
 * Computes what the backward pass keeps instead of an activation as soon as the activation is there,
 * which then need not be kept; and whatever holds less in memory by waiting than by being there, such
 * as a multiple of a variable, right before it is used.
 *
 * @param nodes a graph, inputs before users
 * @param roots its results
 */
export function schedule(nodes: readonly Tensor[], roots: readonly Tensor[]): Tensor[] {
  const before = new Map<Tensor, Tensor[]>();
  const after = new Map<Tensor, Tensor[]>();
  const put = (where: Map<Tensor, Tensor[]>, beside: Tensor, n: Tensor) =>
    where.set(beside, [...where.get(beside) ?? [], n]);
  const firstUser = new Map<Tensor, Tensor>();
  for (const n of nodes) {
    for (const input of n.inputs) if (!firstUser.has(input)) firstUser.set(input, n);
  }
  const isRoot = new Set(roots);
  const stay: Tensor[] = [];
  for (const n of nodes) {
    const user = firstUser.get(n);
    if (isEarly(n)) put(after, n.inputs[0]!, n);
    else if (
      user && !isRoot.has(n) && n.inputs.length > 0 &&
      n.inputs.reduce((bytes, input) => bytes + held(input), 0) === 0
    ) put(before, user, n);
    else stay.push(n);
  }
  const order: Tensor[] = [];
  const emit = (n: Tensor) => {
    before.get(n)?.forEach(emit);
    order.push(n);
    after.get(n)?.forEach(emit);
  };
  stay.forEach(emit);
  return order;
}
