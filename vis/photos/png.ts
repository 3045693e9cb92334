/** Pictures as PNG files, and float pictures as bytes. */

// @ts-types="./imagescript.d.ts"
import { Image } from "imagescript";
import { writeWhole } from "../../base/atomic_file.ts";

/** An interleaved picture. */
export interface Rgba {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** [height, width, 4], 0..255. */
  rgba: Uint8ClampedArray;
}

/** A picture as the bytes of a PNG file: the same bytes for the same picture. */
export async function encodePng(
  rgba: ArrayLike<number>,
  width: number,
  height: number,
): Promise<Uint8Array> {
  if (rgba.length !== 4 * width * height) {
    throw new RangeError(
      `encodePng: ${width}x${height} needs ${4 * width * height} bytes of RGBA, got ${rgba.length}`,
    );
  }
  const image = new Image(width, height);
  image.bitmap.set(rgba);
  return withoutText(await image.encode());
}

/** A PNG file without its text chunks: imagescript writes the time of day into one. */
function withoutText(png: Uint8Array): Uint8Array {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const kept = [png.subarray(0, 8)];
  for (let at = 8; at < png.length;) {
    const end = at + 12 + view.getUint32(at);
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (!/^(tEXt|zTXt|iTXt|tIME)$/.test(type)) kept.push(png.subarray(at, end));
    at = end;
  }
  const out = new Uint8Array(kept.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of kept) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** The picture in a PNG file. */
export async function decodePng(bytes: Uint8Array): Promise<Rgba> {
  const image = await Image.decode(bytes);
  return { width: image.width, height: image.height, rgba: image.bitmap };
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

/** Writes a picture as {@linkcode writeWhole} does. */
export async function writePng(folder: string, name: string, picture: Rgba): Promise<void> {
  await writeWhole(folder, name, await encodePng(picture.rgba, picture.width, picture.height));
}
