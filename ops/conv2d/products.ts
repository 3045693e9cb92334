/** Matrix products: 1×1 convolutions, convolutions seen as products, and those of Winograd's algorithm. */
import gemmSource from "../../kernels/conv/gemm.wgsl" with { type: "text" };
import implicitSource from "../../kernels/conv/implicit_gemm.wgsl" with { type: "text" };
import placeSource from "../../kernels/conv/winograd_place.wgsl" with { type: "text" };
import type { StagedTile, Tile } from "../graph/convolution.ts";
import type { Call, HostSheet, Workspace } from "../graph/operation.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Convolution, epilogueOf, epilogueSource, NO_EPILOGUE } from "./epilogue.ts";
import { type ConvolutionPart, placeOf } from "./part.ts";
import type { WeightView } from "./view.ts";
import type { PackedWeights } from "./weights.ts";

/** A kernel of products that may be those of reversed filters. */
function placed(source: string, reversed: readonly number[] | undefined): string {
  return (reversed ? placeSource : "") + source;
}

/** The view of a 1×1 convolution's weights that it shares with its gradient. */
export function forwards(view: WeightView): WeightView {
  const { inputs, outputs, groups, transposed } = view;
  const one = { count: 1, first: 0, step: 1 };
  const taps = { groups, transposed: false, rows: one, columns: one };
  return transposed ? { ...taps, outputs: inputs, inputs: outputs } : { ...taps, outputs, inputs };
}

/** A matrix product: gemm.wgsl. */
export function product(
  x: Tensor | Workspace,
  w: PackedWeights,
  y: Tensor | Workspace,
  { quads, pixels, workgroup }: Tile,
  { batched, reversed, transposed = reversed !== undefined, reads = {}, defines = NO_EPILOGUE }: {
    batched: boolean;
    /** In a batch of reversed filters, where the weights are: see winograd.ts. */
    reversed?: readonly number[] | undefined;
    /** As a batch of reversed filters is. */
    transposed?: boolean;
    reads?: Record<string, Tensor>;
    defines?: ReturnType<typeof epilogueOf>["defines"];
  },
): Call {
  const [n, channels, rows, columns] = y.shape;
  const tiles = Math.ceil(n * columns / pixels);
  return {
    source: { name: "gemm", wgsl: epilogueSource + placed(gemmSource, reversed) },
    defines: {
      ...defines,
      PLACE: reversed,
      QUADS: quads,
      TILE: pixels,
      WORKGROUP: workgroup,
      BATCHED: batched,
      TRANSPOSED: transposed,
      EDGE: n * columns % pixels !== 0,
    },
    reads: { x, w, ...reads },
    writes: { y },
    parameters: { tiles },
    workgroups: [
      Math.ceil(channels / (4 * quads)),
      Math.ceil(tiles * rows / workgroup),
      1,
    ],
  };
}

/** Whether a tile is for a kernel that stages. */
export function isStaged(tile: Tile): tile is StagedTile {
  return tile.staged !== undefined;
}

/** Template constants and workgroups of implicit_gemm.wgsl. */
function stagedBy({ quads, pixels, workgroup, staged: { blocks, step } }: StagedTile) {
  const across = workgroup / blocks;
  return {
    defines: {
      QUADS: quads,
      TILE: pixels,
      ACROSS: across,
      DOWN: blocks,
      STEP: step,
      STAGES_X: Math.ceil(step * pixels / blocks),
      STAGES_W: Math.ceil(step * 4 * quads / across),
    },
    workgroups: (positions: number, outputs: number, matrices: number) =>
      [
        Math.ceil(positions / (across * pixels)),
        Math.ceil(outputs / (4 * quads * blocks)),
        matrices,
      ] as const,
  };
}

/** As a matrix product with operands in workgroup memory. */
export function implicitGemm(
  y: Convolution,
  d: ConvolutionPart,
  w: PackedWeights,
  tile: StagedTile,
): Call {
  const { rows, columns, outputs, inputs } = d.view;
  const { reads, defines } = epilogueOf(y);
  const staged = stagedBy(tile);
  const positions = y.shape[0] * d.outputs[0] * d.outputs[1];
  const quads = Math.ceil(inputs / 4);
  return {
    source: { name: "implicitGemm", wgsl: epilogueSource + implicitSource },
    defines: { ...defines, ...staged.defines, BATCHED: false, TRANSPOSED: false },
    reads: { x: d.x, w, ...reads },
    writes: { y },
    parameters: {
      ...placeOf(d),
      positions,
      turns: rows.count * quads * columns.count,
      input_quads: quads,
    },
    workgroups: staged.workgroups(positions, outputs, 1),
  };
}

/** The products of Winograd's algorithm with operands in workgroup memory. */
export function stagedProducts(
  v: Workspace,
  w: HostSheet,
  m: Workspace,
  tile: StagedTile,
  reversed: readonly number[] | undefined,
): Call {
  const [, outputs, matrices, positions] = m.shape;
  const quads = Math.ceil(v.shape[1] / 4);
  const staged = stagedBy(tile);
  return {
    source: { name: "stagedProducts", wgsl: epilogueSource + placed(implicitSource, reversed) },
    defines: {
      ...NO_EPILOGUE,
      ...staged.defines,
      BATCHED: true,
      TRANSPOSED: reversed !== undefined,
      PLACE: reversed,
    },
    reads: { x: v, w },
    writes: { y: m },
    parameters: {
      positions,
      matrices,
      rows: 1,
      columns: positions,
      turns: quads,
      input_quads: quads,
      kernel_columns: 1,
      dilation_y: 0,
      dilation_x: 0,
    },
    workgroups: staged.workgroups(positions, outputs, matrices),
  };
}
