/** The part of imagescript that is used here. Its own declarations do not parse under `deno doc`. */

/** A decoded picture. */
export class Image {
  /** A transparent picture of this size. */
  constructor(width: number, height: number);
  readonly width: number;
  readonly height: number;
  /** [height, width, 4], 0..255. */
  readonly bitmap: Uint8ClampedArray;
  /** Reads a PNG or JPEG file. */
  static decode(bytes: Uint8Array): Promise<Image>;
  /** Writes a PNG file. */
  encode(): Promise<Uint8Array>;
  /** Writes a JPEG file of this quality, 1..100. */
  encodeJPEG(quality: number): Promise<Uint8Array>;
}

/** The frames of a GIF file. */
export class GIF extends Array<Image> {
  /** Reads a GIF file, or its first frame only. */
  static decode(bytes: Uint8Array, onlyFirstFrame: boolean): Promise<GIF>;
}
