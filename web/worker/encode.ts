/** Pictures as files, made by the browser. */
/// <reference lib="dom" />
import { dataUri } from "../../base/data_uri.ts";
import type { Rgba } from "../../vis/photos/rgba.ts";

async function blobOf(
  { width, height, rgba }: Rgba,
  options: ImageEncodeOptions,
): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const pixels = new Uint8ClampedArray(rgba);
  canvas.getContext("2d")!.putImageData(new ImageData(pixels, width, height), 0, 0);
  return await canvas.convertToBlob(options);
}

/** A picture as a PNG file, each pixel as it is. */
export async function pngOf(picture: Rgba): Promise<Blob> {
  return await blobOf(picture, { type: "image/png" });
}

/**
 * A picture as a data URI: WebP, or PNG where the browser writes no WebP.
 *
 * @param quality 0..100
 */
export async function smallCopy(picture: Rgba, quality: number): Promise<string> {
  const blob = await blobOf(picture, { type: "image/webp", quality: quality / 100 });
  return dataUri(new Uint8Array(await blob.arrayBuffer()), blob.type);
}
