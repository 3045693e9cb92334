/** Reading a folder of photos: which files there are, and each of them as a square of pixels. */

import { basename, join } from "node:path";
import { UserError } from "../../base/errors.ts";
import { unfitToRead } from "../../base/regular_file.ts";
import {
  avifFacts,
  gifPixels,
  jpegOrientation,
  jpegPixels,
  orient,
  type PictureFacts,
  webpOrientation,
  webpPixels,
} from "./picture_facts.ts";
import type { Rgba } from "./rgba.ts";
import { isPictureName, MOST_PIXELS, squareOf } from "./square.ts";

/** One photo, resized to a square. */
export interface Photo {
  /** The file's name without its folder. */
  name: string;
  /** Where the file lies. */
  path: string;
  /** Width of the original in pixels, the right way up. */
  width: number;
  /** Height of the original in pixels, the right way up. */
  height: number;
  /** [3, size, size] RGB, 0..255, not rounded. */
  pixels: Float32Array;
}

/** A file that could not be read, and why. */
export interface SkippedPhoto {
  /** The file's name without its folder. */
  file: string;
  /** What is wrong with it, as a phrase. */
  reason: string;
}

/** How to read photos. */
export interface ReadPhotosOptions {
  /** Side of the square in pixels; photos are stretched to it, as the method does. */
  size: number;
  /** Stop after this many readable photos; by default all are read. */
  limit?: number | undefined;
  /** Called after every file with the number of files looked at and the number there are. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Kinds of pictures that are read. */
const FORMATS = ["JPEG", "PNG", "GIF", "WebP", "AVIF"] as const;

/** A kind of pictures that is read. */
type Format = typeof FORMATS[number];

/** Files of more bytes than this are no photos. */
const MOST_BYTES = 2 ** 29;

/**
 * Pixels that a byte can stand for at most: LZW's longest string has 4096; deflate makes 1032 bytes of
 * one, of 8 pixels each; a JPEG takes a bit for each 64, in a scan. A file that says it has more was
 * cut off, or lies.
 */
const DENSEST: Partial<Record<Format, number>> = { GIF: 4096, PNG: 8 * 1032, JPEG: 8 * 64 };

/**
 * The paths of all pictures (by extension) directly in a folder, sorted by name. Hidden files are
 * left out.
 *
 * @throws {UserError} when there is no such folder or no picture in it.
 */
export function listPhotos(folder: string): string[] {
  const names: string[] = [];
  try {
    for (const entry of Deno.readDirSync(folder)) {
      if (!entry.isDirectory && isPictureName(entry.name)) names.push(entry.name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UserError(`there is no folder ${folder}; give the folder that holds your photos`);
    }
    if (error instanceof Deno.errors.NotADirectory) {
      throw new UserError(`${folder} is a file; give the folder that holds your photos`);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new UserError(`the folder ${folder} may not be read; check its permissions`);
    }
    throw error;
  }
  if (names.length === 0) {
    throw new UserError(
      `no photos in ${folder}; it should hold JPEG, PNG, WebP, AVIF or GIF files`,
    );
  }
  // Plain code-unit order, the same on every machine and in every language setting.
  return names.sort().map((name) => join(folder, name));
}

/**
 * Reads photos one after the other (only one is held at its full size), turned the right way up,
 * transparency over white, stretched to a square by area averaging. Unreadable files are skipped
 * and named. To hold even less, call `readPhoto` on the paths of `listPhotos` yourself.
 *
 * @param source A folder, or a list of paths.
 * @throws {UserError} as `listPhotos` does, and when not one file could be read.
 */
export async function readPhotos(
  source: string | readonly string[],
  { size, limit = Infinity, onProgress }: ReadPhotosOptions,
): Promise<{ photos: Photo[]; skipped: SkippedPhoto[] }> {
  const paths = typeof source === "string" ? listPhotos(source) : source;
  const photos: Photo[] = [];
  const skipped: SkippedPhoto[] = [];
  for (const path of paths) {
    if (photos.length >= limit) break;
    try {
      photos.push(await readPhoto(path, size));
    } catch (error) {
      if (!(error instanceof UnreadablePhoto)) throw error;
      skipped.push({ file: basename(path), reason: error.reason });
    }
    onProgress?.(photos.length + skipped.length, paths.length);
  }
  if (photos.length === 0) {
    const first = skipped[0];
    throw new UserError(
      first
        ? `none of ${skipped.length} photos could be read; the first, ${first.file}: ${first.reason}`
        : "no photos to read; give at least one",
    );
  }
  return { photos, skipped };
}

/** One file that is no photo we can read. */
export class UnreadablePhoto extends UserError {
  /** How the error introduces itself. */
  override name = "UnreadablePhoto";

  /** Why, as a phrase without the path. */
  readonly reason: string;

  /** An error for this file; `reason` as it stands in `SkippedPhoto`. */
  constructor(path: string, reason: string) {
    super(`cannot read the photo ${path}: ${reason}`);
    this.reason = reason;
  }
}

/**
 * Reads one photo as `readPhotos` does.
 *
 * @param size Side of the square in pixels.
 * @throws {UnreadablePhoto} when the file cannot be read or decoded; its message says why.
 */
export async function readPhoto(path: string, size: number): Promise<Photo> {
  return await decodePhoto(await readPhotoFile(path), path, size);
}

/**
 * The bytes of a photo's file.
 *
 * @throws {UnreadablePhoto} when the file cannot be read.
 */
export async function readPhotoFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const unfit = unfitToRead(path, MOST_BYTES);
    if (unfit) throw new Error(unfit);
    return await Deno.readFile(path);
  } catch (error) {
    throw new UnreadablePhoto(path, error instanceof Error ? error.message : String(error));
  }
}

