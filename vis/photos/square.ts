/** What becomes of a photo that is decoded, whoever decoded it. */
import { resizeArea } from "./area_resize.ts";
import type { Rgba } from "./rgba.ts";

/**
 * Extensions that say "I am a picture". BMP and friends are among them although not everybody decodes
 * them: they are then named as skipped instead of being silently absent.
 */
const EXTENSION = /\.(jpe?g|jpe|jfif|png|gif|webp|avif|bmp|tiff?|hei[cf]|jp2|jxl)$/i;

/** More pixels than this are refused: their decoded copies would not fit into memory. */
export const MOST_PIXELS = 100_000_000;

/** Whether a file's name is that of a picture; hidden files are none. */
export function isPictureName(name: string): boolean {
  return EXTENSION.test(name) && !name.startsWith(".");
}

/** A photo over white, stretched to a square by area averaging: [3,size,size], 0..255, not rounded. */
export function squareOf({ width, height, rgba }: Rgba, size: number): Float32Array {
  const pixels = new Float32Array(3 * size * size);
  const plane = new Float32Array(width * height);
  for (let c = 0; c < 3; c++) { // one colour at a time: a large photo takes 4 bytes a pixel, not 12
    overWhite(rgba, c, plane);
    const small = resizeArea(plane, { width, height }, { width: size, height: size });
    pixels.set(small, c * size * size);
  }
  return pixels;
}

/** One colour of interleaved RGBA as a plane; what is transparent shows white. */
function overWhite(rgba: Uint8ClampedArray, colour: number, plane: Float32Array): void {
  for (let i = 0; i < plane.length; i++) {
    plane[i] = 255 + (rgba[4 * i + colour]! - 255) * (rgba[4 * i + 3]! / 255);
  }
}
