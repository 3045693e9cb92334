/** Pictures before the loop: the photos as the network sees them, and what to start from. */
import { Random } from "../../ops/mod.ts";
import type { Parameters } from "../parameters.ts";

/**
 * What pictures start from: `mean`, the weighted mean of each facet's images; `noise` around the
 * mean colour of those; or one picture, [3,S,S] in 0..255, for all facets.
 */
export type Start = "mean" | "noise" | Float32Array;

/** Standard deviation of noise, in grey levels: visible, but seldom clamped. */
const NOISE = 20;

/** Swaps the first and the last channel of pictures [N,3,S,S]. */
function swapRedAndBlue(pictures: Float32Array, plane: number): Float32Array<ArrayBuffer> {
  const out = Float32Array.from(pictures);
  for (let at = 0; at < pictures.length; at += 3 * plane) {
    out.set(pictures.subarray(at + 2 * plane, at + 3 * plane), at);
    out.set(pictures.subarray(at, at + plane), at + 2 * plane);
  }
  return out;
}

/** A photo, [3,S,S] in 0..255, as the method's parameters have the network see it. */
export function asSeen(
  pixels: Float32Array,
  { colourOrder, wholeLevels }: Pick<Parameters, "colourOrder" | "wholeLevels">,
): Float32Array {
  const ordered = colourOrder === "bgr" ? swapRedAndBlue(pixels, pixels.length / 3) : pixels;
  return wholeLevels ? ordered.map(Math.round) : ordered;
}

/** Whether {@linkcode asSeen} changes anything. */
export function changesPhotos(
  { colourOrder, wholeLevels }: Pick<Parameters, "colourOrder" | "wholeLevels">,
): boolean {
  return colourOrder !== "rgb" || wholeLevels;
}

/**
 * The pictures a run starts from, [K,3,S,S] in 0..255.
 *
 * @param options.mean the weighted mean of each facet's images, [K,3,S,S]
 */
export function startPictures(
  start: Start,
  { mean, size, seed, parameters }: {
    mean: Float32Array;
    size: number;
    seed: number;
    parameters: Pick<Parameters, "colourOrder" | "wholeLevels">;
  },
): Float32Array<ArrayBuffer> {
  if (start === "mean") {
    // A blend like any other: cut off.
    return parameters.wholeLevels ? Float32Array.from(mean, Math.floor) : Float32Array.from(mean);
  }
  const plane = size * size;
  const out = new Float32Array(mean.length);
  if (start === "noise") {
    const random = new Random(seed);
    for (let at = 0; at < mean.length; at += plane) {
      const colour = mean.subarray(at, at + plane).reduce((a, b) => a + b, 0) / plane;
      for (let i = at; i < at + plane; i++) {
        const value = Math.min(255, Math.max(0, colour + NOISE * random.normal()));
        out[i] = parameters.wholeLevels ? Math.round(value) : value;
      }
    }
    return out;
  }
  if (start.length !== 3 * plane) {
    throw new RangeError(
      `startPictures: expected ${3 * plane} values for a picture of ${size}, got ${start.length}`,
    );
  }
  const picture = asSeen(start, parameters);
  for (let at = 0; at < mean.length; at += 3 * plane) out.set(picture, at);
  return out;
}
