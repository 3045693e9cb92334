/** Gaussian blur, separable, with a mirrored border. */
import source from "../../kernels/image/gaussian_blur.wgsl" with { type: "text" };
import { expectShape, expectWhole } from "../graph/check.ts";
import { type Call, type Operation, perTexel } from "../graph/operation.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/**
 * Weights of a sampled Gaussian at distance 0, 1, ..., radius from the centre, normalised so that
 * the whole kernel sums to 1. For {@linkcode gaussianBlur}, which takes any number of channels:
 * the rest is zero.
 *
 * @throws {RangeError} for a sigma that is not positive, or a radius that is no whole number from 0.
 */
export function gaussianKernel(sigma: number, radius: number, channels = radius + 1): Float32Array {
  if (!(sigma > 0)) throw new RangeError(`gaussianKernel: expected a sigma above 0, got ${sigma}`);
  expectWhole("gaussianKernel: radius", radius, 0);
  const weights = new Float32Array(channels);
  const at = (k: number) => Math.exp(-0.5 * (k / sigma) ** 2);
  let total = 1;
  for (let k = 1; k <= radius; k++) total += 2 * at(k);
  for (let k = 0; k <= radius && k < channels; k++) weights[k] = at(k) / total;
  return weights;
}

/**
 * Blurs rows, then columns. The gradient is the exact adjoint, border included; there is none for
 * the weights.
 *
 * @param x [N,C,H,W]
 * @param weights [1,R+1,1,1] from {@linkcode gaussianKernel}: the kernel's right half
 * @throws {RangeError} for weights of another shape, or more than 131072 of them.
 */
export function gaussianBlur(x: Tensor, weights: Tensor): Tensor {
  const channels = weights.shape[1];
  expectShape("gaussianBlur: weights", weights, [1, channels, 1, 1]);
  expectWhole("gaussianBlur: number of weights", channels, 1, MOST_WEIGHTS);
  const rows = node("blurAxis", x.shape, [x, weights], { axis: 3 });
  return node("blurAxis", x.shape, [rows, weights], { axis: 2 });
}

/** Four of them are a turn of a loop, of which some drivers make no more than 65535. */
const MOST_WEIGHTS = 2 ** 17;

/** Pixels along the axis that an invocation blurs. */
const TILE = 8;

/** Weights that need no loop. More of them make code that no longer fits a processor's cache. */
const UNROLLED = 16;

function lower(y: Tensor<"blurAxis"> | Tensor<"blurAxisTranspose">): Call[] {
  const { axis } = y.attributes;
  const [x, w] = y.inputs as [Tensor, Tensor];
  const [n, c, height, width] = y.shape;
  const transpose = y.op === "blurAxisTranspose";
  const weights = Math.ceil(w.shape[1] / 4) * 4;
  const across = (size: number, along: 2 | 3) => along === axis ? Math.ceil(size / TILE) : size;
  return [{
    source: { name: y.op, wgsl: source },
    defines: {
      AXIS: axis,
      TRANSPOSE: transpose,
      TILE,
      UNROLLED: Math.min(UNROLLED, weights),
      LOOP: weights > UNROLLED,
      FAR: weights + TILE > y.shape[axis],
    },
    reads: { x, w },
    writes: { y },
    workgroups: transpose ? perTexel(y) : [
      Math.ceil(across(width, 3) / 64),
      across(height, 2),
      n * Math.ceil(c / 4),
    ],
  }];
}

/** Table entry. */
export const blurAxisOperation: Operation<"blurAxis"> = {
  lower,
  gradient: (y, dy) => [node("blurAxisTranspose", y.shape, [dy, y.inputs[1]!], y.attributes)],
};

/** Table entry. */
export const blurAxisTransposeOperation: Operation<"blurAxisTranspose"> = {
  lower,
  gradient: (y, dy) => [node("blurAxis", y.shape, [dy, y.inputs[1]!], y.attributes)],
};
