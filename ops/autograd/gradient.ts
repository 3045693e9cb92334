/** Reverse-mode differentiation: adds the gradient's nodes to the graph of the loss. */
import { add, expand } from "../element/elementwise.ts";
import { OPERATIONS } from "./operations.ts";
import type { Operation } from "../graph/operation.ts";
import { constant, formatShape, type Tensor } from "../graph/tensor.ts";

/** All nodes the given ones depend on, themselves included, inputs before their users. */
export function ancestors(tensors: readonly Tensor[]): Tensor[] {
  const seen = new Set<Tensor>();
  const visit = [...tensors];
  for (let tensor = visit.pop(); tensor; tensor = visit.pop()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    visit.push(...tensor.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/**
 * The gradients of Σ loss with respect to `wrt`, as new nodes.
 *
 * @throws {TypeError} when the way from a tensor to the loss has an operation without a gradient,
 * or there is no way.
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  const nodes = ancestors([loss]);
  const active = new Set<Tensor>(wrt);
  for (const node of nodes) if (node.inputs.some((input) => active.has(input))) active.add(node);

  const one = constant([1, 1, 1, 1], () => new Float32Array([1]));
  const collected = new Map<Tensor, Tensor>([[loss, expand(one, loss.shape)]]);
  for (const node of nodes.reverse()) {
    const dy = collected.get(node);
    const needs = node.inputs.map((input) => active.has(input));
    if (!dy || !needs.includes(true)) continue;
    const operation = OPERATIONS[node.op] as Operation<typeof node.op>;
    if (typeof operation.gradient === "string") {
      throw new TypeError(`${node.op} has no gradient: ${operation.gradient}`);
    }
    operation.gradient(node, dy, needs).forEach((gradient, i) => {
      if (!needs[i] || !gradient) return;
      const input = node.inputs[i]!;
      const sofar = collected.get(input);
      collected.set(input, sofar ? add(sofar, gradient) : gradient);
    });
  }
  return wrt.map((tensor) => {
    const gradient = collected.get(tensor);
    if (!gradient) {
      throw new TypeError(`the loss does not depend on ${tensor.op} ${formatShape(tensor.shape)}`);
    }
    return gradient;
  });
}
