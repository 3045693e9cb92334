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
    throw new UserError(
      `${n} image${n === 1 ? "" : "s"} cannot make ${facets} facets; add images or ask for fewer`,
    );
  }
}

/** Decoded photos up to this many bytes stay in memory; others are decoded again when needed. */
const HELD_BYTES = 2 ** 28;

/** Decoded photos, as many as fit. */
export class Held {
  readonly #pixels = new Map<string, Float32Array>();
  #left = HELD_BYTES;
  #decoding: Promise<unknown> = Promise.resolve();

  /** Holds a photo if there is room. */
  keep(path: string, pixels: Float32Array): void {
    if (pixels.byteLength > this.#left) return;
    this.#left -= pixels.byteLength;
    this.#pixels.set(path, pixels);
  }

  /** The photo held, or what `decode` gives; it is called for one photo after the other. */
  async get(path: string, decode: () => Promise<Float32Array>): Promise<Float32Array> {
    const pixels = this.#pixels.get(path);
    if (pixels) return pixels;
    const mine = this.#decoding.then(decode);
    this.#decoding = mine.catch(() => {});
    return await mine;
  }
}
