/** The kernels that compute a convolution, one function for each algorithm. */
import conv2dSource from "../../kernels/conv/conv2d.wgsl" with { type: "text" };
import epilogueTemplate from "../../kernels/conv/epilogue.wgsl" with { type: "text" };
import gemmSource from "../../kernels/conv/gemm.wgsl" with { type: "text" };
import implicitSource from "../../kernels/conv/implicit_gemm.wgsl" with { type: "text" };
import maskSource from "../../kernels/element/mask_bit.wgsl" with { type: "text" };
import inputSource from "../../kernels/conv/winograd_input.wgsl" with { type: "text" };
import outputSource from "../../kernels/conv/winograd_output.wgsl" with { type: "text" };
import placeSource from "../../kernels/conv/winograd_place.wgsl" with { type: "text" };
import type { Gpu } from "../../kernels/runtime/device.ts";
import { epilogueInputs } from "./conv2d.ts";
import { applies, winogradOutputs, winogradTiles } from "./variants.ts";
import type { Choose, Geometry, StagedTile, Tile, Variant } from "../graph/convolution.ts";
import { inputQuads, type PackedWeights, packWeights } from "./weights.ts";
import type { WeightView } from "./view.ts";
import { type Call, type HostSheet, type Workspace, workspace } from "../graph/operation.ts";
import type { Pair } from "../graph/attributes.ts";
import { isOp, type Tensor } from "../graph/tensor.ts";
import { inGroups, pixelsRead } from "./tile.ts";
import { inputTransform, outputTransform, packWinogradWeights, REVERSED } from "./winograd.ts";

/** What the kernels of convolutions end with. */
export const epilogueSource = maskSource + epilogueTemplate;

/** A node that is computed as one convolution, or as several. */
export type Convolution = Tensor<"conv2d"> | Tensor<"conv2dInputGradient">;

/** A convolution that writes some or all pixels of a node. */
export interface ConvolutionPart {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly view: WeightView;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** First input pixel of the first output. */
  readonly start: Pair;
  /** Outputs: rows and columns, their spacing and the first one. */
  readonly outputs: Pair;
  readonly step: Pair;
  readonly phase: Pair;
}

/** Reads of a node's epilogue, and the template constants that go with them. */
export function epilogueOf(y: Convolution) {
  const { bias, activation, gate, residual } = y.attributes;
  return {
    reads: epilogueInputs(y) as Record<string, Tensor>,
    defines: { BIAS: bias, RESIDUAL: residual, ACTIVATION: activation, GATE: gate },
  };
}

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
  choose: Choose,
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

/** Where a part's windows and results lie, as kernel parameters. */
function placeOf({ outputs, view, stride, dilation, start, step, phase }: ConvolutionPart) {
  return {
    rows: outputs[0],
    columns: outputs[1],
    kernel_rows: view.rows.count,
    kernel_columns: view.columns.count,
    stride_y: stride[0],
    stride_x: stride[1],
    dilation_y: dilation[0],
    dilation_x: dilation[1],
    y_start: start[0],
    x_start: start[1],
    step_y: step[0],
    step_x: step[1],
    y_phase: phase[0],
    x_phase: phase[1],
  };
}

/**
 * The columns of the filter that parts which differ in their columns only use: from the last to the
 * first, and for each of them the part it is for and the first pixel it reads.
 */
function columnsOf(parts: readonly ConvolutionPart[]) {
  const taps = parts.flatMap(({ view: { columns }, start, dilation }, phase) =>
    Array.from({ length: columns.count }, (_, t) => ({
      column: columns.first + columns.step * t,
      phase,
      pixel: start[1] + dilation[1] * t,
    }))
  );
  if (parts.length === 1) return { columns: parts[0]!.view.columns, taps };
  taps.sort((a, b) => b.column - a.column);
  return { columns: { count: taps.length, first: taps.length - 1, step: -1 }, taps };
}

