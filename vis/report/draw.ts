/** A sheet to draw on: rectangles, discs, lines, pictures and text, with smooth edges. */

import { type Segment, textStrokes } from "./font.ts";
import type { Rgba } from "../photos/rgba.ts";
import { pictureToRgba } from "../photos/rgba.ts";
import { resizeArea } from "../photos/area_resize.ts";

/** A colour as [red, green, blue], 0..255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** How text is set. */
export interface TextStyle {
  /** Height of a capital letter in pixels; 12 by default. */
  size?: number;
  /** `INK` by default. */
  colour?: Colour;
  /** Where x is: at the text's left end (default) or in its middle. */
  align?: "left" | "centre";
}

/** The colour of text and of what needs no colour of its own. */
export const INK: Colour = [40, 40, 40];

/** An opaque picture to draw on, white at first. x grows to the right, y downwards, in pixels. */
export class Drawing implements Rgba {
  /** [height, width, 4] */
  readonly rgba: Uint8ClampedArray;

  /** A white sheet of this size. */
  constructor(readonly width: number, readonly height: number) {
    this.rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  }

  /**
   * Paints where `coverage` (0..1, asked at pixel centres) says, inside a box. All shapes end here.
   */
  #paint(
    [left, top, right, bottom]: readonly [number, number, number, number],
    colour: Colour,
    coverage: (x: number, y: number) => number,
  ): void {
    const endX = Math.min(this.width, Math.ceil(right));
    const endY = Math.min(this.height, Math.ceil(bottom));
    for (let y = Math.max(0, Math.floor(top)); y < endY; y++) {
      for (let x = Math.max(0, Math.floor(left)); x < endX; x++) {
        const share = Math.min(1, coverage(x + 0.5, y + 0.5));
        if (share <= 0) continue;
        const at = 4 * (y * this.width + x);
        for (let c = 0; c < 3; c++) {
          const below = this.rgba[at + c]!;
          this.rgba[at + c] = below + (colour[c]! - below) * share;
        }
      }
    }
  }

  /** A filled rectangle on whole pixels. */
  rectangle(x: number, y: number, width: number, height: number, colour: Colour): void {
    this.#paint([x, y, x + width, y + height], colour, () => 1);
  }

  /** A filled disc; `opacity` 0..1. */
  disc(x: number, y: number, radius: number, colour: Colour, opacity = 1): void {
    const reach = radius + 1;
    this.#paint(
      [x - reach, y - reach, x + reach, y + reach],
      colour,
      (u, v) => opacity * Math.min(1, radius + 0.5 - Math.hypot(u - x, v - y)),
    );
  }

  /** The outline of a disc, `thickness` wide. */
  ring(x: number, y: number, radius: number, thickness: number, colour: Colour): void {
    const reach = radius + thickness;
    this.#paint(
      [x - reach, y - reach, x + reach, y + reach],
      colour,
      (u, v) => thickness / 2 + 0.5 - Math.abs(Math.hypot(u - x, v - y) - radius),
    );
  }

  /** Straight pieces drawn with a round pen; where they meet, they are one stroke. */
  strokes(segments: readonly Segment[], thickness: number, colour: Colour): void {
    // Each piece only looks at its own surroundings; the nearest piece decides a pixel.
    const nearest = new Map<number, number>();
    const reach = thickness / 2 + 1;
    for (const [x0, y0, x1, y1] of segments) {
      const [dx, dy] = [x1 - x0, y1 - y0];
      const square = dx * dx + dy * dy || 1;
      for (let y = Math.floor(Math.min(y0, y1) - reach); y < Math.max(y0, y1) + reach; y++) {
        if (y < 0 || y >= this.height) continue;
        for (let x = Math.floor(Math.min(x0, x1) - reach); x < Math.max(x0, x1) + reach; x++) {
          if (x < 0 || x >= this.width) continue;
          const [u, v] = [x + 0.5 - x0, y + 0.5 - y0];
          const along = Math.max(0, Math.min(1, (u * dx + v * dy) / square));
          const distance = Math.hypot(u - along * dx, v - along * dy);
          const pixel = y * this.width + x;
          if (distance < (nearest.get(pixel) ?? reach)) nearest.set(pixel, distance);
        }
      }
    }
    for (const [pixel, distance] of nearest) {
      const [x, y] = [pixel % this.width, Math.floor(pixel / this.width)];
      this.#paint([x, y, x + 1, y + 1], colour, () => thickness / 2 + 0.5 - distance);
    }
  }

  /** A line of text; y is the top of its capitals. Returns its width in pixels. */
  text(text: string, x: number, y: number, style: TextStyle = {}): number {
    const { size = 12, colour = INK, align = "left" } = style;
    const { segments, width } = textStrokes(text, size);
    // Half a pixel in: strokes then run through the middle of pixels and stay crisp.
    const left = Math.round(align === "centre" ? x - width / 2 : x) + 0.5;
    const top = Math.round(y) + 0.5;
    const moved = segments.map(([x0, y0, x1, y1]): Segment => [
      ...[x0 + left, y0 + top] as const,
      ...[x1 + left, y1 + top] as const,
    ]);
    this.strokes(moved, Math.max(1.1, size / 8), colour);
    return width;
  }

  /** Copies a picture with its top left corner at (x, y); what does not fit is cut off. */
  picture(picture: Rgba, x: number, y: number): void {
    const columns = Math.min(picture.width, this.width - x);
    const rows = Math.min(picture.height, this.height - y);
    for (let row = 0; row < rows; row++) {
      const from = 4 * row * picture.width;
      this.rgba.set(
        picture.rgba.subarray(from, from + 4 * columns),
        4 * ((y + row) * this.width + x),
      );
    }
  }
}

/** A square planar picture [3, size, size], 0..255, as an RGBA picture `side` pixels wide. */
export function tile(picture: ArrayLike<number>, size: number, side: number): Rgba {
  const resized = size === side
    ? picture
    : resizeArea(picture, { width: size, height: size }, { width: side, height: side });
  return { width: side, height: side, rgba: pictureToRgba(resized, side, side) };
}
