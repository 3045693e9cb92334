/** What the method does to the frequencies of pictures and gradients. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import {
  add,
  affine,
  clampMin,
  compile,
  constant,
  div,
  hartley2d,
  mul,
  resample,
  sqrt,
  type Tensor,
  Variable,
} from "../../ops/mod.ts";
import { concatenate } from "../../base/concatenate.ts";
import type { Target } from "../facets/targets.ts";
import { resizeArea } from "../photos/area_resize.ts";

/** Frequencies of a side of n pixels, in periods a picture: 0, 1, ..., then falling again. */
function frequencies(n: number): number[] {
  return Array.from({ length: n }, (_, k) => Math.min(k, n - k));
}

/**
 * A picture or gradient with its frequencies f (periods a picture, at least 1) divided by f^power.
 * A picture kept as Fourier coefficients that are divided by f, as in lucid, steps along the
 * gradient with power 2.
 *
 * @param x [K,C,S,S]
 */
export function divideByFrequency(x: Tensor, power: number): Tensor {
  const [, , h, w] = x.shape;
  const response = constant(
    [1, 1, h, w],
    () =>
      Float32Array.from(
        frequencies(h).flatMap((fy) =>
          frequencies(w).map((fx) => Math.max(1, Math.hypot(fx, fy)) ** -power)
        ),
      ),
  );
  return hartley2d(mul(hartley2d(x), response));
}

/** Coefficient k of an axis becomes coefficient n − k. */
function mirrored(x: Tensor): Tensor {
  const flip = (n: number) => ({
    columns: n,
    rows: Array.from({ length: n }, (_, k) => ({ first: (n - k) % n, weights: [1] })),
  });
  const identity = (n: number) => ({
    columns: n,
    rows: Array.from({ length: n }, (_, k) => ({ first: k, weights: [1] })),
  });
  const [, , h, w] = x.shape;
  const both = add(x, resample(x, identity(h), flip(w)));
  return add(both, resample(both, flip(h), identity(w)));
}

/** √ of the power that a picture has at (±u, ±v), from its Hartley coefficients. */
function magnitudes(coefficients: Tensor): Tensor {
  return sqrt(mirrored(affine(mul(coefficients, coefficients), 0.25)));
}

/**
 * Pictures with other magnitudes and their own phases: magnitude-constrained optimisation (Fel et
 * al. 2023) projects on these.
 *
 * @param x [K,C,S,S]
 * @param wanted the same shape, as {@linkcode meanMagnitudes} gives them
 */
export function withMagnitudes(x: Tensor, wanted: Tensor): Tensor {
  const coefficients = hartley2d(x);
  const factor = div(wanted, clampMin(magnitudes(coefficients), 1e-6));
  return hartley2d(mul(coefficients, factor));
}

/**
 * The mean over images of the magnitude each frequency has in them, [3,S,S], for pictures kept as
 * pixel/255 − ½.
 *
 * @param images [3,S,S] each, in 0..255
 * @param weights of the images, adding up to 1
 */
export async function meanMagnitudes(
  gpu: Gpu,
  images: readonly Float32Array[],
  weights: readonly number[],
  size: number,
): Promise<Float32Array<ArrayBuffer>> {
  using x = new Variable(gpu, [1, 3, size, size]);
  const result = magnitudes(hartley2d(x.tensor));
  using program = await compile(gpu, { outputs: [result] });
  const mean = new Float32Array(3 * size * size);
  for (const [i, image] of images.entries()) {
    x.write(image.map((value) => value / 255 - 0.5));
    program.run();
    (await program.read(result)).forEach((value, at) => mean[at]! += weights[i]! * value);
  }
  return mean;
}

/**
 * Mean magnitudes of the images of each picture at a side, [K,3,side,side].
 *
 * @param picture image i, [3,size,size] in 0..255
 */
export async function magnitudesOf(
  gpu: Gpu,
  targets: readonly Pick<Target, "indices" | "weights">[],
  picture: (image: number) => Promise<Float32Array>,
  size: number,
  side: number,
): Promise<Float32Array<ArrayBuffer>> {
  const squareOf = (length: number) => ({ width: length, height: length });
  return concatenate(
    await Promise.all(targets.map(async ({ indices, weights }) => {
      const images = await Promise.all(indices.map(async (i) => {
        const pixels = await picture(i);
        return side === size ? pixels : resizeArea(pixels, squareOf(size), squareOf(side));
      }));
      return await meanMagnitudes(gpu, images, weights, side);
    })),
  );
}
