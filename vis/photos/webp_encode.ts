/** WebP: small copies of pictures, by Google's own encoder. */
// @ts-types="./wasm_module.d.ts"
import module from "./webp_encode_module.js";
import encode, { init } from "@jsquash/webp/encode.js";
import type { Rgba } from "./png.ts";

// Its types leave out that it takes a compiled module. Of its two it chooses, by what the machine
// can, the one with SIMD, which every processor beside a GPU with WebGPU has.
const start = init as unknown as (compiled: WebAssembly.Module) => Promise<unknown>;

let ready: Promise<unknown> | undefined;

/**
 * A picture as the bytes of a WebP file: the same bytes for the same picture.
 *
 * @param quality 0..100; 80 is hard to tell from the picture.
 * @throws {RangeError} when the bytes are not those of a picture of that size.
 */
export async function encodeWebp(
  { rgba, width, height }: Rgba,
  quality: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (rgba.length !== 4 * width * height) {
    throw new RangeError(
      `encodeWebp: ${width}x${height} needs ${
        4 * width * height
      } bytes of RGBA, got ${rgba.length}`,
    );
  }
  await (ready ??= start(module));
  // All that it reads of an ImageData.
  const picture = { data: rgba, width, height } as unknown as ImageData;
  return new Uint8Array(await encode(picture, { quality }));
}
