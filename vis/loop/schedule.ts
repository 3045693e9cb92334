/** Everything about an iteration that the host decides: scheduled numbers and random draws. */
import { gaussianKernel, maskNumbers, type Random } from "../../ops/mod.ts";
import type { Parameters } from "../parameters.ts";

/** The recipe's warp, in its own terms. */
export interface Warp {
  /** Magnification. */
  zoom: number;
  /** Radians. */
  turn: number;
  /** Shift in pixels. */
  dx: number;
  /** Shift in pixels. */
  dy: number;
}

/** The value at iteration i of N, linear from the first to the last. */
export function ramp(start: number, end: number, i: number, iterations: number): number {
  return start + (end - start) * (i - 1) / Math.max(1, iterations - 1);
}

/** What the schedule says of an iteration. */
export type Scheduled = ReturnType<typeof scheduleAt>;

/** Scheduled numbers of iteration i (from 1), for a picture of `size` pixels. */
export function scheduleAt(p: Parameters, i: number, size: number) {
  const at = (start: number, end: number) => ramp(start, end, i, p.iterations);
  const isTime = (step: number) => step > 0 && i % step === 0;
  const regularise = isTime(p.regulariseStep);
  const maskSigma = at(p.startMaskSigma, p.endMaskSigma);
  return {
    lr: at(p.startLr, p.endLr),
    lambda: at(p.startLambda, p.endLambda),
    maskSigma,
    sigma: at(p.startSigma, p.endSigma),
    denoiseWeight: at(p.startDenoiseWeight, p.endDenoiseWeight),
    mask: maskNumbers(
      {
        edge: p.maskRadius > 0 ? p.maskRadius * size : 1,
        sigma: maskSigma / p.maskDivisor * (p.maskScales ? size / 512 : 1),
        plateau: p.maskRadius > 0,
      },
      size,
      size,
    ),
    regularise,
    brighten: isTime(p.brightnessStep) && (regularise || !p.brightnessGated),
    moveWindow: isTime(p.windowStep),
  };
}

/** A sigma that blurs nothing, in pixels. */
export const NO_BLUR = 0.05;

/** Radius of the blur's kernel in pixels; it must leave something to mirror. */
export function blurRadius(sigma: number, rule: Parameters["blurRadius"], size: number): number {
  if (rule === "opencv") return Math.max(5, Math.floor(3.3 * sigma)) >> 1;
  return Math.min(Math.max(1, Math.ceil(3 * sigma)), size - 1);
}

/** Largest radius any blur of a run needs. */
export function largestRadius(p: Parameters, size: number): number {
  return blurRadius(Math.max(p.startSigma, p.endSigma), p.blurRadius, size);
}

/** Half kernel of the scheduled blur, padded with zeros to `channels`. */
export function blurWeights(p: Parameters, sigma: number, size: number, channels: number) {
  if (sigma <= NO_BLUR) return gaussianKernel(1, 0, channels);
  return gaussianKernel(sigma, blurRadius(sigma, p.blurRadius, size), channels);
}

/** A random warp: zoom, turn and shift drawn evenly from their ranges, in this order. */
export function drawWarp(p: Parameters, size: number, random: Random): Warp {
  const zoom = Math.exp(random.uniform(-1, 1) * p.warpZoom);
  const turn = random.uniform(-1, 1) * p.warpTurn * Math.PI / 180;
  const shift = p.warpShift * size;
  return { zoom, turn, dx: random.uniform(-shift, shift), dy: random.uniform(-shift, shift) };
}

/**
 * The side of what the network sees.
 *
 * @param size side of the picture
 * @param inputSize side of the pictures the network was made for, if that is known
 */
export function seenSide(
  { seen, views }: Pick<Parameters, "seen" | "views">,
  size: number,
  inputSize = size,
): number {
  return seen || (views > 0 ? Math.min(size, inputSize) : size);
}

/** The side of pictures where nobody says it: with views, twice what the network sees. */
export function usualSide({ views }: Pick<Parameters, "views">, inputSize: number): number {
  return views > 0 ? 2 * inputSize : inputSize;
}

/**
 * The 2×3 matrix of a random view, as `warp` takes it: a square of the picture, its side drawn evenly,
 * its centre normally around the middle but so that the square, unturned, stays inside, and turned.
 */
export function drawView(p: Parameters, random: Random): number[] {
  const [least, most] = p.viewSide as [number, number];
  const side = random.uniform(least, most);
  const spare = (1 - side) / 2;
  const centre = () => 2 * Math.min(spare, Math.max(-spare, p.viewSpread * random.normal()));
  const [x, y] = [centre(), centre()];
  const turn = random.uniform(-1, 1) * p.warpTurn * Math.PI / 180;
  const [c, s] = [side * Math.cos(turn), side * Math.sin(turn)];
  return [c, -s, x, s, c, y];
}

/** The 2×3 matrix of a warp, as `warp` takes it: from output to input places in [−1, 1]. */
export function warpMatrix({ zoom, turn, dx, dy }: Warp, size: number): number[] {
  const c = Math.cos(turn) / zoom;
  const s = Math.sin(turn) / zoom;
  return [c, -s, 2 * dx / size, s, c, 2 * dy / size];
}
