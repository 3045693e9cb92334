/** 2-D convolution (cross-correlation, as in PyTorch) and its input gradient. */
import depthwiseSource from "../../kernels/conv/depthwise_conv2d.wgsl" with { type: "text" };
import type { Gpu } from "../../kernels/runtime/device.ts";
import {
  type ConvolutionPart,
  dispatchConvolution,
  epilogueOf,
  epilogueSource,
} from "./dispatch.ts";
import { add } from "../element/elementwise.ts";
import { expectGradients, shorterSums } from "./long_sums.ts";
import { packWeights } from "./weights.ts";
import { conv2dWeightGradient } from "./weight_gradient.ts";
import { type Call, type Operation, pair } from "../graph/operation.ts";
import type { Pair } from "../graph/attributes.ts";
import { sumTo } from "../element/sum.ts";
import { formatShape, node, type Shape, type Tensor } from "../graph/tensor.ts";

/** Options of {@linkcode conv2d}, with PyTorch's defaults. */
export interface Conv2dOptions {
  /** Pixels from one window to the next (1). */
  stride?: number | Pair;
  /** Zeros around the picture (0). */
  padding?: number | Pair;
  /** Pixels from one tap to the next (1). */
  dilation?: number | Pair;
  /** Groups of channels that do not see each other (1). */
  groups?: number;
}

/**
 * `torch.nn.functional.conv2d`.
 *
 * @param x [N,C,H,W]
 * @param weight [O, C/groups, kh, kw]
 * @param bias [1,O,1,1]
 * @returns [N, O, ⌊(H + 2p − d(kh−1) − 1)/s⌋ + 1, ...]
 * @throws {RangeError} when the shapes do not fit together.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: Conv2dOptions = {},
): Tensor {
  const stride = pair(options.stride ?? 1);
  const padding = pair(options.padding ?? 0);
  const dilation = pair(options.dilation ?? 1);
  const groups = options.groups ?? 1;
  const [n, c, h, w] = x.shape;
  const [o, i, kh, kw] = weight.shape;
  if (i * groups !== c) {
    throw new RangeError(
      `conv2d: weight ${formatShape(weight.shape)} with groups ${groups} expects ${i * groups} ` +
        `input channels, input ${formatShape(x.shape)} has ${c}`,
    );
  }
  if (o % groups !== 0) {
    throw new RangeError(`conv2d: ${o} output channels cannot be split into ${groups} groups`);
  }
  const size = (length: number, kernel: number, axis: 0 | 1) =>
    Math.floor((length + 2 * padding[axis] - dilation[axis] * (kernel - 1) - 1) / stride[axis]) + 1;
  const shape: Shape = [n, o, size(h, kh, 0), size(w, kw, 1)];
  if (shape[2] < 1 || shape[3] < 1) {
    throw new RangeError(
      `conv2d: input ${formatShape(x.shape)} is smaller than the kernel ${kh}x${kw}`,
    );
  }
  const sums = shorterSums(x, weight, groups);
  if (sums.length > 0) {
    return sums.map(([part, w], i) => conv2d(part, w, i === 0 ? bias : undefined, options))
      .reduce(add);
  }
  return node("conv2d", shape, bias ? [x, weight, bias] : [x, weight], {
    stride,
    padding,
    dilation,
    groups,
    bias: bias !== undefined,
    residual: false,
    activation: "none",
    gate: false,
  });
}

/** The tensors of a convolution's epilogue. */
export function epilogueInputs(
  y: Tensor<"conv2d"> | Tensor<"conv2dInputGradient">,
): { bias?: Tensor; residual?: Tensor; gate?: Tensor } {
  const { bias, residual, gate } = y.attributes;
  const rest = y.inputs.slice(2);
  return {
    ...(bias ? { bias: rest.shift()! } : {}),
    ...(residual ? { residual: rest.shift()! } : {}),
    ...(gate ? { gate: rest.shift()! } : {}),
  };
}

