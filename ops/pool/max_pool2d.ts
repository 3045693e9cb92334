/** Maximum pooling. */
import source from "../../kernels/pool/max_pool2d.wgsl" with { type: "text" };
import gradientSource from "../../kernels/pool/max_pool2d_gradient.wgsl" with { type: "text" };
import windowsSource from "../../kernels/pool/pool_windows.wgsl" with { type: "text" };
import { expectWhole } from "../graph/check.ts";
import { type Call, type Operation, pair, perTexel } from "../graph/operation.ts";
import type { Pair } from "../graph/attributes.ts";
import { formatShape, isOp, node, type Shape, type Tensor } from "../graph/tensor.ts";
import type { MaxPool2dAttributes } from "../graph/attributes.ts";

/** Options of the pooling operations, with PyTorch's defaults. */
export interface Pool2dOptions {
  /** Size of the window. */
  kernel: number | Pair;
  /** The kernel's size by default. */
  stride?: number | Pair;
  /** Pixels around the picture that never win, or count as zero in averages (0). */
  padding?: number | Pair;
  /** Those below the picture and to its right, where they are others. */
  paddingEnd?: Pair;
  /** Round the output's size up instead of down. */
  ceilMode?: boolean;
}

/** Options of {@linkcode maxPool2d}, with PyTorch's defaults. */
export interface MaxPool2dOptions extends Pool2dOptions {
  /** Pixels from one element of a window to the next (1). */
  dilation?: number | Pair;
}

