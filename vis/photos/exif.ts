/** What a JPEG file says about its picture (orientation, size), and turning it the right way up. */

import type { Rgba } from "./png.ts";

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
