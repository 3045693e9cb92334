/** Convolutions by their definition: conv2d.wgsl. */
import source from "../../kernels/conv/conv2d.wgsl" with { type: "text" };
import type { Variant } from "../graph/convolution.ts";
import type { Call } from "../graph/operation.ts";
import { type Convolution, epilogueOf, epilogueSource } from "./epilogue.ts";
import { type ConvolutionPart, placeOf } from "./part.ts";
import { inGroups, pixelsRead } from "./tile.ts";
import { inputQuads, packWeights } from "./weights.ts";

/**
 * The columns of the filter that parts which differ in their columns only use: from the last to the
 * first, and for each of them the part it is for and the first pixel it reads.
 */
export function columnsOf(parts: readonly ConvolutionPart[]) {
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

/** A part, or parts that together are all columns of some rows. */
export function direct(
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
    source: { name: "conv2d", wgsl: epilogueSource + source },
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
