/** Convolutions of channels that do not see each other: depthwise_conv2d.wgsl. */
import source from "../../kernels/conv/depthwise_conv2d.wgsl" with { type: "text" };
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { Pair } from "../graph/attributes.ts";
import type { Call } from "../graph/operation.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Convolution, epilogueOf, epilogueSource } from "./epilogue.ts";
import { ascending, range } from "./tile.ts";
import { packWeights } from "./weights.ts";

/** The calls of a depthwise convolution, or of its input gradient: then `up` is its stride. */
export function depthwise(
  y: Convolution,
  gpu: Gpu,
  geometry: { stride: Pair; dilation: Pair; start: Pair; up: Pair; flip: boolean },
): Call[] {
  const [x, weight] = y.inputs as [Tensor, Tensor];
  const [channels, , kh, kw] = weight.shape;
  const { stride, dilation, start, up, flip } = geometry;
  const { reads, defines } = epilogueOf(y);
  const taps = (count: number) =>
    flip ? { count, first: count - 1, step: -1 } : { count, first: 0, step: 1 };
  const { w, calls } = packWeights(weight, {
    outputs: channels,
    inputs: channels,
    groups: channels,
    transposed: false,
    rows: taps(kh),
    columns: taps(kw),
    quads: 0,
  });
  // A tile starts at a pixel that taps of the same columns reach.
  const tile = up[1] * Math.ceil(8 / up[1]);
  const phase = ((start[1] % up[1]) + up[1]) % up[1];
  const tapsOf = (j: number) =>
    range(kw).map((column) => ({
      column,
      pixel: (j * stride[1] + column * dilation[1] + phase) / up[1],
    })).filter(({ pixel }) => Number.isInteger(pixel));
  const tapsOfTile = range(tile).map(tapsOf);
  const tiles = Math.ceil(y.shape[3] / tile);
  const workgroup = gpu.software ? 16 : 64;
  return [...calls, {
    source: { name: "depthwiseConv2d", wgsl: epilogueSource + source },
    defines: {
      ...defines,
      WORKGROUP: workgroup,
      TILE: tile,
      ROWS: kh,
      COLUMNS: kw,
      ADVANCE: tile * stride[1] / up[1],
      TAPS: tapsOfTile,
      READ: ascending(tapsOfTile.flat().map(({ pixel }) => pixel)),
      EDGE: y.shape[3] % tile !== 0,
    },
    reads: { x, w, ...reads },
    writes: { y },
    parameters: {
      tiles,
      stride_y: stride[0],
      dilation_y: dilation[0],
      y_start: start[0],
      x_start: (start[1] - phase) / up[1],
      up_y: up[0],
    },
    workgroups: [Math.ceil(tiles * y.shape[2] / workgroup), y.shape[0], Math.ceil(channels / 4)],
  }];
}
