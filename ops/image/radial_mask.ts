/** The Gaussian mask around a picture's centre. */
import source from "../../kernels/image/radial_mask.wgsl" with { type: "text" };
import { expectShape, expectWhole } from "../graph/check.ts";
import { type Operation, perTexel } from "../graph/operation.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/** Which mask, in pixels. */
export interface MaskShape {
  /** Radius of the plateau; without one 1, the radius of the ring of greatest weight. */
  edge: number;
  /** Standard deviation of the flank. */
  sigma: number;
  /** Whether the mask is 1 up to the edge, or a ring. */
  plateau: boolean;
}

/** Mask value before min-max normalisation at distance r. */
export function maskProfile({ edge, sigma, plateau }: MaskShape, r: number): number {
  const d = (plateau ? Math.max(0, r - edge) : r - edge) / sigma;
  return Math.exp(-0.5 * d * d);
}

/**
 * The numbers {@linkcode radialMask} takes for a height × width mask: edge, sigma, and the
 * smallest and largest value before normalisation.
 */
export function maskNumbers(shape: MaskShape, height: number, width: number): number[] {
  // The profile falls from the plateau, or from the ring one pixel out, to the farthest corner.
  const farthest = Math.hypot(height >> 1, width >> 1);
  const values = [0, Math.min(1, farthest), farthest].map((r) => maskProfile(shape, r));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  // A plateau over the whole picture is a mask of ones.
  return [shape.edge, shape.sigma, low < high ? low : 0, high];
}

/**
 * m(r) = exp(−½ (d/σ)²), min-max normalised over the picture; r in pixels from (⌊H/2⌋, ⌊W/2⌋).
 *
 * @param numbers [1,4,1,1] from {@linkcode maskNumbers}
 * @returns [1,1,H,W]
 * @throws {RangeError} for numbers of another shape, or sides that are no whole numbers from 1.
 */
export function radialMask(
  numbers: Tensor,
  height: number,
  width: number,
  plateau: boolean,
): Tensor<"radialMask"> {
  expectShape("radialMask: numbers", numbers, [1, 4, 1, 1]);
  expectWhole("radialMask: height and width", [height, width], 1);
  return node("radialMask", [1, 1, height, width], [numbers], { plateau });
}

/** Table entry. */
export const radialMaskOperation: Operation<"radialMask"> = {
  lower: (y) => [{
    source: { name: "radialMask", wgsl: source },
    defines: { PLATEAU: y.attributes.plateau },
    reads: { shape: y.inputs[0]! },
    writes: { y },
    workgroups: perTexel(y),
  }],
  gradient: "the mask is scheduled, not learned",
};
