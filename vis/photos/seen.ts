/** Photos as the method has the network see them. */
import { channelsOf, type Normalisation, withoutColours } from "../../models/normalisation.ts";
import type { Parameters } from "../parameters.ts";

/** Swaps the first and the last channel of pictures [N,3,S,S]. */
function swapRedAndBlue(pictures: Float32Array, plane: number): Float32Array<ArrayBuffer> {
  const out = Float32Array.from(pictures);
  for (let at = 0; at < pictures.length; at += 3 * plane) {
    out.set(pictures.subarray(at + 2 * plane, at + 3 * plane), at);
    out.set(pictures.subarray(at, at + plane), at + 2 * plane);
  }
  return out;
}

/**
 * A photo, [3,S,S] in 0..255, as the method's parameters have the network see it; without its colours
 * for a network that sees none.
 */
export function asSeen(
  pixels: Float32Array,
  { colourOrder, wholeLevels }: Pick<Parameters, "colourOrder" | "wholeLevels">,
  normalisation?: Normalisation,
): Float32Array {
  const plane = pixels.length / 3;
  const ordered = colourOrder === "bgr" ? swapRedAndBlue(pixels, plane) : pixels;
  const coloured = !normalisation || channelsOf(normalisation) === 3;
  const seen = coloured ? ordered : withoutColours(ordered, plane);
  return wholeLevels ? seen.map(Math.round) : seen;
}

/** What to start from, as the method has the network see it where it is a picture. */
export function startSeen<T extends string>(
  start: T | Float32Array,
  parameters: Pick<Parameters, "colourOrder" | "wholeLevels">,
): T | Float32Array {
  return typeof start === "string" ? start : asSeen(start, parameters);
}

/** Whether {@linkcode asSeen} changes anything. */
export function changesPhotos(
  { colourOrder, wholeLevels }: Pick<Parameters, "colourOrder" | "wholeLevels">,
): boolean {
  return colourOrder !== "rgb" || wholeLevels;
}