function depthwise(
  y: Tensor<"conv2d"> | Tensor<"conv2dInputGradient">,
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
  const reached = new Set<number>();
  for (let j = 0; j < tile; j++) {
    for (let k = 0; k < kw; k++) {
      const t = j * stride[1] + k * dilation[1] + phase;
      if (t % up[1] === 0) reached.add(t / up[1]);
    }
  }
  const tiles = Math.ceil(y.shape[3] / tile);
  const workgroup = gpu.software ? 16 : 64;
  return [...calls, {
    source: { name: "depthwiseConv2d", wgsl: epilogueSource + depthwiseSource },
    defines: {
      ...defines,
      WORKGROUP: workgroup,
      TILE: tile,
      ROWS: kh,
      COLUMNS: kw,
      STRIDE: stride[1],
      DILATION: dilation[1],
      UP: up[1],
      PHASE: phase,
      EDGE: y.shape[3] % tile !== 0,
      reached: (column: number) => reached.has(column),
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

/** Whether every channel has its own filter: a kernel of its own. */
function isDepthwise([outputs]: Shape, groups: number): boolean {
  return groups > 1 && groups === outputs;
}

/** The convolution's entry in the table. */
export const conv2dOperation: Operation<"conv2d"> = {
  lower(y, gpu, choose) {
    const { stride, padding, dilation, groups } = y.attributes;
    const [x, weight] = y.inputs as [Tensor, Tensor];
    const [outputs, inputs, kh, kw] = weight.shape;
    const start: Pair = [-padding[0], -padding[1]];
    if (isDepthwise(weight.shape, groups) && inputs === 1) {
      return depthwise(y, gpu, { stride, dilation, start, up: [1, 1], flip: false });
    }
    return dispatchConvolution(y, gpu, choose, [{
      x,
      weight,
      view: {
        outputs,
        inputs: inputs * groups,
        groups,
        transposed: false,
        rows: { count: kh, first: 0, step: 1 },
        columns: { count: kw, first: 0, step: 1 },
      },
      stride,
      dilation,
      start,
      outputs: [y.shape[2], y.shape[3]],
      step: [1, 1],
      phase: [0, 0],
    }]);
  },
  gradient(y, dy, needs) {
    const { stride, padding, dilation, groups, bias } = y.attributes;
    const geometry = { stride, padding, dilation, groups };
    const [x, weight] = y.inputs as [Tensor, Tensor];
    expectGradients(weight, dy, groups, needs);
    const plain = { bias: false, residual: false, activation: "none", gate: false } as const;
    return [
      needs[0]
        ? node("conv2dInputGradient", x.shape, [dy, weight], { ...geometry, ...plain })
        : undefined,
      needs[1] ? conv2dWeightGradient(x, dy, weight, geometry) : undefined,
      bias && needs[2] ? sumTo(dy, y.inputs[2]!.shape) : undefined,
    ];
  },
};

/**
 * The taps of a strided gradient along one axis that reach the pixels of one phase: those with
 * (phase + padding − dilation·k) divisible by the stride, the last first. Neighbouring taps of a
 * phase are stride/gcd(stride, dilation) apart.
 *
 * @returns with them the first pixel of dy they read, and how far apart those pixels are
 */
function phaseTaps(phase: number, kernel: number, stride: number, padding: number, d: number) {
  const taps: number[] = [];
  for (let k = kernel - 1; k >= 0; k--) {
    if ((((phase + padding - d * k) % stride) + stride) % stride === 0) taps.push(k);
  }
  const [first = 0, second = first - 1] = taps;
  return {
    taps: { count: taps.length, first, step: second - first },
    start: taps.length ? (phase + padding - d * first) / stride : 0,
    dilation: taps.length > 1 ? d * (first - second) / stride : 1,
  };
}

/** The entry of the convolution's input gradient: a convolution for each phase of the strides. */
export const conv2dInputGradientOperation: Operation<"conv2dInputGradient"> = {
  lower(dx, gpu, choose) {
    const { stride, padding, dilation, groups } = dx.attributes;
    const [dy, weight] = dx.inputs as [Tensor, Tensor];
    const [inputs, , kh, kw] = weight.shape;
    const [, outputs, height, width] = dx.shape;
    if (isDepthwise(weight.shape, groups) && outputs === groups) {
      const start: Pair = [
        padding[0] - dilation[0] * (kh - 1),
        padding[1] - dilation[1] * (kw - 1),
      ];
      return depthwise(dx, gpu, { stride: [1, 1], dilation, start, up: stride, flip: true });
    }
    const phases = (axis: 0 | 1, size: number) =>
      Array.from({ length: Math.min(stride[axis], size) }, (_, phase) => ({
        phase,
        outputs: Math.ceil((size - phase) / stride[axis]),
        ...phaseTaps(phase, [kh, kw][axis]!, stride[axis], padding[axis], dilation[axis]),
      }));
    return phases(0, height).flatMap((row) => {
      const parts = phases(1, width).map((column): ConvolutionPart => ({
        x: dy,
        weight,
        view: { outputs, inputs, groups, transposed: true, rows: row.taps, columns: column.taps },
        stride: [1, 1],
        dilation: [row.dilation, column.dilation],
        start: [row.start, column.start],
        outputs: [row.outputs, column.outputs],
        step: stride,
        phase: [row.phase, column.phase],
      }));
      return dispatchConvolution(dx, gpu, choose, parts);
    });
  },
  gradient: "second derivatives are not part of the method",
};

/**
 * `torch.nn.functional.linear` on pooled maps.
 *
 * @param x [N,I,1,1]
 * @param weight [O,I,1,1]
 * @param bias [1,O,1,1]
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  return conv2d(x, weight, bias);
}
