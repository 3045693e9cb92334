/** WebP: a picture's pixels, by Google's own decoder. */
// @ts-types="./wasm_module.d.ts"
import module from "./webp_module.js";
import decode, { init } from "@jsquash/webp/decode.js";
import type { Rgba } from "../rgba.ts";

let ready: Promise<void> | undefined;

/**
 * The picture in a WebP file, of an animation the first one.
 *
 * @throws what the decoder throws.
 */
export async function decodeWebp(bytes: Uint8Array<ArrayBuffer>): Promise<Rgba> {
  try {
    await (ready ??= init(module));
    const { width, height, data } = await decode(firstFrame(bytes).buffer);
    return { width, height, rgba: data as Uint8ClampedArray };
  } catch (error) {
    // Whatever was wrong, the next picture gets a decoder that has not seen it.
    ready = undefined;
    throw error;
  }
}

/**
 * The first frame of an animation as a file of its own, which is what the decoder understands; other
 * files as they are.
 *
 * Source: the WebP container specification (chunks VP8X and ANMF).
 */
function firstFrame(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kindAt = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  const ANIMATED = 2, ALPHA = 16;
  if (bytes.length < 30 || kindAt(12) !== "VP8X" || !(bytes[20]! & ANIMATED)) return bytes;
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true);
    if (kindAt(at) === "ANMF" && length > 24) {
      // Its place, size, time and flags; then the chunks of a picture.
      const frame = bytes.subarray(at + 8, at + 8 + length);
      const picture = frame.subarray(16);
      const file = new Uint8Array(30 + picture.length);
      file.set(bytes.subarray(0, 20));
      new DataView(file.buffer).setUint32(4, file.length - 8, true);
      file[20] = kindAt(at + 24) === "ALPH" ? ALPHA : 0;
      file.set(frame.subarray(6, 12), 24);
      file.set(picture, 30);
      return file;
    }
    at += 8 + length + length % 2;
  }
  return bytes;
}
