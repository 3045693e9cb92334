/** Total-variation denoising. */
import source from "../kernels/tv_denoise.wgsl" with { type: "text" };
import type { Call, Operation } from "./operation.ts";
import { node, type Tensor } from "./tensor.ts";

/**
 * Invocations that walk a picture's anti-diagonals together. Barriers cost more in larger
 * workgroups; too small ones would turn their loops more than 65535 times on a large picture.
 */
function workgroupSize(software: boolean, side: number): number {
  return software && side <= 1024 ? 64 : 256;
}

/**
 * scikit-image's `denoise_tv_bregman(x, weight, max_num_iter=sweeps, eps, isotropic=True)` for
 * each picture, in the same order of updates.
 *
 * @param x [N,C,H,W] with at most 4 channels, in 0..1
 * @param settings [1,2,1,1]: weight (small is smooth) and eps (stop when a sweep changes less, RMS)
 * @throws {RangeError} for more than 4 channels.
 */
export function tvDenoise(x: Tensor, settings: Tensor, sweeps: number): Tensor<"tvDenoise"> {
  if (x.shape[1] > 4) throw new RangeError(`tvDenoise: at most 4 channels, got ${x.shape[1]}`);
  return node("tvDenoise", x.shape, [x, settings], { sweeps });
}

/** Table entry. */
export const tvDenoiseOperation: Operation<"tvDenoise"> = {
  lower(y, gpu) {
    const [n, , h, w] = y.shape;
    const phase = (PHASE: number): Call => ({
      source: { name: "tvDenoise", wgsl: source },
      defines: { PHASE, WORKGROUP: workgroupSize(gpu.software, Math.max(h, w)) },
      reads: { x: y.inputs[0]!, settings: y.inputs[1]! },
      writes: { y },
      scratch: { state: n * (6 * (h + 2) * (w + 2) + 1) },
      workgroups: [n, 1, 1],
    });
    const sweep = phase(1);
    return [phase(0), ...Array.from({ length: y.attributes.sweeps }, () => sweep), phase(2)];
  },
  gradient: "the loop never differentiates through its denoising",
};
