/** Chains of element functions as one kernel each. */
import { isCheap } from "../../element/elementwise.ts";
import { ancestors } from "../../autograd/gradient.ts";
import { sheetSize } from "../../../kernels/runtime/sheet.ts";
import { rewrite, usersOf } from "./rewrite.ts";
import { isOp, node, sameShape, type Shape, type Tensor } from "../../graph/tensor.ts";

/** With the result, a kernel of six operands leaves one of the eight buffers that WebGPU promises. */
const MOST_OPERANDS = 6;

/**
 * Smaller results are left to the kernels of single functions, which any number of them share: a
 * software adapter dispatches in 35 µs what it takes 25 ms to translate.
 */
const FEWEST_TEXELS = 64;

/** Longer ones would save little more, and hardly two kernels would share a pipeline. */
const MOST_STEPS = 16;

/** Element functions that become one kernel. */
interface Fusion {
  /** The functions in order; the last one makes the result. */
  readonly members: readonly Tensor<"elementwise">[];
  /** What it reads. */
  readonly operands: ReadonlySet<Tensor>;
}

/** One kernel for what was several. */
function merge(groups: readonly Fusion[]): Fusion {
  const members = [...new Set(groups.flatMap((each) => each.members))].sort((a, b) => a.id - b.id);
  const made = new Set<Tensor>(members);
  const operands = new Set(members.flatMap(({ inputs }) => inputs.filter((i) => !made.has(i))));
  return { members, operands };
}

/** Decides which element functions of a graph are computed together. */
class Fusions {
  /** The group that makes each element function, if it is not absorbed. */
  readonly groups = new Map<Tensor, Fusion>();
  readonly #asked: ReadonlySet<Tensor>;
  readonly #users: ReadonlyMap<Tensor, Tensor[]>;

  /** @param nodes a graph, inputs before users */
  constructor(nodes: readonly Tensor[], asked: readonly Tensor[]) {
    this.#asked = new Set(asked);
    this.#users = usersOf(nodes);
    for (const n of nodes) if (isOp(n, "elementwise")) this.groups.set(n, this.#grown(n));
  }

  /** A function with all before it that its kernel can take over, together or one by one. */
  #grown(result: Tensor<"elementwise">): Fusion {
    let group: Fusion = { members: [result], operands: new Set(result.inputs) };
    const { width, height } = sheetSize(result.shape);
    if (width * height < FEWEST_TEXELS) return group;
    for (;;) {
      const ready = this.#onlyFor(group);
      const larger = [ready, ...ready.map((n) => [n])].map((absorbed) =>
        this.#merged(group, absorbed, result)
      ).find((merged) => merged !== undefined);
      if (!larger) return group;
      group = larger;
    }
  }

  /** Operands that are element functions whose every user is in the group. */
  #onlyFor({ members, operands }: Fusion): Tensor[] {
    const made = new Set<Tensor>(members);
    return [...operands].filter((n) =>
      this.groups.has(n) && !this.#asked.has(n) && this.#users.get(n)!.every((u) => made.has(u))
    );
  }

  /** The group with some of its operands made in it; nothing where that is not worth it. */
  #merged(group: Fusion, absorbed: readonly Tensor[], result: Tensor): Fusion | undefined {
    const merged = merge([...absorbed.map((n) => this.groups.get(n)!), group]);
    const { members, operands } = merged;
    const isRepeated = (n: Tensor) => !sameShape(n.shape, result.shape);
    const reads = absorbed.some(isRepeated) ? group.operands.size : MOST_OPERANDS;
    const good = absorbed.length > 0 && members.length <= MOST_STEPS && operands.size <= reads &&
      members.every((n) => !isRepeated(n) || isCheap(n.attributes.f)) &&
      this.#kept(merged, result) <= this.#kept(group, result);
    return good ? merged : undefined;
  }

  /** How many tensors of the result's size wait for it and for nothing later. */
  #kept({ operands }: Fusion, result: Tensor): number {
    const isLast = (n: Tensor) =>
      !this.#asked.has(n) && this.#users.get(n)!.every(({ id }) => id <= result.id);
    return [...operands].filter((n) =>
      n.inputs.length > 0 && sameShape(n.shape, result.shape) && isLast(n)
    ).length;
  }
}

/**
 * Rewrites the graph below the given tensors. A function is computed in the kernel of its users where
 * all of these are in one kernel, nobody asked for it, and
 *
 * - it has the result's shape; or is cheap, and nothing more is read for repeating it;
 * - no more memory is needed: a sum of terms made one after the other is not to keep them all.
 *
 * @returns for each of them, the tensor that now has its value
 */
export function fuseElements(roots: readonly Tensor[]): Tensor[] {
  const nodes = ancestors(roots);
  const { groups } = new Fusions(nodes, roots);
  const now = new Map<Tensor, Tensor>();
  rewrite(nodes, now, (n) => {
    const group = groups.get(n);
    if (group && group.members.length > 1) return fused(group, n.shape, now);
  });
  return roots.map((root) => now.get(root)!);
}

/** A group as one node. */
function fused(
  { members, operands }: Fusion,
  shape: Shape,
  now: ReadonlyMap<Tensor, Tensor>,
): Tensor {
  const values = [...operands, ...members];
  const steps = members.map(({ inputs, attributes }) => ({
    ...attributes,
    operands: inputs.map((input) => values.indexOf(input)),
  }));
  const inputs = [...operands].map((operand) => now.get(operand)!);
  return node("fusedElementwise", shape, inputs, { steps });
}
