/** In which order the nodes of a graph are computed. */
import type { Operation } from "../graph/operation.ts";
import { OPERATIONS } from "../autograd/operations.ts";
import type { Tensor } from "../graph/tensor.ts";

/** Whether a node replaces its large input by something small: see {@linkcode Operation.early}. */
function isEarly(n: Tensor): boolean {
  return (OPERATIONS[n.op] as Operation<typeof n.op>).early ?? false;
}

/** Whether a node may wait until it is used: it keeps nothing in memory that would not be there. */
function isLate(n: Tensor): boolean {
  return ["elementwise", "fusedElementwise", "radialMask"].includes(n.op) &&
    n.inputs.every(({ inputs }) => inputs.length === 0);
}

/**
 * Computes what the backward pass keeps instead of an activation as soon as the activation is there,
 * which then need not be kept; and simple functions of variables and constants right before they are used.
 *
 * @param nodes a graph, inputs before users
 * @param roots its results
 */
export function orderNodes(nodes: readonly Tensor[], roots: readonly Tensor[]): Tensor[] {
  const before = new Map<Tensor, Tensor[]>();
  const after = new Map<Tensor, Tensor[]>();
  const put = (where: Map<Tensor, Tensor[]>, beside: Tensor, n: Tensor) =>
    where.set(beside, [...where.get(beside) ?? [], n]);
  const firstUser = new Map<Tensor, Tensor>();
  const awaited = new Set<Tensor>();
  for (const n of nodes) {
    if (isEarly(n)) {
      awaited.add(n.inputs[0]!);
      continue;
    }
    for (const input of n.inputs) if (!firstUser.has(input)) firstUser.set(input, n);
  }
  const isRoot = new Set(roots);
  const stay: Tensor[] = [];
  for (const n of nodes) {
    const user = firstUser.get(n);
    if (isEarly(n)) put(after, n.inputs[0]!, n);
    else if (user && isLate(n) && !isRoot.has(n) && !awaited.has(n)) put(before, user, n);
    else stay.push(n);
  }
  const order: Tensor[] = [];
  const emit = (n: Tensor) => {
    before.get(n)?.forEach(emit);
    order.push(n);
    after.get(n)?.forEach(emit);
  };
  stay.forEach(emit);
  if (order.length !== nodes.length) throw new Error("orderNodes: nodes wait for each other");
  return order;
}
