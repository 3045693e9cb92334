/** Average pooling. */
import source from "../../kernels/pool/average_pool2d.wgsl" with { type: "text" };
import windowsSource from "../../kernels/pool/pool_windows.wgsl" with { type: "text" };
import { type Pool2dOptions, poolGeometry, windowParameters } from "./max_pool2d.ts";
import { type Call, type Operation, perTexel } from "../graph/operation.ts";
import { resample } from "../image/resample_axis.ts";
import type { Band, BandMatrix, MaxPool2dAttributes } from "../graph/attributes.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/** Options of {@linkcode averagePool2d}, with PyTorch's defaults. */
export interface AveragePool2dOptions extends Pool2dOptions {
  /** Divide by the window's size, padding included. Default true. */
  countIncludePad?: boolean;
}

/** Elements of a window that are added in one loop. */
const LARGE = 2 ** 14;

/**
 * `torch.nn.functional.avg_pool2d`: [N,C,H,W] → [N,C,H',W']. A large window is averaged along its
 * rows, then along its columns.
 *
 * @throws {RangeError} for a window that is not of whole numbers or does not fit the picture.
 */
export function averagePool2d(x: Tensor, options: AveragePool2dOptions): Tensor {
  const { shape, ...window } = poolGeometry("averagePool2d", x, options);
  const countIncludePad = options.countIncludePad ?? true;
  if (window.kernel[0] * window.kernel[1] > LARGE) {
    const [rows, columns] = ([0, 1] as const).map((axis) =>
      averages(x.shape[axis + 2]!, shape[axis + 2]!, window, axis, countIncludePad)
    ) as [BandMatrix, BandMatrix];
    return resample(x, rows, columns);
  }
  return node("averagePool2d", shape, [x], { ...window, countIncludePad });
}

/** The windows along one axis, as rows of a matrix. */
function averages(
  size: number,
  count: number,
  { kernel, stride, padding }: MaxPool2dAttributes,
  axis: 0 | 1,
  countIncludePad: boolean,
): BandMatrix {
  const band = (o: number): Band => {
    const start = o * stride[axis] - padding[axis];
    const [first, end] = [Math.max(start, 0), Math.min(start + kernel[axis], size)];
    const counted = countIncludePad
      ? Math.min(start + kernel[axis], size + padding[axis]) - start
      : end - first;
    return { first, weights: new Array<number>(end - first).fill(1 / counted) };
  };
  return { columns: size, rows: Array.from({ length: count }, (_, o) => band(o)) };
}

function call(y: Tensor<"averagePool2d"> | Tensor<"averagePool2dGradient">): Call[] {
  const gradient = y.op === "averagePool2dGradient";
  const picture = gradient ? y : y.inputs[0]!;
  return [{
    source: { name: y.op, wgsl: windowsSource + source },
    defines: { GRADIENT: gradient, INCLUDE_PAD: y.attributes.countIncludePad },
    reads: { x: y.inputs[0]! },
    writes: { y },
    parameters: {
      ...windowParameters(y.attributes),
      height: picture.shape[2],
      width: picture.shape[3],
    },
    workgroups: perTexel(y),
  }];
}

/** Table entry. */
export const averagePool2dOperation: Operation<"averagePool2d"> = {
  lower: call,
  gradient: (y, dy) => [
    node("averagePool2dGradient", y.inputs[0]!.shape, [dy], y.attributes),
  ],
};

/** Table entry of the gradient. */
export const averagePool2dGradientOperation: Operation<"averagePool2dGradient"> = {
  lower: call,
  gradient: "second derivatives are not part of the method",
};
