/** Average pooling. */
import source from "../../kernels/pool/average_pool2d.wgsl" with { type: "text" };
import windowsSource from "../../kernels/pool/pool_windows.wgsl" with { type: "text" };
import { type Pool2dOptions, poolGeometry, windowParameters } from "./max_pool2d.ts";
import { type Call, type Operation, perTexel } from "../graph/operation.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/** Options of {@linkcode averagePool2d}, with PyTorch's defaults. */
export interface AveragePool2dOptions extends Pool2dOptions {
  /** Divide by the window's size, padding included. Default true. */
  countIncludePad?: boolean;
}

/** `torch.nn.functional.avg_pool2d`: [N,C,H,W] → [N,C,H',W']. */
export function averagePool2d(x: Tensor, options: AveragePool2dOptions): Tensor<"averagePool2d"> {
  const { shape, ...window } = poolGeometry("averagePool2d", x, options);
  const countIncludePad = options.countIncludePad ?? true;
  return node("averagePool2d", shape, [x], { ...window, countIncludePad });
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