/** By its definition: a part, or parts that together are all columns of some rows. */
function direct(
  y: Convolution,
  parts: readonly ConvolutionPart[],
  { tile, rolled }: Variant & { algorithm: "direct" },
): Call[] {
  const d = parts[0]!;
  const [n, channels] = y.shape;
  const { inputs, groups, rows } = d.view;
  const { columns, taps } = columnsOf(parts);
  // No pixel is read where no column of the filter reaches.
  const first = taps.length === 0 ? 0 : Math.min(...taps.map(({ pixel }) => pixel));
  const { quads, pixels, workgroup } = tile;
  const tiles = Math.ceil(d.outputs[1] / pixels);
  const offsets = rolled ? [0] : taps.map(({ pixel }) => pixel - first);
  const { reads, defines } = epilogueOf(y);
  const packing = { ...d.view, columns, quads };
  const quadsRead = inputQuads(packing);
  const { w, calls } = packWeights(d.weight, packing);
  return [...calls, {
    source: { name: "conv2d", wgsl: epilogueSource + conv2dSource },
    defines: {
      ...defines,
      QUADS: quads,
      TILE: pixels,
      WORKGROUP: workgroup,
      ROLLED: rolled,
      PHASES: parts.length,
      COLUMNS: rolled ? 1 : columns.count,
      PHASE: rolled ? [0] : taps.map(({ phase }) => phase),
      OFFSET: offsets,
      READ: pixelsRead(pixels, d.stride[1], offsets),
      LANES: Math.min(inputs, 4),
      WIDTH: channels === 3 ? 3 : 4,
      TOGETHER: inGroups(pixels, channels === 3 ? 3 : 2),
      EDGE: parts.some(({ outputs }) => outputs[1] % pixels !== 0),
      STRIDE: d.stride[1],
      GROUPED: groups !== 1,
    },
    reads: { x: d.x, w, ...reads },
    writes: { y },
    parameters: {
      ...placeOf(d),
      x_start: first,
      tiles,
      turns: rows.count * quadsRead * (rolled ? columns.count : Math.min(1, columns.count)),
      group_outputs: channels / groups,
      group_inputs: inputs / groups,
      input_quads: quadsRead,
    },
    workgroups: [
      Math.ceil(channels / (4 * quads)),
      Math.ceil(tiles * d.outputs[0] / workgroup),
      n,
    ],
  }];
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
function implicitGemm(
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
function stagedProducts(
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

/** A kernel of products that may be those of reversed filters. */
function placed(source: string, reversed: readonly number[] | undefined): string {
  return (reversed ? placeSource : "") + source;
}

const NO_EPILOGUE = { BIAS: false, RESIDUAL: false, ACTIVATION: "none", GATE: false } as const;

/** Whether a tile is for a kernel that stages. */
function isStaged(tile: Tile): tile is StagedTile {
  return tile.staged !== undefined;
}

/** The view of a 1×1 convolution's weights that it shares with its gradient. */
function forwards(view: WeightView): WeightView {
  const { inputs, outputs, groups, transposed } = view;
  const one = { count: 1, first: 0, step: 1 };
  const taps = { groups, transposed: false, rows: one, columns: one };
  return transposed ? { ...taps, outputs: inputs, inputs: outputs } : { ...taps, outputs, inputs };
}

/** A matrix product: gemm.wgsl. */
function product(
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

/** In three kernels, for as many tiles at a time as memory is spent on. */
function winograd(
  y: Convolution,
  gpu: Gpu,
  { x, weight, view, start }: ConvolutionPart,
  geometry: Geometry,
  { algorithm, tile, bytes }: Variant & { algorithm: "winograd2" | "winograd4" },
): Call[] {
  const r = winogradOutputs(algorithm);
  const elements = (r + 2) ** 2;
  const across = Math.ceil(geometry.size[1] / r);
  const down = Math.ceil(geometry.size[0] / r);
  const all = winogradTiles(geometry, r);
  const quads = Math.ceil(Math.max(view.inputs, view.outputs) / 4);
  const fitting = Math.min(
    Math.floor(bytes / (elements * quads * 16 * tile.pixels)) * tile.pixels,
    Math.floor(gpu.device.limits.maxTextureDimension2D / tile.pixels) * tile.pixels,
  );
  const count = Math.min(
    Math.max(fitting, tile.pixels),
    Math.ceil(all / tile.pixels) * tile.pixels,
  );
  const v = workspace([1, view.inputs, elements, count]);
  const m = workspace([1, view.outputs, elements, count]);
  const w = packWinogradWeights(weight as Tensor<"constant">, r);
  const { reads, defines } = epilogueOf(y);
  const workgroup = gpu.software ? 16 : 64;
  const tiles = { R: r, SIZE: r + 2, WORKGROUP: workgroup };
  const { place } = REVERSED[r];
  const reversed = view.transposed ? place : undefined;
  const calls: Call[] = [];
  for (let first = 0; first < all; first += count) {
    const here = Math.min(count, all - first);
    const grid = { first, count: here, across, down };
    const workgroups = (channels: number) =>
      [Math.ceil(here / workgroup), Math.ceil(channels / 4), 1] as const;
    calls.push({
      source: { name: `winograd${r}Input`, wgsl: inputSource },
      defines: { ...tiles, ...inputTransform(r) },
      reads: { x },
      writes: { v },
      parameters: { ...grid, y_start: start[0], x_start: start[1] },
      workgroups: workgroups(view.inputs),
    });
    calls.push(
      isStaged(tile)
        ? stagedProducts(v, w, m, tile, reversed)
        : product(v, w, m, tile, { batched: true, reversed }),
    );
    calls.push({
      source: { name: `winograd${r}Output`, wgsl: epilogueSource + outputSource },
      defines: { ...tiles, ...outputTransform(r, view.transposed), ...defines },
      reads: { m, ...reads },
      writes: { y },
      parameters: grid,
      workgroups: workgroups(view.outputs),
    });
  }
  return calls;
}
