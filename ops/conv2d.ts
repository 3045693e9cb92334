/** 2-D convolution (cross-correlation, as in PyTorch) and its input gradient. */
import conv2dSource from "../kernels/conv2d.wgsl" with { type: "text" };
import depthwiseSource from "../kernels/depthwise_conv2d.wgsl" with { type: "text" };
import epilogueSource from "../kernels/epilogue.wgsl" with { type: "text" };
import type { Gpu } from "../kernels/device.ts";
import {
  type Call,
  type HostSheet,
  type Operation,
  type Pair,
  pair,
  perTexel,
} from "./operation.ts";
import { formatShape, isOp, node, type Shape, type Tensor } from "./tensor.ts";

/** A rectifier, as a convolution's epilogue or as the gate of a gradient. */
export type Rectifier = "none" | "relu" | "relu6";

/**
 * Inputs of a convolution node: x (or dy), weight, then those of bias, residual and gate that the
 * attributes announce, in this order. The epilogue is filled in by fuse.ts.
 */
export interface Conv2dAttributes {
  /** Pixels from one window to the next. */
  readonly stride: Pair;
  /** Zeros around the picture. */
  readonly padding: Pair;
  /** Pixels from one tap to the next. */
  readonly dilation: Pair;
  /** 1, or the number of channels (depthwise). */
  readonly groups: number;
  /** Whether something is added for each channel. */
  readonly bias: boolean;
  /** Whether another tensor is added. */
  readonly residual: boolean;
  /** What follows. */
  readonly activation: Rectifier;
  /** The rectifier whose gradient is applied last; its output is the last input. */
  readonly gate: Rectifier;
}

