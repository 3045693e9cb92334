/** dL/dw of a convolution from its input and dL/dy. */
import source from "../../kernels/conv/conv2d_weight_gradient.wgsl" with { type: "text" };
import sumSource from "../../kernels/conv/sum_parts.wgsl" with { type: "text" };
import type { ConvolutionGeometry } from "../graph/attributes.ts";
import { type Operation, perTexel, workspace } from "../graph/operation.ts";
import { pixelsRead, range } from "./tile.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/** Accumulators (vec4f) of an invocation: more would not stay in registers. */
const ACCUMULATORS = 48;
/** Pixels an invocation takes at a time. */
const TILE = 4;
/** Invocations that keep a device busy. */
const INVOCATIONS = 4096;
/** Some drivers give up on a kernel after 65535 turns of its loops. */
const TURNS = 50_000;

/** Output channels of an invocation. */
function outputsOf(groups: number, columns: number): number {
  if (groups !== 1) return 1;
  return [16, 8].find((outputs) => outputs * columns <= ACCUMULATORS) ?? 4;
}

/** dw [O,I/groups,kh,kw] as a node. */
export function conv2dWeightGradient(
  x: Tensor,
  dy: Tensor,
  weight: Tensor,
  geometry: ConvolutionGeometry,
): Tensor {
  const { stride, padding, dilation, groups } = geometry;
  const attributes = { stride, padding, dilation, groups };
  return node("conv2dWeightGradient", weight.shape, [x, dy], attributes);
}

/** Table entry. */
export const conv2dWeightGradientOperation: Operation<"conv2dWeightGradient"> = {
  lower(dw, gpu) {
    const { stride, padding, dilation, groups } = dw.attributes;
    const [x, dy] = dw.inputs as [Tensor, Tensor];
    const [outputs, inputs, kernelRows, columns] = dw.shape;
    const each = outputsOf(groups, columns);
    const blocks = Math.ceil(outputs / each);
    const places = Math.ceil(inputs / 4) * kernelRows;
    const allRows = dy.shape[0] * dy.shape[2];
    const turns = Math.ceil(dy.shape[3] / TILE) + 1; // of a row
    const wanted = Math.max(
      INVOCATIONS / (blocks * places),
      allRows * turns / TURNS,
    );
    const rows = Math.max(1, Math.floor(allRows / wanted));
    const parts = Math.ceil(allRows / rows);
    const workgroup = gpu.software ? 16 : 64;
    const y = parts === 1 ? dw : workspace([parts * outputs, inputs, kernelRows, columns]);
    const partial = {
      source: { name: "conv2dWeightGradient", wgsl: source },
      defines: {
        OUTPUTS: each,
        OUTPUT_QUADS: Math.ceil(each / 4),
        LANES: Math.min(each, 4),
        KW: columns,
        TILE,
        STRIDE: stride[1],
        DILATION: dilation[1],
        READ: pixelsRead(TILE, stride[1], range(columns).map((k) => k * dilation[1])),
        GROUPED: groups !== 1,
        WORKGROUP: workgroup,
      },
      reads: { x, dy },
      writes: { y },
      parameters: {
        outputs,
        parts,
        rows,
        kernel_rows: kernelRows,
        group_outputs: outputs / groups,
        group_inputs: inputs,
        stride_y: stride[0],
        dilation_y: dilation[0],
        padding_y: padding[0],
        padding_x: padding[1],
      },
      workgroups: [Math.ceil(places * parts / workgroup), blocks, 1] as const,
    };
    if (parts === 1) return [partial];
    return [partial, {
      source: { name: "sumParts", wgsl: sumSource },
      reads: { x: y },
      writes: { y: dw },
      parameters: { parts },
      workgroups: perTexel(dw),
    }];
  },
  gradient: "second derivatives are not part of the method",
};
