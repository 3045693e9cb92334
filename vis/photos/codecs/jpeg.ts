/** JPEG: a picture's pixels, by imagescript's decoder. */
import jpeg from "imagescript/wasm/node/jpeg.js";
import type { JpegModule } from "./imagescript.d.ts";
import type { Rgba } from "../rgba.ts";

/**
 * The picture in a JPEG file, as it is stored.
 *
 * @throws what the decoder throws.
 */
export async function decodeJpeg(bytes: Uint8Array): Promise<Rgba> {
  const decoder = await (jpeg as JpegModule).init();
  const { width, height, format, buffer } = decoder.decode(bytes);
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  const channels = [1, 3, 4][format]!;
  for (let i = 0; i < width * height; i++) {
    const at = channels * i;
    for (let c = 0; c < 3; c++) {
      const value = buffer[format === 0 ? at : at + c]!;
      // What the inks, colour and black, both let through is seen.
      rgba[4 * i + c] = format === 2 ? (255 - value) * (255 - buffer[at + 3]!) / 255 : value;
    }
  }
  return { width, height, rgba };
}
