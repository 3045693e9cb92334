/** Who uses the nodes of a graph, and rebuilding a graph in which some are replaced. */
import { node, type Tensor } from "../../graph/tensor.ts";

/** A graph while it is rewritten, as the rules of single nodes see it. */
export class Rewriting {
  readonly #now: ReadonlyMap<Tensor, Tensor>;
  readonly #uses: ReadonlyMap<Tensor, number>;

  /**
   * @param now the tensor that has a node's value now, for each node that was rewritten
   * @param uses how often each node is read or asked for
   */
  constructor(now: ReadonlyMap<Tensor, Tensor>, uses: ReadonlyMap<Tensor, number>) {
    this.#now = now;
    this.#uses = uses;
  }

  /** The tensor that has a node's value now; the node comes before the one that is looked at. */
  now(n: Tensor): Tensor {
    return this.#now.get(n)!;
  }

  /** The inputs of a node as they are now. */
  inputsOf(n: Tensor): Tensor[] {
    return n.inputs.map((input) => this.now(input));
  }

  /** Whether a node is read once and nobody asked for it. */
  isSole(n: Tensor): boolean {
    return this.#uses.get(n) === 1;
  }
}

/** The nodes that read each node of a graph, as often as they do. */
export function usersOf(nodes: readonly Tensor[]): Map<Tensor, Tensor[]> {
  const users = new Map<Tensor, Tensor[]>(nodes.map((n) => [n, []]));
  for (const n of nodes) for (const input of n.inputs) users.get(input)!.push(n);
  return users;
}

/** How often each node of a graph is read or asked for. */
export function usesOf(nodes: readonly Tensor[], asked: readonly Tensor[]): Map<Tensor, number> {
  const uses = new Map<Tensor, number>();
  for (const n of [...asked, ...nodes.flatMap(({ inputs }) => inputs)]) {
    uses.set(n, (uses.get(n) ?? 0) + 1);
  }
  return uses;
}

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
