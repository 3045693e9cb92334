/** What files say about their pictures (orientation, size), and turning these the right way up. */

import type { Rgba } from "./rgba.ts";

/**
 * The EXIF orientation (1..8) of a JPEG file; 1, "as it is", where none is noted. Never throws:
 * a damaged note counts as none.
 *
 * Source: Exif 2.3, 4.6.4 (tag 0x0112 in IFD0 of the TIFF header inside the APP1 segment).
 */
export function jpegOrientation(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    for (const { marker, at } of jpegSegments(view)) {
      const isExif = view.getUint32(at) === 0x45786966 && view.getUint16(at + 4) === 0; // "Exif\0\0"
      if (marker === 0xe1 && isExif) return orientationOfTiff(view, at + 6);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // RangeError: a length points past the end
  }
  return 1;
}

/**
 * The EXIF orientation (1..8) of a WebP file; 1 where none is noted. Never throws.
 *
 * Source: the WebP container specification (chunk EXIF).
 */
export function webpOrientation(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    for (let at = 12; at + 8 <= bytes.length;) {
      const length = view.getUint32(at + 4, true);
      if (view.getUint32(at) === 0x45584946) { // "EXIF", with or without "Exif\0\0" before it
        return orientationOfTiff(view, at + 8 + (view.getUint32(at + 8) === 0x45786966 ? 6 : 0));
      }
      at += 8 + length + length % 2;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}

/**
 * Width times height as a WebP file declares it; 0 where it does not. Never throws.
 *
 * Source: the WebP container specification (chunks VP8X, VP8 and VP8L), RFC 6386 (9.1).
 */
export function webpPixels(bytes: Uint8Array): number {
  if (bytes.length < 30) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = String.fromCharCode(...bytes.subarray(12, 16));
  const whole = (at: number) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16) + 1;
  if (kind === "VP8X") return whole(24) * whole(27);
  if (kind === "VP8 ") {
    return (view.getUint16(26, true) & 0x3fff) * (view.getUint16(28, true) & 0x3fff);
  }
  if (kind !== "VP8L") return 0;
  const sizes = view.getUint32(21, true);
  return ((sizes & 0x3fff) + 1) * ((sizes >> 14 & 0x3fff) + 1);
}

/** What a file says about its pictures. */
export interface PictureFacts {
  /** Width times height of the largest of them. */
  readonly pixels: number;
  /** How the first one is to be turned and mirrored, as an EXIF orientation. */
  readonly orientation: number;
}

/** How deep boxes lie in boxes, at most, and how many there are. */
const DEEPEST = 8, MOST_BOXES = 10_000;

/** Boxes that hold others, and bytes before these. */
const HOLDERS: Readonly<Record<string, number>> = { meta: 4, iprp: 0, ipco: 0, moov: 0, trak: 0 };

/**
 * Reads the boxes of an AVIF file. Never throws: what is damaged counts as not there.
 *
 * Source: ISO/IEC 23008-12 (ispe 6.5.3, irot 6.5.10, imir 6.5.12); ISO/IEC 14496-12 (tkhd 8.3.2).
 */
