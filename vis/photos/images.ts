/** Images to be explained: held in memory, or read when they are needed. */
import { UserError } from "../../base/errors.ts";

/** An image to be explained. */
export type SourceImage = HeldImage | StoredImage;

/** An image in memory. */
export interface HeldImage {
  /** What to call it in the report. */
  readonly name: string;
  /** [3,S,S], 0..255. */
  readonly pixels: Float32Array;
}

/** An image that is read anew each time it is needed, so that a folder may be of any size. */
export interface StoredImage {
  /** What to call it in the report. */
  readonly name: string;
  /**
   * Gives [3,side,side], 0..255.
   *
   * @param side in pixels; that at which it was looked at by default
   */
  read(side?: number): Promise<Float32Array>;
}

/** The pixels of an image, [3,S,S], 0..255. */
export async function pixelsOf(image: SourceImage): Promise<Float32Array> {
  return "pixels" in image ? image.pixels : await image.read();
}

/**
 * The pixels of an image that must be of a size, or is read at it.
 *
 * @throws {UserError} when they are not.
 */
export async function pixelsAt(image: SourceImage, size: number): Promise<Float32Array> {
  const pixels = "pixels" in image ? image.pixels : await image.read(size);
  requireSize(pixels, size, image.name);
  return pixels;
}

/**
 * Checks that a picture is of a size: a larger one would pass for it, its first part read as if it
 * were all.
 *
 * @param pixels [3,size,size]
 * @param name What to call it.
 * @throws {UserError} when it has more or fewer values.
 */
export function requireSize(pixels: Float32Array, size: number, name = "a picture"): void {
  if (pixels.length === 3 * size * size) return;
  const side = Math.sqrt(pixels.length / 3);
  const got = Number.isInteger(side) ? `those of ${side} pixels` : `${pixels.length}`;
  throw new UserError(
    `${name}: expected the ${
      3 * size * size
    } values of ${size} × ${size} pixels in three colours, ` +
      `got ${got}; bring it to that size first`,
  );
}

/**
 * Throws unless there are enough images.
 *
 * @throws {UserError} when there are fewer images than facets.
 */
export function requireImages(n: number, facets: number | "auto"): void {
  if (facets !== "auto" && n < facets) {
    throw new UserError(`${n} images cannot make ${facets} facets; add images or ask for fewer`);
  }
}
