/** The calls that compute a convolution, in the way that was chosen. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { ChooseVariant, Geometry, Variant } from "../graph/convolution.ts";
import type { Call } from "../graph/operation.ts";
import { isOp } from "../graph/tensor.ts";
import { columnsOf, direct } from "./direct.ts";
import { type Convolution, epilogueOf } from "./epilogue.ts";
import type { ConvolutionPart } from "./part.ts";
import { forwards, implicitGemm, product } from "./products.ts";
import { applies } from "./variants.ts";
import { packWeights } from "./weights.ts";
import { winograd } from "./winograd_calls.ts";

/** What the choice of a variant is told. */
function geometryOf(y: Convolution, part: ConvolutionPart): Geometry {
  const { x, weight, view, stride, dilation, start, outputs, step } = part;
  return {
    pictures: y.shape[0],
    inputs: view.inputs,
    outputs: view.outputs,
    size: outputs,
    kernel: [view.rows.count, view.columns.count],
    stride,
    dilation,
    groups: view.groups,
    whole: step[0] === 1 && step[1] === 1,
    sameSize: start[0] === 0 && start[1] === 0 && x.shape[2] === outputs[0] &&
      x.shape[3] === outputs[1],
    constantWeights: isOp(weight, "constant"),
  };
}

/** Columns of a filter whose phases are computed together: more make code that fits no cache. */
const COLUMNS_TOGETHER = 4;

/**
 * The calls that compute a convolution the way that was chosen.
 *
 * @param parts one, or those that together are all columns of some rows: they read the same inputs,
 * so that one dispatch may compute them all
 * @throws {RangeError} when that way cannot compute it.
 */
export function dispatchConvolution(
  y: Convolution,
  gpu: Gpu,
  choose: ChooseVariant,
  parts: readonly ConvolutionPart[],
): Call[] {
  const chosen = parts.map((part) => {
    const geometry = geometryOf(y, part);
    const variant = choose(gpu, geometry);
    if (!applies(variant.algorithm, geometry)) {
      throw new RangeError(
        `${variant.algorithm} cannot compute the convolution ${JSON.stringify(geometry)}`,
      );
    }
    return { part, geometry, variant };
  });
  const unrolled = chosen.flatMap(({ variant: v }) =>
    v.algorithm === "direct" && !v.rolled && v.tile.quads === 1 ? [v] : []
  );
  const [, , , columns] = parts[0]!.weight.shape;
  // A picture narrower than the stride leaves some columns of the filter out.
  const all = columnsOf(parts).columns.count === columns;
  if (all && columns <= COLUMNS_TOGETHER && unrolled.length === parts.length) {
    return direct(y, parts, unrolled[0]!);
  }
  return chosen.flatMap(({ part, geometry, variant }) => {
    return dispatchPart(y, gpu, part, geometry, variant);
  });
}

/** The calls for one part, the chosen way. */
function dispatchPart(
  y: Convolution,
  gpu: Gpu,
  part: ConvolutionPart,
  geometry: Geometry,
  variant: Variant,
): Call[] {
  switch (variant.algorithm) {
    case "direct":
      return direct(y, [part], variant);
    case "gemm": {
      const { tile } = variant;
      const { view, weight } = part;
      const { w, calls } = packWeights(weight, { ...forwards(view), quads: 1 });
      const { reads, defines } = epilogueOf(y);
      const { transposed } = view;
      const how = { batched: false, transposed, reads, defines };
      return [...calls, product(part.x, w, y, tile, how)];
    }
    case "implicitGemm": {
      const { tile } = variant;
      const { w, calls } = packWeights(part.weight, { ...part.view, quads: tile.quads });
      return [...calls, implicitGemm(y, part, w, tile)];
    }
    default:
      return winograd(y, gpu, part, geometry, variant);
  }
}
