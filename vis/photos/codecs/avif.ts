/** AVIF: a picture's pixels, by the Alliance for Open Media's own decoder. */
// @ts-types="./wasm_module.d.ts"
import module from "./avif_module.js";
import decode, { init } from "@jsquash/avif/decode.js";
import type { Rgba } from "../rgba.ts";

let ready: Promise<void> | undefined;

/**
 * The picture in an AVIF file.
 *
 * @throws what the decoder throws.
 */
export async function decodeAvif(bytes: Uint8Array<ArrayBuffer>): Promise<Rgba> {
  try {
    await (ready ??= init(module));
    const decoded = await decode(bytes.buffer);
    if (!decoded) throw new Error("it holds no picture");
    const { width, height, data } = decoded;
    return { width, height, rgba: data as Uint8ClampedArray };
  } catch (error) {
    // Whatever was wrong, the next picture gets a decoder that has not seen it.
    ready = undefined;
    throw error;
  }
}
