/** Interleaved pictures, and float pictures as such. */

/** An interleaved picture. */
export interface Rgba {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** [height, width, 4], 0..255. */
  rgba: Uint8ClampedArray;
}

/**
 * A planar float picture as opaque bytes: rounded to the nearest level, clamped to 0..255.
 *
 * @param picture [3, height, width] RGB, 0..255.
 * @returns [height, width, 4].
 */
export function pictureToRgba(
  picture: ArrayLike<number>,
  width: number,
  height: number,
): Uint8ClampedArray {
  const count = width * height;
  if (picture.length !== 3 * count) {
    throw new RangeError(
      `pictureToRgba: ${width}x${height} needs ${3 * count} values, got ${picture.length}`,
    );
  }
  const rgba = new Uint8ClampedArray(4 * count); // a clamped array rounds and clamps by itself
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = picture[c * count + i]!;
    rgba[4 * i + 3] = 255;
  }
  return rgba;
}
