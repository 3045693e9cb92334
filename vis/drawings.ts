/** The built-in drawings as images, and what the demo makes of them. */
import { drawClass, FACETS } from "../models/motifs/draw.ts";
import type { HeldImage } from "./photos/images.ts";

/** The layer of the built-in network that the demo looks at, and the side of its pictures in pixels. */
export const DEMO = { layer: "features.20", size: 192, facets: FACETS.length } as const;

/** What stands for the drawings where a folder of photos would be named. */
export const DRAWINGS = "builtin:drawings";

/** A drawing as an image. */
export interface DrawnImage extends HeldImage {
  /** Which facet of the imagined class it shows, from 0. */
  readonly facet: number;
}

/** The drawings of the imagined class, [3,size,size] each. */
export function drawings(size: number): DrawnImage[] {
  return drawClass({ size }).map(({ name, pixels, facet }) => ({
    name,
    facet,
    pixels: planar(pixels, size * size),
  }));
}

/** Interleaved RGB to planes. */
export function planar(rgb: Uint8ClampedArray, pixels: number): Float32Array {
  const out = new Float32Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) out[c * pixels + i] = rgb[3 * i + c]!;
  }
  return out;
}
