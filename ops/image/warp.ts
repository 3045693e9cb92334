/** Affine warps of pictures with bilinear sampling and reflected borders. */
import source from "../../kernels/image/warp.wgsl" with { type: "text" };
import { expectShape } from "../graph/check.ts";
import { type Operation, perTexel } from "../graph/operation.ts";
import { node, type Tensor } from "../graph/tensor.ts";
import type { Pair } from "../graph/attributes.ts";
import { checkedSize } from "./resize.ts";

/**
 * PyTorch's `grid_sample(x, affine_grid(theta, [N,C,...size], align_corners=False), "bilinear",
 * "reflection", align_corners=False)`, one map for all pictures.
 *
 * The gradient of a pixel that more than some 60000 samples touch (a zoom of 250 times) is incomplete on
 * drivers that end long loops.
 *
 * @param x [N,C,H,W]
 * @param theta [1,6,1,1]: the rows of the 2×3 matrix from output to input places in [−1,1]
 * @param size rows and columns of the result; those of x by default
 * @throws {RangeError} for a theta of another shape, or a size that is not of whole numbers from 1.
 */
export function warp(x: Tensor, theta: Tensor, size?: number | Pair): Tensor<"warp"> {
  expectShape("warp: theta", theta, [1, 6, 1, 1]);
  const [n, c, ...own] = x.shape;
  return node(
    "warp",
    [n, c, ...(size === undefined ? own : checkedSize("warp", size))],
    [x, theta],
    {},
  );
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
  gradient: (y, dy) => [node("warpTranspose", y.inputs[0]!.shape, [dy, y.inputs[1]!], {})],
};

/** Table entry. */
export const warpTransposeOperation: Operation<"warpTranspose"> = {
  lower,
  gradient: (y, dy) => [node("warp", y.inputs[0]!.shape, [dy, y.inputs[1]!], {})],
};
