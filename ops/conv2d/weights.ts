/** Weights in the order in which the convolution kernels read them. */
import source from "../../kernels/conv/pack_weights.wgsl" with { type: "text" };
import {
  type Call,
  type HostSheet,
  perTexel,
  type Workspace,
  workspace,
} from "../graph/operation.ts";
import { isOp, type Tensor } from "../graph/tensor.ts";
import type { WeightView } from "./view.ts";

/**
 * A view in the order of a kernel. With `quads` 0 it is that of depthwise_conv2d.wgsl: column kx,
 * row ⌊m/4⌋·rows + ky. Else that of conv2d.wgsl: column ((c·columns + kx)·4 + lane)·quads + quad, row
 * block·rows + ky, where a block is 4·quads outputs and c counts from the first quad of inputs that
 * a block needs; zeros between channels of different groups.
 */
export interface Packing extends WeightView {
  /** Channel quads of a block of outputs; 0 for a depthwise convolution. */
  readonly quads: number;
}

/** Weights as a kernel reads them. */
export type PackedWeights = Workspace | HostSheet;

/** The quads of inputs each block of outputs needs: how many at most. The first one is {@linkcode firstQuad}. */
export function inputQuads({ outputs, inputs, groups, quads }: Packing): number {
  const block = 4 * quads;
  const [perGroup, inputsPerGroup] = [outputs / groups, inputs / groups];
  let most = 0;
  for (let m = 0; m < outputs; m += block) {
    const last = Math.min(m + block, outputs) - 1;
    const end = Math.ceil((Math.floor(last / perGroup) + 1) * inputsPerGroup / 4);
    most = Math.max(most, end - firstQuad(m, perGroup, inputsPerGroup));
  }
  return most;
}

/** The first quad of inputs that outputs from m on need. */
function firstQuad(m: number, outputsPerGroup: number, inputsPerGroup: number): number {
  return Math.floor(Math.floor(m / outputsPerGroup) * inputsPerGroup / 4);
}

/** Texels across and down. */
function packedSize(a: Packing): { width: number; height: number } {
  if (a.quads === 0) {
    return { width: a.columns.count, height: Math.ceil(a.outputs / 4) * a.rows.count };
  }
  return {
    width: Math.max(1, inputQuads(a) * a.columns.count * 4 * a.quads),
    height: Math.max(1, Math.ceil(a.outputs / (4 * a.quads)) * a.rows.count),
  };
}

/** Packs on the host: weights that never change. */
function packOnHost(weight: Tensor<"constant">, a: Packing): HostSheet {
  const { outputs, inputs, groups, transposed, rows, columns, quads } = a;
  const [, , kh, kw] = weight.shape;
  const { width, height } = packedSize(a);
  const [perGroup, inputsPerGroup] = [outputs / groups, inputs / groups];
  const block = 4 * Math.max(quads, 1);
  const span = quads === 0 ? 1 : inputQuads(a) * 4;
  return {
    width,
    height,
    of: { weight, order: JSON.stringify(["packed", a]) },
    strip: Math.max(rows.count, 1),
    texels: (stored, from, count) => {
      const texels = new Float32Array(width * count * 4);
      const start = from / Math.max(rows.count, 1) * block;
      const end = Math.min(outputs, start + count / Math.max(rows.count, 1) * block);
      for (let m = start; m < end; m++) {
        const group = Math.floor(m / perGroup);
        const b = Math.floor(m / block);
        const first = quads === 0 ? m : 4 * firstQuad(b * block, perGroup, inputsPerGroup);
        for (let local = 0; local < span; local++) {
          const c = first + local;
          if (Math.floor(c / inputsPerGroup) !== group) continue;
          const filter = transposed
            ? c * perGroup + m - group * perGroup
            : m * inputsPerGroup + c - group * inputsPerGroup;
          for (let ky = 0; ky < rows.count; ky++) {
            const at = (filter * kh + rows.first + rows.step * ky) * kw + columns.first;
            const row = (b * rows.count + ky - from) * width;
            for (let kx = 0; kx < columns.count; kx++) {
              const column = quads === 0
                ? kx
                : (((local >> 2) * columns.count + kx) * 4 + (local & 3)) * quads;
              texels[(row + column) * 4 + (m % block)] = stored[at + columns.step * kx]!;
            }
          }
        }
      }
      return texels;
    },
  };
}

/** Packs on the device: weights that are not known before the program runs. */
function packCall(weight: Tensor, y: Workspace, a: Packing): Call {
  const { outputs, inputs, groups, transposed, rows, columns, quads } = a;
  return {
    source: { name: "packWeights", wgsl: source },
    defines: { QUADS: quads, TRANSPOSED: transposed },
    reads: { w: weight },
    writes: { y },
    parameters: {
      outputs,
      inputs,
      group_outputs: outputs / groups,
      group_inputs: inputs / groups,
      rows: rows.count,
      columns: Math.max(columns.count, 1),
      first_row: rows.first,
      first_column: columns.first,
      row_step: rows.step,
      column_step: columns.step,
    },
    workgroups: perTexel(y),
  };
}

/** A packed weight, and the calls that pack it where it is not known before the program runs. */
export function packWeights(
  weight: Tensor,
  packing: Packing,
): { w: PackedWeights; calls: Call[] } {
  if (isOp(weight, "constant")) return { w: packOnHost(weight, packing), calls: [] };
  const { width, height } = packedSize(packing);
  const w = workspace([1, 4 * height, 1, width]);
  return { w, calls: [packCall(weight, w, packing)] };
}
