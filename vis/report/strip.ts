/** Pictures side by side: one facet over the iterations, or all facets on one sheet. */

import { Drawing, INK, tile } from "./draw.ts";
import type { Rgba } from "../photos/rgba.ts";

/** One picture of a strip. */
export interface Frame {
  /** Stands under the picture: "0", "20", "final" ... */
  label: string;
  /** [3, size, size] RGB, 0..255. */
  picture: ArrayLike<number>;
}

/** One row of pictures. */
export interface Strip {
  /** Stands above the pictures, if given. */
  title?: string;
  /** From left to right. */
  frames: readonly Frame[];
}

/** How strips are laid out. */
export interface StripOptions {
  /** Side of the given pictures in pixels. */
  size: number;
  /** Side they are drawn at; by default `size`, but from 96 to 224. */
  tile?: number;
}

const MARGIN = 16;
const GAP = 8;
/** Height of the capitals of a label. */
export const LABEL = 11;
const TITLE = 13;

/** Small pictures are enlarged by whole factors, large ones reduced. */
function defaultTile(size: number): number {
  return Math.min(size * Math.max(1, Math.ceil(96 / size)), 224);
}

/**
 * Pictures of one facet side by side, a label under each.
 *
 * @throws {RangeError} when there is no picture or one is not [3, size, size].
 */
export function drawStrip(
  strip: Strip,
  { size, tile: side = defaultTile(size) }: StripOptions,
): Rgba {
  const count = strip.frames.length;
  if (count === 0) throw new RangeError("drawStrip: there is no picture to draw");
  const top = MARGIN + (strip.title === undefined ? 0 : TITLE + 12);
  const sheet = new Drawing(
    2 * MARGIN + count * side + (count - 1) * GAP,
    top + side + 10 + LABEL + MARGIN,
  );
  if (strip.title !== undefined) sheet.text(strip.title, MARGIN, MARGIN, { size: TITLE });
  strip.frames.forEach(({ label, picture }, i) => {
    const left = MARGIN + i * (side + GAP);
    sheet.picture(tile(picture, size, side), left, top);
    sheet.text(label, left + side / 2, top + side + 10, {
      size: LABEL,
      colour: INK,
      align: "centre",
    });
  });
  return sheet;
}

/**
 * Strips of several facets on one sheet, reading order.
 *
 * @param columns Strips per row; by default as many as make the sheet a little wider than high.
 * @throws {RangeError} as `drawStrip`, and when there is no strip.
 */
export function drawContactSheet(
  strips: readonly Strip[],
  options: StripOptions & { columns?: number },
): Rgba {
  if (strips.length === 0) throw new RangeError("drawContactSheet: there is no strip to draw");
  const drawn = strips.map((strip) => drawStrip(strip, options));
  const width = Math.max(...drawn.map((picture) => picture.width));
  const height = Math.max(...drawn.map((picture) => picture.height));
  const fitting = Math.round(Math.sqrt(1.3 * strips.length * height / width));
  const columns = Math.min(strips.length, Math.max(1, options.columns ?? fitting));
  const sheet = new Drawing(columns * width, Math.ceil(strips.length / columns) * height);
  drawn.forEach((picture, i) =>
    sheet.picture(picture, (i % columns) * width, Math.floor(i / columns) * height)
  );
  return sheet;
}
