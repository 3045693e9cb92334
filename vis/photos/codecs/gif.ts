/** GIF: a picture's pixels, by imagescript's decoder. */
import gif from "imagescript/wasm/node/gif.js";
import type { GifModule } from "./imagescript.d.ts";
import type { Rgba } from "../rgba.ts";

/**
 * The first picture of a GIF file; what it does not cover is transparent.
 *
 * @throws what the decoder throws.
 */
export async function decodeGif(bytes: Uint8Array): Promise<Rgba | undefined> {
  const { Decoder } = await (gif as GifModule).init();
  const decoder = new Decoder(bytes);
  const { width, height } = decoder;
  const frame = decoder.frame();
  if (!frame) return undefined;
  const rgba = new Uint8ClampedArray(4 * width * height);
  // A frame may reach beyond what the file says is its size.
  const columns = Math.min(frame.width, width - frame.x);
  for (let y = 0; y < Math.min(frame.height, height - frame.y) && columns > 0; y++) {
    const row = frame.buffer.subarray(4 * y * frame.width, 4 * (y * frame.width + columns));
    rgba.set(row, 4 * ((y + frame.y) * width + frame.x));
  }
  return { width, height, rgba };
}
