/**
 * Which tensors have memory of their own. A window (an aligned slice) lies inside its input; the
 * parts of a concatenation lie inside the whole, where their producers write them, when nothing
 * stands in the way; only the other parts are copied.
 */
import type { Operation } from "../graph/operation.ts";
import { OPERATIONS } from "../autograd/operations.ts";
import { isOp, type Tensor } from "../graph/tensor.ts";

/** A tensor's memory: rows of another's, or its own from row 0. */
export interface Owner {
  readonly tensor: Tensor;
  /** First texel row. */
  readonly row: number;
}

/** Decides where the tensors of a graph lie. */
export class Placement {
  readonly #inside = new Map<Tensor, Owner>();
  readonly #windows = new Set<Tensor>();

  /** @param nodes the whole graph, inputs before users */
  constructor(nodes: readonly Tensor[]) {
    for (const n of nodes) {
      const row = (OPERATIONS[n.op] as Operation<typeof n.op>).view?.(n);
      if (row !== undefined) {
        this.#inside.set(n, { tensor: n.inputs[0]!, row });
        this.#windows.add(n);
      }
      if (isOp(n, "concat")) this.#placeParts(n);
    }
  }

  /** Who owns a tensor's memory, and where in it the tensor starts. */
  owner(tensor: Tensor): Owner {
    const inside = this.#inside.get(tensor);
    if (!inside) return { tensor, row: 0 };
    const owner = this.owner(inside.tensor);
    return { tensor: owner.tensor, row: owner.row + inside.row };
  }

  /** Whether a tensor is a window on its input, so that nothing needs to be computed. */
  isWindow(tensor: Tensor): boolean {
    return this.#windows.has(tensor);
  }

  /** Whether a part of a concatenation is written straight into it, at this row. */
  isPlaced(part: Tensor, whole: Tensor, row: number): boolean {
    const inside = this.#inside.get(part);
    return inside?.tensor === whole && inside.row === row;
  }

  #placeParts(whole: Tensor<"concat">): void {
    const parts = partRows(whole);
    const placed: Tensor[] = [];
    for (const { part, row } of parts) {
      if (part.inputs.length === 0 || this.#inside.has(part)) continue;
      this.#inside.set(part, { tensor: whole, row });
      placed.push(part);
      // A kernel must not read the memory it writes: no part may be made from another, nor copied
      // from it (a window on it, or the same part again).
      const inWhole = (tensor: Tensor) => this.owner(tensor).tensor === whole;
      const reads = placed.some((p) => p.inputs.some(inWhole)) ||
        parts.some((p) => !this.isPlaced(p.part, whole, p.row) && inWhole(p.part));
      if (reads) {
        this.#inside.delete(part);
        placed.pop();
      }
    }
  }
}

/** The parts of an aligned concatenation with the texel row where each starts. */
export function partRows(whole: Tensor<"concat">): { part: Tensor; row: number }[] {
  let row = 0;
  return whole.inputs.map((part) => {
    const at = { part, row };
    row += part.shape[1] / 4 * part.shape[2];
    return at;
  });
}