/** Options of {@linkcode conv2d}, with PyTorch's defaults. */
export interface Conv2dOptions {
  /** Pixels from one window to the next (1). */
  stride?: number | Pair;
  /** Zeros around the picture (0). */
  padding?: number | Pair;
  /** Pixels from one tap to the next (1). */
  dilation?: number | Pair;
  /** 1, or the number of input channels (depthwise). */
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
): Tensor<"conv2d"> {
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
  if (groups !== 1 && (groups !== c || o !== c)) {
    throw new RangeError(`conv2d: groups must be 1 or the number of channels ${c}, got ${groups}`);
  }
  const size = (length: number, kernel: number, axis: 0 | 1) =>
    Math.floor((length + 2 * padding[axis] - dilation[axis] * (kernel - 1) - 1) / stride[axis]) + 1;
  const shape: Shape = [n, o, size(h, kh, 0), size(w, kw, 1)];
  if (shape[2] < 1 || shape[3] < 1) {
    throw new RangeError(
      `conv2d: input ${formatShape(x.shape)} is smaller than the kernel ${kh}x${kw}`,
    );
  }
  return node("conv2d", shape, bias ? [x, weight, bias] : [x, weight], {
    stride,
    padding,
    dilation,
    groups,
    bias: bias !== undefined,
    residual: false,
    activation: "none",
    gate: "none",
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
    ...(gate !== "none" ? { gate: rest.shift()! } : {}),
  };
}

/** Host values of a weight: kernels need them packed. */
function valuesOf(weight: Tensor): Float32Array {
  if (!isOp(weight, "constant")) throw new TypeError("conv2d: weights must be constants");
  return weight.attributes.load();
}

/** Register tile of the convolution kernel. */
interface Tile {
  /** Channel quads of an invocation. */
  quads: number;
  /** Neighbouring pixels of an invocation. */
  pixels: number;
  workgroup: number;
}

/** The tile with the least waste at the right and lower edge; measured in docs/performance.md. */
function chooseTile(gpu: Gpu, columns: number, channels: number): Tile {
  const quads = channels <= 4 ? 1 : 2;
  const widths = gpu.software ? [16, 14, 12, 8, 4] : [4];
  const work = (pixels: number) => Math.ceil(columns / pixels) * (pixels + 1.5);
  const pixels = widths.reduce((best, width) => work(width) < work(best) ? width : best);
  return { quads, pixels, workgroup: gpu.software ? 16 : 64 };
}

/** Weights of one dispatch: `at(m, c, ky, kx)` over the dispatch's own kernel window. */
function packWeights(
  channels: number,
  inputs: number,
  rows: number,
  columns: number,
  quads: number,
  at: (m: number, c: number, ky: number, kx: number) => number,
): HostSheet {
  const block = 4 * quads;
  const blocks = Math.ceil(channels / block);
  const width = Math.max(1, Math.ceil(inputs / 4) * columns * block);
  const height = Math.max(1, blocks * rows);
  return {
    width,
    height,
    texels: () => {
      const texels = new Float32Array(width * height * 4);
      for (let m = 0; m < channels; m++) {
        const b = Math.floor(m / block);
        for (let ky = 0; ky < rows; ky++) {
          const row = (b * rows + ky) * width;
          for (let c = 0; c < inputs; c++) {
            for (let kx = 0; kx < columns; kx++) {
              const column = (((c >> 2) * columns + kx) * 4 + (c & 3)) * quads;
              texels[(row + column) * 4 + (m % block)] = at(m, c, ky, kx);
            }
          }
        }
      }
      return texels;
    },
  };
}

/** Reads of the epilogue, and the template constants that go with them. */
function epilogue(y: Tensor<"conv2d"> | Tensor<"conv2dInputGradient">) {
  const { bias, activation, gate, residual } = y.attributes;
  return {
    reads: epilogueInputs(y) as Record<string, Tensor>,
    defines: { BIAS: bias, RESIDUAL: residual, ACTIVATION: activation, GATE: gate },
  };
}

/** Everything one dispatch of conv2d.wgsl needs besides the node. */
interface Dispatch {
  x: Tensor;
  weights: (quads: number) => HostSheet;
  kernel: Pair;
  stride: Pair;
  dilation: Pair;
  /** First input pixel of the first output. */
  start: Pair;
  /** Outputs of this dispatch: rows and columns, their spacing and the first one. */
  outputs: Pair;
  step: number;
  phase: Pair;
}

function dispatchConv(
  y: Tensor<"conv2d"> | Tensor<"conv2dInputGradient">,
  gpu: Gpu,
  d: Dispatch,
): Call {
  const [n, channels] = y.shape;
  const { quads, pixels, workgroup } = chooseTile(gpu, d.outputs[1], channels);
  const tiles = Math.ceil(d.outputs[1] / pixels);
  const { reads, defines } = epilogue(y);
  return {
    source: { name: "conv2d", wgsl: epilogueSource + conv2dSource },
    defines: {
      ...defines,
      QUADS: quads,
      TILE: pixels,
      WORKGROUP: workgroup,
      KW: d.kernel[0] === 0 ? 0 : d.kernel[1],
      STRIDE: d.stride[1],
      DILATION: d.dilation[1],
    },
    reads: { x: d.x, w: d.weights(quads), ...reads },
    writes: { y },
    parameters: {
      tiles,
      rows: d.outputs[0],
      columns: d.outputs[1],
      kernel_rows: d.kernel[0],
      stride_y: d.stride[0],
      dilation_y: d.dilation[0],
      y_start: d.start[0],
      x_start: d.start[1],
      step: d.step,
      y_phase: d.phase[0],
      x_phase: d.phase[1],
    },
    workgroups: [
      Math.ceil(tiles * d.outputs[0] / workgroup),
      n,
      Math.ceil(channels / (4 * quads)),
    ],
  };
}

function depthwise(
  y: Tensor<"conv2d"> | Tensor<"conv2dInputGradient">,
  geometry: { stride: Pair; dilation: Pair; start: Pair; up: Pair; flip: boolean },
): Call {
  const [x, weight] = y.inputs as [Tensor, Tensor];
  const [channels, , kh, kw] = weight.shape;
  const { stride, dilation, start, up, flip } = geometry;
  const { reads, defines } = epilogue(y);
  const quads = Math.ceil(channels / 4);
  const w: HostSheet = {
    width: kw,
    height: quads * kh,
    texels: () => {
      const values = valuesOf(weight);
      const texels = new Float32Array(quads * kh * kw * 4);
      for (let c = 0; c < channels; c++) {
        for (let k = 0; k < kh * kw; k++) {
          const tap = flip ? kh * kw - 1 - k : k;
          texels[((c >> 2) * kh * kw + k) * 4 + (c & 3)] = values[c * kh * kw + tap]!;
        }
      }
      return texels;
    },
  };
  return {
    source: { name: "depthwiseConv2d", wgsl: epilogueSource + depthwiseSource },
    defines,
    reads: { x, w, ...reads },
    writes: { y },
    parameters: {
      kernel_rows: kh,
      kernel_columns: kw,
      stride_y: stride[0],
      stride_x: stride[1],
      dilation_y: dilation[0],
      dilation_x: dilation[1],
      y_start: start[0],
      x_start: start[1],
      up_y: up[0],
      up_x: up[1],
    },
    workgroups: perTexel(y),
  };
}

/** The convolution's entry in the table. */
export const conv2dOperation: Operation<"conv2d"> = {
  lower(y, gpu) {
    const { stride, padding, dilation, groups } = y.attributes;
    const [x, weight] = y.inputs as [Tensor, Tensor];
    const [channels, inputs, kh, kw] = weight.shape;
    const start: Pair = [-padding[0], -padding[1]];
    if (groups !== 1) return [depthwise(y, { stride, dilation, start, up: [1, 1], flip: false })];
    const weights = (quads: number) => {
      const values = lazy(() => valuesOf(weight));
      return packWeights(channels, inputs, kh, kw, quads, (m, c, ky, kx) => {
        return values()[((m * inputs + c) * kh + ky) * kw + kx]!;
      });
    };
    return [dispatchConv(y, gpu, {
      x,
      weights,
      kernel: [kh, kw],
      stride,
      dilation,
      start,
      outputs: [y.shape[2], y.shape[3]],
      step: 1,
      phase: [0, 0],
    })];
  },
  gradient(y, dy, needs) {
    if (needs[1] || needs[2]) throw new TypeError("conv2d: weights are constants, not variables");
    const [x, weight] = y.inputs as [Tensor, Tensor];
    return [
      node("conv2dInputGradient", x.shape, [dy, weight], {
        ...y.attributes,
        bias: false,
        residual: false,
        activation: "none",
        gate: "none",
      }),
    ];
  },
};

function lazy<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => value ??= make();
}

