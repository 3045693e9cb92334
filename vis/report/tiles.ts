/** Pictures side by side as one picture, without words: rows of squares on white. */
import { dataUri } from "../../base/data_uri.ts";
import { resizeSquare } from "../photos/area_resize.ts";
import { pictureToRgba, type Rgba } from "../photos/rgba.ts";
import { encodeWebp } from "../photos/codecs/webp_encode.ts";
import { columnsFor } from "./sheet_svg.ts";

/** A square picture: [3, side, side] RGB, 0..255. */
export type Square = ArrayLike<number>;

const MARGIN = 16;
const GAP = 8;

/** Side of a square picture. */
export const sideOf = (picture: Square): number => Math.sqrt(picture.length / 3);

/** A square picture at another side. */
export function atSide(picture: Square, side: number): Square {
  return resizeSquare(picture, sideOf(picture), side);
}

/** A square picture in whole levels. */
export function squareRgba(picture: Square): Rgba {
  const side = sideOf(picture);
  return { rgba: pictureToRgba(picture, side, side), width: side, height: side };
}

/**
 * The colours of a picture that is square.
 *
 * @throws {RangeError} when it is not.
 */
export function squareOf({ rgba, width, height }: Rgba): Square {
  if (width !== height) throw new RangeError(`squareOf: ${width}x${height} is no square`);
  const count = width * height;
  return Uint8ClampedArray.from(
    { length: 3 * count },
    (_, i) => rgba[4 * (i % count) + Math.floor(i / count)]!,
  );
}

/** A picture as WebP in an address, at a side or smaller where it is smaller. */
export async function webpUri(picture: Square, side: number): Promise<string> {
  const small = squareRgba(atSide(picture, Math.min(side, sideOf(picture))));
  return dataUri(await encodeWebp(small, QUALITY), "image/webp");
}

/** Of WebP: hard to tell from the picture, at a tenth of its PNG's bytes. */
const QUALITY = 85;

/**
 * Rows of pictures on one sheet, in reading order.
 *
 * @param tile side at which they are drawn
 * @param columns rows beside each other; by default as many as make the sheet a little wider than high
 * @throws {RangeError} when there is none, or one is no square of three colours.
 */
export function tileRows(
  rows: readonly (readonly Square[])[],
  { tile, columns }: { tile: number; columns?: number },
): Rgba {
  const most = Math.max(0, ...rows.map((row) => row.length));
  if (most === 0) throw new RangeError("tileRows: there is no picture");
  const blockWidth = 2 * MARGIN + most * (tile + GAP) - GAP;
  const blockHeight = 2 * MARGIN + tile;
  const beside = columns ?? columnsFor(rows.length, blockWidth, blockHeight);
  const [width, height] = [beside * blockWidth, Math.ceil(rows.length / beside) * blockHeight];
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  for (const [i, row] of rows.entries()) {
    for (const [k, picture] of row.entries()) {
      const x = (i % beside) * blockWidth + MARGIN + k * (tile + GAP);
      const y = Math.floor(i / beside) * blockHeight + MARGIN;
      const drawn = squareRgba(atSide(picture, tile)).rgba;
      for (let line = 0; line < tile; line++) {
        rgba.set(
          drawn.subarray(4 * line * tile, 4 * (line + 1) * tile),
          4 * ((y + line) * width + x),
        );
      }
    }
  }
  return { rgba, width, height };
}
