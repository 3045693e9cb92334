/** Pictures as PNG files. */

import writer from "imagescript/png/node.js";
import type { PngModule, PngWriter } from "./codecs/imagescript.d.ts";
import { writeWhole } from "../../base/atomic_file.ts";
import type { Rgba } from "./rgba.ts";

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

/** Writes a picture as {@linkcode writeWhole} does. */
export async function writePng(folder: string, name: string, picture: Rgba): Promise<void> {
  await writeWhole(folder, name, await encodePng(picture.rgba, picture.width, picture.height));
}