/**
 * The taps of a strided gradient along one axis that reach the pixels of one phase: those with
 * (phase + padding − dilation·k) divisible by the stride. Neighbouring taps of a phase are
 * stride/gcd(stride, dilation) apart, and so is their distance in dy.
 */
function phaseTaps(phase: number, kernel: number, stride: number, padding: number, d: number) {
  const taps: number[] = [];
  for (let k = kernel - 1; k >= 0; k--) {
    if ((((phase + padding - d * k) % stride) + stride) % stride === 0) taps.push(k);
  }
  const start = taps.length ? (phase + padding - d * taps[0]!) / stride : 0;
  const dilation = taps.length > 1 ? d * (taps[0]! - taps[1]!) / stride : 1;
  return { taps, start, dilation };
}

/** The entry of the convolution's input gradient: a convolution for each phase of the stride. */
export const conv2dInputGradientOperation: Operation<"conv2dInputGradient"> = {
  lower(dx, gpu) {
    const { stride, padding, dilation, groups } = dx.attributes;
    const [dy, weight] = dx.inputs as [Tensor, Tensor];
    const [outputs, channels, kh, kw] = weight.shape;
    const [, , height, width] = dx.shape;
    if (groups !== 1) {
      const start: Pair = [
        padding[0] - dilation[0] * (kh - 1),
        padding[1] - dilation[1] * (kw - 1),
      ];
      return [depthwise(dx, { stride: [1, 1], dilation, start, up: stride, flip: true })];
    }
    if (stride[0] !== stride[1]) throw new RangeError("conv2d: strides must be equal");
    const step = stride[0];
    const values = lazy(() => valuesOf(weight));
    const calls: Call[] = [];
    for (let py = 0; py < Math.min(step, height); py++) {
      for (let px = 0; px < Math.min(step, width); px++) {
        const rows = phaseTaps(py, kh, step, padding[0], dilation[0]);
        const columns = phaseTaps(px, kw, step, padding[1], dilation[1]);
        const empty = rows.taps.length === 0 || columns.taps.length === 0;
        const kernel: Pair = empty ? [0, 0] : [rows.taps.length, columns.taps.length];
        calls.push(dispatchConv(dx, gpu, {
          x: dy,
          weights: (quads) =>
            packWeights(
              channels,
              outputs,
              ...kernel,
              quads,
              (m, c, ky, kx) =>
                values()[((c * channels + m) * kh + rows.taps[ky]!) * kw + columns.taps[kx]!]!,
            ),
          kernel,
          stride: [1, 1],
          dilation: [rows.dilation, columns.dilation],
          start: [rows.start, columns.start],
          outputs: [Math.ceil((height - py) / step), Math.ceil((width - px) / step)],
          step,
          phase: [py, px],
        }));
      }
    }
    return calls;
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