/**
 * Decodes the bytes of a photo's file as `readPhotos` does.
 *
 * @param bytes Not to be used afterwards: the decoder may keep a view of them.
 * @param path What to call it.
 * @param size Side of the square in pixels.
 * @throws {UnreadablePhoto} when the file cannot be decoded; its message says why.
 */
export async function decodePhoto(
  bytes: Uint8Array<ArrayBuffer>,
  path: string,
  size: number,
): Promise<Photo> {
  const format = formatOf(bytes);
  if (!isRead(format)) throw new UnreadablePhoto(path, format);
  let decoded: Rgba;
  try {
    decoded = await decode(bytes, format);
  } catch (error) {
    const detail = (error instanceof Error ? error.message : String(error)).split("\n")[0];
    throw new UnreadablePhoto(path, `a damaged ${format} file (${detail})`);
  }
  const { width, height } = decoded;
  const pixels = squareOf(decoded, size);
  return { name: basename(path), path, width, height, pixels };
}

function isRead(format: string): format is Format {
  return FORMATS.some((known) => known === format);
}

/** Of an animation the first picture. The decoder may keep a view of what it is given. */
async function decode(bytes: Uint8Array<ArrayBuffer>, format: Format): Promise<Rgba> {
  const { pixels, orientation } = factsOf(bytes, format);
  if (pixels > MOST_PIXELS) throw new Error(`${pixels} pixels are too many`);
  if (pixels > bytes.length * (DENSEST[format] ?? Infinity)) {
    throw new Error(`${pixels} pixels in ${bytes.length} bytes`);
  }
  const picture = await decoded(bytes, format);
  if (!picture || picture.width < 1 || picture.height < 1) throw new Error("it holds no picture");
  return orient(picture, orientation);
}

/** Decoders are loaded when there is a file for them. */
async function decoded(bytes: Uint8Array<ArrayBuffer>, format: Format): Promise<Rgba | undefined> {
  if (format === "JPEG") return await (await import("./codecs/jpeg.ts")).decodeJpeg(bytes);
  if (format === "PNG") return await (await import("./png.ts")).decodePng(bytes);
  if (format === "GIF") return await (await import("./codecs/gif.ts")).decodeGif(bytes);
  if (format === "WebP") return await (await import("./codecs/webp.ts")).decodeWebp(bytes);
  return await (await import("./codecs/avif.ts")).decodeAvif(bytes);
}

/**
 * What a file is, by its first bytes: names lie, and the decoder crashes on some formats. Anything
 * but the kinds that are read comes back as a phrase that says so.
 */
function formatOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return "an empty file";
  const starts = (magic: string, at = 0) =>
    [...magic].every((character, i) => bytes[at + i] === character.charCodeAt(0));
  if (starts("\xff\xd8\xff")) return "JPEG";
  if (starts("\x89PNG\r\n\x1a\n")) return "PNG";
  if (starts("GIF8")) return "GIF";
  if (starts("RIFF") && starts("WEBP", 8)) return "WebP";
  if (starts("BM")) return "BMP is not supported, save it as JPEG or PNG";
  if (starts("II*\0") || starts("MM\0*")) return "TIFF is not supported, save it as JPEG or PNG";
  if (starts("ftyp", 4)) {
    const length = Math.min(64, bytes.length);
    const brands = new TextDecoder("latin1").decode(bytes.subarray(8, length));
    if (/avi[fs]/.test(brands)) return "AVIF";
    return "HEIC is not supported, save it as JPEG or PNG";
  }
  return "not a picture";
}

/** Width times height as the file's header has it, and its EXIF orientation. */
function factsOf(bytes: Uint8Array, format: Format): PictureFacts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const upright = (pixels: number) => ({ pixels, orientation: 1 });
  if (format === "JPEG") return { pixels: jpegPixels(bytes), orientation: jpegOrientation(bytes) };
  if (format === "WebP") return { pixels: webpPixels(bytes), orientation: webpOrientation(bytes) };
  if (format === "AVIF") return avifFacts(bytes);
  if (format === "PNG" && bytes.length >= 24) {
    return upright(view.getUint32(16) * view.getUint32(20));
  }
  if (format === "GIF") return upright(gifPixels(bytes));
  return upright(0);
}