/** Pixels from the first to the last element of a window. */
function spanOf({ kernel, dilation }: Pick<MaxPool2dAttributes, "kernel" | "dilation">): Pair {
  return [(kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1];
}

/**
 * Window and output size of a pooling operation (PyTorch's `pooling_output_shape`: in ceil mode a
 * window must still start inside the picture or its left padding).
 *
 * @throws {RangeError} when a number is not whole or too small, the picture is smaller than the window,
 * padding more than half of it, or the picture so small that it falls between the elements of a dilated
 * window.
 */
export function poolGeometry(
  name: string,
  x: Tensor,
  options: MaxPool2dOptions,
): MaxPool2dAttributes & { shape: Shape } {
  const kernel = pair(options.kernel);
  const stride = pair(options.stride ?? options.kernel);
  const padding = pair(options.padding ?? 0);
  const end = options.paddingEnd ?? padding;
  const dilation = pair(options.dilation ?? 1);
  expectWhole(`${name}: kernel`, kernel, 1);
  expectWhole(`${name}: stride`, stride, 1);
  expectWhole(`${name}: padding`, [...padding, ...end], 0);
  expectWhole(`${name}: dilation`, dilation, 1);
  const span = spanOf({ kernel, dilation });
  if ([padding, end].some((p) => p[0] * 2 > kernel[0] || p[1] * 2 > kernel[1])) {
    throw new RangeError(
      `${name}: padding ${
        (options.paddingEnd ? [...padding, ...end] : padding).join("x")
      } is more than half the window ${kernel.join("x")}`,
    );
  }
  const size = (length: number, axis: 0 | 1) => {
    const room = length + padding[axis] + end[axis] - span[axis];
    if (!options.ceilMode) return Math.floor(room / stride[axis]) + 1;
    const count = Math.ceil(room / stride[axis]) + 1;
    return (count - 1) * stride[axis] >= length + padding[axis] ? count - 1 : count;
  };
  const shape: Shape = [x.shape[0], x.shape[1], size(x.shape[2], 0), size(x.shape[3], 1)];
  if (shape[2] < 1 || shape[3] < 1) {
    throw new RangeError(
      `${name}: input ${formatShape(x.shape)} is smaller than the window ${span.join("x")}`,
    );
  }
  for (const axis of [0, 1] as const) {
    // Of a window that starts before the picture, the first element not before it must not step over it.
    for (let o = 0; o < shape[axis + 2]!; o++) {
      const before = padding[axis] - o * stride[axis];
      if (Math.ceil(before / dilation[axis]) * dilation[axis] - before < x.shape[axis + 2]!) {
        continue;
      }
      throw new RangeError(
        `${name}: input ${formatShape(x.shape)} falls between the elements of a window ` +
          `${kernel.join("x")} with dilation ${dilation.join("x")}, which would have no maximum; ` +
          `use less padding or dilation`,
      );
    }
  }
  return { kernel, stride, padding, dilation, shape };
}

/** Elements of a window that are compared in one loop, and of one with a single row or column. */
const LARGE = 2 ** 14;
const LONGEST = 20000;

/**
 * `torch.nn.functional.max_pool2d`: [N,C,H,W] → [N,C,H',W']. Of equal ones the first in reading order
 * is the largest. In a large window that is the largest of its rows' largest, found one after the
 * other.
 *
 * @throws {RangeError} for a window that is not of whole numbers, does not fit the picture, or has
 * more than 20000 rows or columns.
 */
export function maxPool2d(x: Tensor, options: MaxPool2dOptions): Tensor<"maxPool2d"> {
  const { shape, ...attributes } = poolGeometry("maxPool2d", x, options);
  const { kernel, stride, padding, dilation } = attributes;
  if (Math.max(...kernel) > LONGEST) {
    throw new RangeError(
      `maxPool2d: expected a window of at most ${LONGEST} rows and columns, got ` +
        `${kernel.join("x")}; max takes whole axes`,
    );
  }
  if (kernel[0] * kernel[1] > LARGE && Math.min(...kernel) > 1) {
    const along = (axis: 0 | 1): MaxPool2dOptions => {
      const only = (value: Pair, other: number) => value.map((v, i) => i === axis ? v : other);
      return {
        kernel: only(kernel, 1) as unknown as Pair,
        stride: only(stride, 1) as unknown as Pair,
        padding: only(padding, 0) as unknown as Pair,
        dilation: only(dilation, 1) as unknown as Pair,
        ...(options.paddingEnd
          ? { paddingEnd: only(options.paddingEnd, 0) as unknown as Pair }
          : {}),
        ...(options.ceilMode ? { ceilMode: true } : {}),
      };
    };
    return maxPool2d(maxPool2d(x, along(1)), along(0));
  }
  return node("maxPool2d", shape, [x], attributes);
}

/** The window as kernel parameters. */
export function windowParameters(window: MaxPool2dAttributes) {
  const { kernel, stride, padding, dilation } = window;
  const span = spanOf(window);
  return {
    kernel_y: kernel[0],
    kernel_x: kernel[1],
    stride_y: stride[0],
    stride_x: stride[1],
    padding_y: padding[0],
    padding_x: padding[1],
    dilation_y: dilation[0],
    dilation_x: dilation[1],
    span_y: span[0],
    span_x: span[1],
  };
}

/** How many bits a position in the window has, all of them set, and how many a lane holds exactly. */
function positionBits({ kernel }: MaxPool2dAttributes) {
  const BITS = Math.max(1, Math.ceil(Math.log2(kernel[0] * kernel[1])));
  return { BITS, MASK: 2 ** BITS - 1, PER: Math.floor(24 / BITS) };
}

/** Elements of a window that is worth unrolling. */
const SMALL = 9;

/** Whether the window is unrolled, and its size then. */
function unrolled({ kernel: [KY, KX], dilation }: MaxPool2dAttributes) {
  const small = KY * KX <= SMALL && dilation.every((d) => d === 1);
  return small ? { UNROLLED: true, KY, KX } : { UNROLLED: false };
}

/** Whether windows in so many rows and columns all lie within the picture. */
function fits(x: Tensor, attributes: MaxPool2dAttributes, counts: Pair): boolean {
  const { stride, padding } = attributes;
  const span = spanOf(attributes);
  return ([0, 1] as const).every((axis) =>
    padding[axis] === 0 && (counts[axis] - 1) * stride[axis] + span[axis] <= x.shape[axis + 2]!
  );
}

/** Table entry. */
export const maxPool2dOperation: Operation<"maxPool2d"> = {
  lower: (y) => [{
    source: { name: "maxPool2d", wgsl: source },
    defines: {
      INDICES: false,
      FITS: fits(y.inputs[0]!, y.attributes, [y.shape[2], y.shape[3]]),
      ...unrolled(y.attributes),
    },
    reads: { x: y.inputs[0]! },
    writes: { y },
    parameters: windowParameters(y.attributes),
    workgroups: perTexel(y),
  }],
  gradient(y, dy) {
    const [x] = y.inputs as [Tensor];
    const [n, c, h, w] = y.shape;
    const { PER } = positionBits(y.attributes);
    const shape: Shape = [1, c, h, Math.ceil(n * w / PER)];
    const indices = node("maxPool2dIndices", shape, [x], { ...y.attributes, columns: w });
    return [node("maxPool2dGradient", x.shape, [dy, indices], y.attributes)];
  },
};

/**
 * The dispatch that finds the window positions of the maxima, and the maxima with them where they
 * are wanted too: both look at every element of every window.
 */
export function maxPool2dIndicesCall(
  indices: Tensor<"maxPool2dIndices">,
  y?: Tensor<"maxPool2d">,
): Call {
  const { attributes } = indices;
  const [x] = indices.inputs as [Tensor];
  return {
    source: { name: y ? "maxPool2dWithIndices" : "maxPool2dIndices", wgsl: source },
    defines: {
      INDICES: true,
      VALUES: y !== undefined,
      FITS: fits(x, attributes, [indices.shape[2], attributes.columns]),
      ...positionBits(attributes),
      ...unrolled(attributes),
    },
    reads: { x },
    writes: { indices, ...(y ? { y } : {}) },
    parameters: {
      ...windowParameters(attributes),
      pictures: x.shape[0],
      columns: attributes.columns,
    },
    workgroups: perTexel(indices),
  };
}

/** The pools of a graph whose maxima's positions are in it too, and these. */
export function poolsWithIndices(
  nodes: readonly Tensor[],
): Map<Tensor<"maxPool2dIndices">, Tensor<"maxPool2d">> {
  const window = ({ kernel, stride, padding, dilation }: MaxPool2dAttributes) =>
    [kernel, stride, padding, dilation].join();
  const pools = nodes.filter((n) => isOp(n, "maxPool2d"));
  const found = new Map<Tensor<"maxPool2dIndices">, Tensor<"maxPool2d">>();
  for (const n of nodes) {
    if (!isOp(n, "maxPool2dIndices")) continue;
    const pool = pools.find((y) =>
      y.inputs[0] === n.inputs[0] && window(y.attributes) === window(n.attributes) &&
      y.shape[2] === n.shape[2] && y.shape[3] === n.attributes.columns
    );
    if (pool) found.set(n, pool);
  }
  return found;
}

/** Table entry of the window positions of the maxima. */
export const maxPool2dIndicesOperation: Operation<"maxPool2dIndices"> = {
  early: true,
  lower: (y) => [maxPool2dIndicesCall(y)],
  gradient: "positions are whole numbers",
};

/** Table entry of the gradient. */
export const maxPool2dGradientOperation: Operation<"maxPool2dGradient"> = {
  lower(dx) {
    const [dy, indices] = dx.inputs as [Tensor, Tensor];
    const { stride, padding } = dx.attributes;
    const [n, c, h, w] = dx.shape;
    const blocks = (size: number, axis: 0 | 1) => Math.ceil((size + padding[axis]) / stride[axis]);
    const defines = stride[0] * stride[1] <= SMALL ? unrolled(dx.attributes) : { UNROLLED: false };
    return [{
      source: { name: "maxPool2dGradient", wgsl: windowsSource + gradientSource },
      defines: {
        DILATED: dx.attributes.dilation.some((d) => d > 1),
        ...defines,
        SY: stride[0],
        SX: stride[1],
        ROWS: Math.ceil(dx.attributes.kernel[0] / stride[0]),
        COLUMNS: Math.ceil(dx.attributes.kernel[1] / stride[1]),
        ...positionBits(dx.attributes),
      },
      reads: { dy, indices },
      writes: { dx },
      parameters: windowParameters(dx.attributes),
      workgroups: defines.UNROLLED
        ? [Math.ceil(blocks(w, 1) / 16), Math.ceil(blocks(h, 0) / 4), n * Math.ceil(c / 4)]
        : perTexel(dx),
    }];
  },
  gradient: "second derivatives are not part of the method",
};
