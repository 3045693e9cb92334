/** What a rectifier keeps for its gradient: one bit an element, not its output. */
import bitSource from "../../kernels/element/mask_bit.wgsl" with { type: "text" };
import gradientSource from "../../kernels/element/rectifier_gradient.wgsl" with { type: "text" };
import source from "../../kernels/element/rectifier_mask.wgsl" with { type: "text" };
import { type Operation, perTexel } from "../graph/operation.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/** Pixels of a texel row whose bits share a texel. */
const PIXELS = 24;

/** Where a rectifier of output y lets its gradient through; see rectifier_mask.wgsl. */
function rectifierMask(y: Tensor, rectifier: "relu" | "relu6"): Tensor<"rectifierMask"> {
  const [n, c, h, w] = y.shape;
  return node("rectifierMask", [1, c, h, Math.ceil(n * w / PIXELS)], [y], { rectifier });
}

/** dL/dx of y = relu(x) or relu6(x). */
export function rectifierGradient(dy: Tensor, y: Tensor, rectifier: "relu" | "relu6"): Tensor {
  return node("rectifierGradient", dy.shape, [dy, rectifierMask(y, rectifier)], {});
}

/** Table entry. */
export const rectifierMaskOperation: Operation<"rectifierMask"> = {
  early: true,
  lower(y, gpu) {
    const [, c, h, w] = y.shape;
    const workgroup = gpu.software ? 16 : 64;
    return [{
      source: { name: "rectifierMask", wgsl: source },
      defines: { RECTIFIER: y.attributes.rectifier, WORKGROUP: workgroup },
      reads: { x: y.inputs[0]! },
      writes: { y },
      workgroups: [Math.ceil(h * w / workgroup), Math.ceil(c / 4), 1],
    }];
  },
  // Zero wherever there is one.
  gradient: () => [],
};

/** Table entry. */
export const rectifierGradientOperation: Operation<"rectifierGradient"> = {
  lower: (dx) => [{
    source: { name: "rectifierGradient", wgsl: bitSource + gradientSource },
    reads: { dy: dx.inputs[0]!, mask: dx.inputs[1]! },
    writes: { dx },
    workgroups: perTexel(dx),
  }],
  gradient: (dx, d) => [node("rectifierGradient", dx.shape, [d, dx.inputs[1]!], {})],
};
