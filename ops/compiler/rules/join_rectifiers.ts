/**
 * Where rectified tensors are concatenated, each takes its slice of the
 * gradient and its own mask to it. One mask for the whole gradient does the same, and can then become
 * the epilogue of whatever computes that.
 */
import { ancestors } from "../../autograd/gradient.ts";
import { rectifierGradient } from "../../element/rectifier_mask.ts";
import { rewrite, usersOf } from "./rewrite.ts";
import { isOp, node, type Tensor } from "../../graph/tensor.ts";

/** Slices of one gradient, each gated by the mask of its part of a concatenation. */
interface Joint {
  readonly gradient: Tensor;
  readonly whole: Tensor;
  readonly rectifier: "relu" | "relu6";
}

/** The gated slice of a gradient and what is gated by, if that is what the node is. */
function gatedSlice(n: Tensor) {
  if (!isOp(n, "rectifierGradient")) return;
  const [piece, mask] = n.inputs as [Tensor, Tensor];
  if (!isOp(piece, "slice") || !isOp(mask, "rectifierMask")) return;
  const { start, step } = piece.attributes;
  const [gradient] = piece.inputs as [Tensor];
  const rows = piece.shape[2] === gradient.shape[2] && piece.shape[3] === gradient.shape[3];
  if (!rows || step.some((s) => s !== 1)) return;
  return { gate: n, piece, gradient, start: start[0], part: mask.inputs[0]!, mask };
}

/** The gradients all of whose slices can be gated at once, by each node that gates one. */
function findJoints(nodes: readonly Tensor[], roots: readonly Tensor[]): Map<Tensor, Joint> {
  const users = usersOf(nodes);
  const asked = new Set(roots);
  const joints = new Map<Tensor, Joint>();
  for (const whole of nodes) {
    if (!isOp(whole, "concat")) continue;
    const gates = whole.inputs.map((part) =>
      users.get(part)!
        .filter((user) => isOp(user, "rectifierMask"))
        .flatMap((mask) => users.get(mask)!)
        .map(gatedSlice)
        .find((gated) => gated?.part === part)
    );
    const [first] = gates;
    if (!first) continue;
    const { gradient, mask: { attributes: { rectifier } } } = first;
    let start = 0;
    const fits = gates.every((each, i) => {
      const at = start;
      start += whole.inputs[i]!.shape[1];
      return each && each.gradient === gradient && each.start === at &&
        each.piece.shape[1] === whole.inputs[i]!.shape[1] &&
        each.mask.attributes.rectifier === rectifier &&
        users.get(each.piece)!.length === 1 && !asked.has(each.piece);
    });
    const alone = users.get(gradient)!.length === gates.length && !asked.has(gradient);
    if (!fits || !alone || start !== gradient.shape[1]) continue;
    for (const gate of gates) joints.set(gate!.gate, { gradient, whole, rectifier });
  }
  return joints;
}

/**
 * Gates gradients of concatenations before they are sliced.
 *
 * @returns for each root, the tensor that now has its value
 */
export function joinRectifiers(roots: readonly Tensor[]): Tensor[] {
  const nodes = ancestors(roots);
  const joints = findJoints(nodes, roots);
  if (joints.size === 0) return [...roots];
  const now = new Map<Tensor, Tensor>();
  const gated = new Map<Tensor, Tensor>();
  rewrite(nodes, now, (n) => {
    const joint = joints.get(n);
    if (!joint) return;
    const { gradient, whole, rectifier } = joint;
    const all = gated.get(gradient) ??
      rectifierGradient(now.get(gradient)!, now.get(whole)!, rectifier);
    gated.set(gradient, all);
    return node("slice", n.shape, [all], (n.inputs[0] as Tensor<"slice">).attributes);
  });
  return roots.map((root) => now.get(root)!);
}
