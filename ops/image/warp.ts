/** Affine warps of pictures with bilinear sampling and reflected borders. */
import source from "../../kernels/image/warp.wgsl" with { type: "text" };
import { expectShape } from "../graph/check.ts";
import { type Operation, perTexel } from "../graph/operation.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/**
 * PyTorch's `grid_sample(x, affine_grid(theta, x.shape, align_corners=False), "bilinear",
 * "reflection", align_corners=False)`, one map for all pictures.
 *
 * The gradient of a pixel that more than some 60000 samples touch (a zoom of 250 times) is incomplete on
 * drivers that end long loops.
 *
 * @param x [N,C,H,W]
 * @param theta [1,6,1,1]: the rows of the 2×3 matrix from output to input places in [−1,1]
 * @throws {RangeError} for a theta of another shape.
 */
export function warp(x: Tensor, theta: Tensor): Tensor<"warp"> {
  expectShape("warp: theta", theta, [1, 6, 1, 1]);
  return node("warp", x.shape, [x, theta], {});
}

function lower(y: Tensor<"warp"> | Tensor<"warpTranspose">) {
  return [{
    source: { name: y.op, wgsl: source },
    defines: { TRANSPOSE: y.op === "warpTranspose" },
    reads: { x: y.inputs[0]!, theta: y.inputs[1]! },
    writes: { y },
    workgroups: perTexel(y),
  }];
}

/** Table entry. */
export const warpOperation: Operation<"warp"> = {
  lower,
  gradient: (y, dy) => [node("warpTranspose", y.shape, [dy, y.inputs[1]!], {})],
};

/** Table entry. */
export const warpTransposeOperation: Operation<"warpTranspose"> = {
  lower,
  gradient: (y, dy) => [node("warp", y.shape, [dy, y.inputs[1]!], {})],
};
