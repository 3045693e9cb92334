/**
 * A maximum is an element of what was pooled, so a rectifier before a pool
 * lets the gradient of a window's winner through where it let the maximum through: the gradient can
 * be gated before it is spread over the windows, by a mask of the pooled picture, which is smaller,
 * and the gate can become the epilogue of what computes that gradient.
 */
import { ancestors } from "../../autograd/gradient.ts";
import { rectifierGradient } from "../../element/rectifier_mask.ts";
import { rewrite, usesOf } from "./rewrite.ts";
import { isOp, node, type Tensor } from "../../graph/tensor.ts";

/**
 * Gates gradients before a maximum pool spreads them.
 *
 * @returns for each root, the tensor that now has its value
 */
export function gatePooled(roots: readonly Tensor[]): Tensor[] {
  const nodes = ancestors(roots);
  const uses = usesOf(nodes, roots);
  const pools = nodes.filter((n) => isOp(n, "maxPool2d"));

  const now = new Map<Tensor, Tensor>();
  rewrite(nodes, now, (n) => {
    if (!isOp(n, "rectifierGradient")) return;
    const [spread, mask] = n.inputs as [Tensor, Tensor];
    if (!isOp(spread, "maxPool2dGradient") || !isOp(mask, "rectifierMask")) return;
    if (uses.get(spread) !== 1) return;
    const [dy, indices] = spread.inputs as [Tensor, Tensor];
    const [x] = mask.inputs as [Tensor];
    if (indices.inputs[0] !== x) return;
    // The gradient's attributes are those of its pool.
    const y = pools.find((p) => p.inputs[0] === x && p.attributes === spread.attributes);
    if (!y) return;
    const gated = rectifierGradient(now.get(dy)!, now.get(y)!, mask.attributes.rectifier);
    return node(spread.op, spread.shape, [gated, now.get(indices)!], spread.attributes);
  });
  return roots.map((root) => now.get(root)!);
}
