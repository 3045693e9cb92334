/** From a graph to the dispatches that compute it. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { ChooseVariant } from "../graph/convolution.ts";
import { copy } from "../element/elementwise.ts";
import { maxPool2dIndicesCall, poolsWithIndices } from "../pool/max_pool2d.ts";
import type { Call, Operation } from "../graph/operation.ts";
import { OPERATIONS } from "../autograd/operations.ts";
import { partRows, type Placement } from "./placement.ts";
import { isOp, type Tensor } from "../graph/tensor.ts";
import type { Variable } from "../graph/variable.ts";

/** Where a copy goes when not to its own tensor. */
export type Destination = { variable: Variable } | { whole: Tensor; row: number };

/** The dispatches of one node, or of a copy. */
export interface LoweredNode {
  readonly calls: readonly Call[];
  readonly destination?: Destination;
}

/**
 * What is dispatched for a graph, in order: every node's calls, copies of what could not be placed in
 * its concatenation, and at the end the copies into variables.
 *
 * @param nodes the graph, inputs before users
 * @param choose how convolutions are computed
 */
export function lower(
  gpu: Gpu,
  nodes: readonly Tensor[],
  placement: Placement,
  assign: readonly (readonly [Variable, Tensor])[],
  choose: ChooseVariant,
): LoweredNode[] {
  const lowered: LoweredNode[] = [];
  const callsOf = (n: Tensor) => (OPERATIONS[n.op] as Operation<typeof n.op>).lower(n, gpu, choose);
  const pools = poolsWithIndices(nodes);
  const pooled = new Set<Tensor>(pools.values());
  for (const n of nodes) {
    if (pooled.has(n)) continue; // made with the positions of its maxima
    if (isOp(n, "maxPool2dIndices") && pools.has(n)) {
      lowered.push({ calls: [maxPool2dIndicesCall(n, pools.get(n))] });
    } else if (isOp(n, "concat")) {
      for (const { part, row } of partRows(n)) {
        if (placement.isPlaced(part, n, row)) continue;
        lowered.push({ calls: callsOf(copy(part)), destination: { whole: n, row } });
      }
    } else if (!placement.isWindow(n)) lowered.push({ calls: callsOf(n) });
  }
  for (const [variable, value] of assign) {
    lowered.push({ calls: callsOf(copy(value)), destination: { variable } });
  }
  return lowered;
}