export function avifFacts(bytes: Uint8Array): PictureFacts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let pixels = 0, turns: number | undefined, mirror: number | undefined, boxes = 0;
  const walk = (from: number, to: number, depth: number) => {
    for (let at = from; at + 8 <= to && boxes++ < MOST_BOXES;) {
      const short = view.getUint32(at);
      const large = short === 1;
      const length = large ? Number(view.getBigUint64(at + 8)) : short === 0 ? to - at : short;
      const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
      const body = at + (large ? 16 : 8);
      const end = Math.min(to, at + length);
      if (length < 8) return;
      if (Object.hasOwn(HOLDERS, kind) && depth < DEEPEST) {
        walk(body + HOLDERS[kind]!, end, depth + 1);
      }
      if (kind === "ispe") {
        pixels = Math.max(pixels, view.getUint32(body + 4) * view.getUint32(body + 8));
      }
      if (kind === "tkhd") {
        pixels = Math.max(pixels, view.getUint16(end - 8) * view.getUint16(end - 4));
      }
      if (kind === "irot") turns ??= view.getUint8(body) & 3;
      if (kind === "imir") mirror ??= view.getUint8(body) & 1;
      at = end;
    }
  };
  try {
    walk(0, bytes.length, 0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  // Turned anticlockwise first, then mirrored: about the vertical axis where imir says 1 (left and
  // right change places), about the horizontal one where it says 0.
  const plain = [1, 8, 3, 6], leftRight = [2, 7, 4, 5], topBottom = [4, 5, 2, 7];
  const table = mirror === undefined ? plain : mirror === 1 ? leftRight : topBottom;
  return { pixels, orientation: table[turns ?? 0]! };
}

/**
 * Width times height of a GIF file's screen or its first picture, whichever is more. Never throws.
 *
 * Source: GIF89a (18 to 24).
 */
export function gifPixels(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Where colours end that a byte of flags tells of. */
  const behindColours = (at: number, flags: number) => at + (flags & 0x80 ? 6 << (flags & 7) : 0);
  let pixels = 0;
  try {
    pixels = view.getUint16(6, true) * view.getUint16(8, true);
    let at = behindColours(13, view.getUint8(10));
    for (; view.getUint8(at) === 0x21; at++) {
      // An extension: its kind, then blocks up to an empty one.
      for (at += 2; view.getUint8(at) > 0;) at += 1 + view.getUint8(at);
    }
    if (view.getUint8(at) !== 0x2c) return pixels;
    return Math.max(pixels, view.getUint16(at + 5, true) * view.getUint16(at + 7, true));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return pixels;
}

/** Width times height as a JPEG file declares it; 0 where it does not. Never throws. */
export function jpegPixels(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    for (const { marker, at } of jpegSegments(view)) {
      // Start of frame: c0..cf but for three markers of other meaning.
      const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
      if (isFrame) return view.getUint16(at + 1) * view.getUint16(at + 3);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return 0;
}

/** The segments of a JPEG file before the picture itself: their markers and where they begin. */
function* jpegSegments(view: DataView): Generator<{ marker: number; at: number }> {
  let at = 2; // after the start-of-image marker
  while (view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xda) return;
    yield { marker, at: at + 4 };
    at += 2 + view.getUint16(at + 2);
  }
}

function orientationOfTiff(view: DataView, tiff: number): number {
  const littleEndian = view.getUint16(tiff) === 0x4949; // "II", Intel; otherwise "MM", Motorola
  const directory = tiff + view.getUint32(tiff + 4, littleEndian);
  const entries = view.getUint16(directory, littleEndian);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i;
    if (view.getUint16(entry, littleEndian) === 0x0112) {
      const orientation = view.getUint16(entry + 8, littleEndian);
      return orientation >= 1 && orientation <= 8 ? orientation : 1;
    }
  }
  return 1;
}

/**
 * Turns and mirrors a picture so that it stands upright.
 *
 * @param orientation EXIF orientation 1..8: where the stored first row and first column belong
 * (1 top left, 2 top right, 3 bottom right, 4 bottom left, 5 left top, 6 right top, 7 right
 * bottom, 8 left bottom).
 */
export function orient(picture: Rgba, orientation: number): Rgba {
  if (orientation === 1) return picture;
  const swapped = orientation >= 5; // rows become columns
  const width = swapped ? picture.height : picture.width;
  const height = swapped ? picture.width : picture.height;
  const fromRight = [2, 3, 6, 7].includes(orientation);
  const fromBottom = [3, 4, 7, 8].includes(orientation);

  // One pixel is one 32-bit word; a copy is made where the bytes do not start on a word.
  const { rgba } = picture;
  const aligned = rgba.byteOffset % 4 === 0 ? rgba : rgba.slice();
  const source = new Uint32Array(aligned.buffer, aligned.byteOffset, width * height);
  const result = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // (u, v) is the pixel that shows at (x, y), counted from the edges the orientation names.
      const u = fromRight ? width - 1 - x : x;
      const v = fromBottom ? height - 1 - y : y;
      const [column, row] = swapped ? [v, u] : [u, v];
      result[y * width + x] = source[row * picture.width + column]!;
    }
  }
  return { width, height, rgba: new Uint8ClampedArray(result.buffer) };
}
