/** Photos that a page was given: files, decoded by the browser. */
/// <reference lib="dom" />
import { Held, type StoredImage } from "../../vis/photos/images.ts";
import { orient, webpOrientation } from "../../vis/photos/picture_facts.ts";
import type { Rgba } from "../../vis/photos/rgba.ts";
import { isPictureName, MOST_PIXELS, squareOf } from "../../vis/photos/square.ts";

/** A file that could not be read, and why, as the manifest has it. */
export interface Skipped {
  readonly file: string;
  readonly reason: string;
}

/** Why a photo cannot be read, as a phrase. */
class Unreadable extends Error {}

/** The pictures among some files, in the order in which a folder's are read: by their names. */
export function picturesAmong(files: readonly File[]): File[] {
  const order = (a: File, b: File) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
  return files.filter(({ name }) => isPictureName(name)).toSorted(order);
}

/** How a WebP file is to be turned, which browsers do not look for; nothing for other files. */
async function ownOrientation(file: File): Promise<number | undefined> {
  const start = new TextDecoder("latin1").decode(await file.slice(0, 12).arrayBuffer());
  if (!/^RIFF.{4}WEBP$/s.test(start)) return;
  return webpOrientation(new Uint8Array(await file.arrayBuffer()));
}

/** A picture's pixels as they are in the file, the right way up. */
async function decode(file: File): Promise<Rgba> {
  let bitmap: ImageBitmap;
  let orientation: number | undefined;
  try {
    orientation = await ownOrientation(file);
    bitmap = await createImageBitmap(file, {
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
      imageOrientation: orientation === undefined ? "from-image" : "none",
    });
  } catch (error) {
    const gone = error instanceof DOMException && error.name === "NotFoundError";
    throw new Unreadable(gone ? "it is no longer there" : "the browser cannot decode it");
  }
  try {
    const { width, height } = bitmap;
    if (width * height > MOST_PIXELS) throw new Unreadable(`${width * height} pixels are too many`);
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Unreadable(`${width} × ${height} pixels are too many for the browser`);
    context.drawImage(bitmap, 0, 0);
    const { data: rgba } = context.getImageData(0, 0, width, height);
    return orient({ width, height, rgba }, orientation ?? 1);
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    throw new Unreadable(`the browser cannot decode it (${(error as Error).message})`);
  } finally {
    bitmap.close();
  }
}

/**
 * A file's picture as a square, [3,size,size], 0..255, as a photo of a folder is read.
 *
 * @throws {Error} when it cannot be decoded; its message is a phrase.
 */
export async function readSquare(file: File, size: number): Promise<Float32Array> {
  return squareOf(await decode(file), size);
}

/** A photo that was read, or why it was not. */
export type ReadPhoto =
  | { readonly image: StoredImage; readonly pixels: Float32Array }
  | { readonly skipped: Skipped };

/**
 * Reads photos one after the other. They can be read again later, at any size; up to 256 MiB of them
 * are held at the size at which they are read first.
 */
export async function* readPhotos(
  files: readonly File[],
  size: number,
): AsyncGenerator<ReadPhoto, void, void> {
  const held = new Held();
  for (const [i, file] of files.entries()) {
    const key = String(i);
    let pixels: Float32Array;
    try {
      pixels = await readSquare(file, size);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      yield { skipped: { file: file.name, reason: error.message } };
      continue;
    }
    held.keep(key, pixels);
    const image: StoredImage = {
      name: file.name,
      read: async (side = size) => {
        const again = () => readSquare(file, side);
        return side === size ? await held.get(key, again) : await again();
      },
    };
    yield { image, pixels };
  }
}
