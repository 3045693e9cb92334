/** Images to be explained: held in memory, or read when they are needed. */

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
  /** Gives [3,S,S], 0..255. */
  read(): Promise<Float32Array>;
}

/** The pixels of an image, [3,S,S], 0..255. */
export async function pixelsOf(image: SourceImage): Promise<Float32Array> {
  return "pixels" in image ? image.pixels : await image.read();
}
