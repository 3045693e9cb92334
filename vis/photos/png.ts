/** Pictures as PNG files, and float pictures as bytes. */

import writer from "imagescript/png/node.js";
import type { PngModule, PngWriter } from "./imagescript.d.ts";
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
  const bytes = Uint8ClampedArray.from(rgba);
  return await (writer as PngWriter).encode(bytes, { width, height, level: 1, channels: 4 });
}

/** The picture in a PNG file. */
export async function decodePng(bytes: Uint8Array): Promise<Rgba> {
  // Asks for the environment when it is loaded, which writing pictures needs not.
  const { default: png } = await import("imagescript/wasm/node/png.js") as { default: PngModule };
  const { width, height, framebuffer } = (await png.init()).decode(bytes);
  return { width, height, rgba: new Uint8ClampedArray(framebuffer.buffer) };
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
