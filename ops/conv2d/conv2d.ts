/** 2-D convolution (cross-correlation, as in PyTorch) and its input gradient. */
import { depthwise } from "./depthwise.ts";
import { dispatchConvolution } from "./dispatch.ts";
import type { ConvolutionPart } from "./part.ts";
import { conv2dWeightGradient } from "./weight_gradient.ts";
import { type Operation, pair } from "../graph/operation.ts";
import type { Pair } from "../graph/attributes.ts";
import { expectShape, expectWhole } from "../graph/check.ts";
import { sumTo } from "../element/sum.ts";
import { add } from "../element/elementwise.ts";
import { expectGradients, shorterSums } from "./long_sums.ts";
import { formatShape, node, type Shape, type Tensor } from "../graph/tensor.ts";

/** Options of {@linkcode conv2d}, with PyTorch's defaults. */
export interface Conv2dOptions {
  /** Pixels from one window to the next (1). */
  stride?: number | Pair;
  /** Zeros around the picture (0). */
  padding?: number | Pair;
  /** Zeros below it and to its right, where they are others. */
  paddingEnd?: Pair;
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
 * @returns [N, O, ⌊(H + p + pEnd − d(kh−1) − 1)/s⌋ + 1, ...]
 * @throws {RangeError} when the shapes do not fit together; when stride, dilation and groups are no
 * whole numbers from 1 on, or padding none from 0 on.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: Conv2dOptions = {},
): Tensor {
  const stride = pair(options.stride ?? 1);
  const padding = pair(options.padding ?? 0);
  const end = options.paddingEnd ?? padding;
  const dilation = pair(options.dilation ?? 1);
  const groups = options.groups ?? 1;
  expectWhole("conv2d: stride", stride, 1);
  expectWhole("conv2d: padding", options.paddingEnd ? [...padding, ...end] : padding, 0);
  expectWhole("conv2d: dilation", dilation, 1);
  expectWhole("conv2d: groups", groups, 1);
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
  if (bias) expectShape("conv2d: bias", bias, [1, o, 1, 1]);
  const size = (length: number, kernel: number, axis: 0 | 1) =>
    Math.floor(
      (length + padding[axis] + end[axis] - dilation[axis] * (kernel - 1) - 1) / stride[axis],
    ) + 1;
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

/** Nothing follows the sum. */
const PLAIN = { bias: false, residual: false, activation: "none", gate: false } as const;

/** Options of {@linkcode convTranspose2d}, with PyTorch's defaults. */
export interface ConvTranspose2dOptions extends Conv2dOptions {
  /** Rows and columns more at the end, which a convolution with this stride would not reach (0). */
  outputPadding?: number | Pair;
}

/**
 * `torch.nn.functional.conv_transpose2d`: the adjoint of a convolution. [N,C,H,W] →
 * [N, O·groups, (H − 1)·s − p − pEnd + d(kh − 1) + 1 + outputPadding, ...]
 *
 * @param weight [C, O, kh, kw], where O are the outputs of a group
 * @param bias [1,O·groups,1,1]
 * @throws {RangeError} when the shapes do not fit together or numbers are not whole or too small.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: ConvTranspose2dOptions = {},
): Tensor {
  const stride = pair(options.stride ?? 1);
  const padding = pair(options.padding ?? 0);
  const end = options.paddingEnd ?? padding;
  const dilation = pair(options.dilation ?? 1);
  const extra = pair(options.outputPadding ?? 0);
  const groups = options.groups ?? 1;
  expectWhole("convTranspose2d: stride", stride, 1);
  expectWhole("convTranspose2d: padding", [...padding, ...end, ...extra], 0);
  expectWhole("convTranspose2d: dilation", dilation, 1);
  expectWhole("convTranspose2d: groups", groups, 1);
  const [n, c, h, w] = x.shape;
  const [inputs, each, kh, kw] = weight.shape;
  if (inputs !== c || c % groups !== 0) {
    throw new RangeError(
      `convTranspose2d: weight ${formatShape(weight.shape)} expects ${inputs} input channels in ` +
        `${groups} groups, input ${formatShape(x.shape)} has ${c}`,
    );
  }
  const size = (length: number, kernel: number, axis: 0 | 1) =>
    (length - 1) * stride[axis] - padding[axis] - end[axis] + dilation[axis] * (kernel - 1) + 1 +
    extra[axis];
  const shape: Shape = [n, each * groups, size(h, kh, 0), size(w, kw, 1)];
  if (shape[2] < 1 || shape[3] < 1) {
    throw new RangeError(`convTranspose2d: nothing is left of ${formatShape(x.shape)}`);
  }
  const geometry = { stride, padding, dilation, groups };
  expectGradients(weight, x, geometry, [true, false]);
  const y = node("conv2dInputGradient", shape, [x, weight], { ...geometry, ...PLAIN });
  return bias ? add(y, bias) : y;
}

/** Whether every channel has its own filter: a kernel of its own. */
function isDepthwise([outputs]: Shape, groups: number): boolean {
  return groups > 1 && groups === outputs;
}

/**
 * The stride that a convolution's gradients are computed with. A single result knows no next one: with
 * a stride as long as the kernel each pixel of the input's gradient has the one tap that reaches it,
 * where it would otherwise look at all, nearly all of them beside that result. So does a linear layer
 * that sees a whole map.
 */
function strideOfGradient(
  { stride, padding, dilation }: { stride: Pair; padding: Pair; dilation: Pair },
  [, , kh, kw]: Shape,
  [, , rows, columns]: Shape,
): Pair {
  const plain = [...padding, dilation[0] - 1, dilation[1] - 1].every((value) => value === 0);
  return plain && rows === 1 && columns === 1 && kh * kw > 1 ? [kh, kw] : stride;
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
    const { padding, dilation, groups, bias } = y.attributes;
    const [x, weight] = y.inputs as [Tensor, Tensor];
    const stride = strideOfGradient(y.attributes, weight.shape, dy.shape);
    const geometry = { stride, padding, dilation, groups };
    expectGradients(weight, dy, geometry, needs);
    return [
      needs[0]
        ? node("conv2dInputGradient", x.shape, [dy, weight], { ...geometry, ...PLAIN })
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
  gradient(dx, d, needs) {
    const { stride, padding, dilation, groups } = dx.attributes;
    const geometry = { stride, padding, dilation, groups };
    const [dy, weight] = dx.inputs as [Tensor, Tensor];
    return [
      needs[0] ? node("conv2d", dy.shape, [d, weight], { ...geometry, ...PLAIN }) : undefined,
      needs[1] ? conv2dWeightGradient(d, dy, weight, geometry) : undefined,
    ];
  },
};

/**
 * `torch.nn.functional.linear` on pooled maps.
 *
 * @param x [N,I,1,1]
 * @param weight [O,I,1,1]
 * @param bias [1,O,1,1]
 * @returns [N,O,1,1]
 * @throws {RangeError} when a shape is another.
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [outputs, inputs] = weight.shape;
  expectShape("linear: weight", weight, [outputs, inputs, 1, 1]);
  expectShape("linear: input", x, [x.shape[0], inputs, 1, 1]);
  if (bias) expectShape("linear: bias", bias, [1, outputs, 1, 1]);
  return conv2d(x, weight, bias);
}
