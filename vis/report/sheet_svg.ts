/** Pictures with captions on one sheet, as an SVG file. */
import { heightOf, imageAt, svgFile, textBox } from "./svg.ts";

/** A picture on a sheet. */
export interface SheetPicture {
  /** Its data URI. */
  readonly href: string;
  /** Stands under it. */
  readonly caption: string;
}

/** Pictures that belong together. */
export interface SheetRow {
  /** Stands above them. */
  readonly title?: string;
  /** From left to right; a gap where there is none. */
  readonly pictures: readonly (SheetPicture | undefined)[];
}

/** How a sheet is laid out. */
export interface SheetOptions {
  /** Stands above all. */
  readonly title: string;
  /** What is to be seen, for those who do not see it. */
  readonly description: string;
  /** Side of a picture in the drawing. */
  readonly tile: number;
  /** Rows beside each other; by default as many as make the sheet a little wider than high. */
  readonly columns?: number;
  /** Lines of a caption, at most (2). */
  readonly lines?: number;
}

const MARGIN = 24;
const GAP = 10;
const TITLE = 20;
const ROW_TITLE = 15;
const CAPTION = 12;

/** Side at which a picture is drawn: small ones are enlarged by whole factors, large ones reduced. */
export function tileOf(size: number): number {
  return Math.min(size * Math.max(1, Math.ceil(96 / size)), 224);
}

/** How many blocks of a size stand beside each other for a sheet a little wider than high. */
export function columnsFor(blocks: number, width: number, height: number): number {
  const fitting = Math.round(Math.sqrt(1.3 * blocks * height / width));
  return Math.min(blocks, Math.max(1, fitting));
}

/** Rows of captioned pictures, in reading order. */
export function sheetSvg(
  rows: readonly SheetRow[],
  { title, description, tile, columns, lines = 2 }: SheetOptions,
): string {
  const most = Math.max(1, ...rows.map(({ pictures }) => pictures.length));
  const titled = rows.some((row) => row.title !== undefined);
  const above = titled ? heightOf(ROW_TITLE, 1) + 6 : 0;
  const block = {
    width: most * (tile + GAP) - GAP,
    height: above + tile + 4 + heightOf(CAPTION, lines),
  };
  const beside = columns ?? columnsFor(rows.length, block.width, block.height);
  const stepX = block.width + 2 * MARGIN;
  const stepY = block.height + MARGIN - 4;
  const top = MARGIN + heightOf(TITLE, 1) + 14;
  const width = Math.max(360, 2 * MARGIN + beside * stepX - 2 * MARGIN);
  const parts = rows.flatMap((row, i) => {
    const left = MARGIN + (i % beside) * stepX;
    const y = top + Math.floor(i / beside) * stepY;
    const pictures = row.pictures.flatMap((picture, k) => {
      if (!picture) return [];
      const x = left + k * (tile + GAP);
      const under = { x: x - 2, y: y + above + tile + 4, width: tile + 4, size: CAPTION, lines };
      return [
        imageAt(picture.href, { x, y: y + above, side: tile, title: picture.caption }) +
        textBox(picture.caption, { ...under, centred: true }),
      ];
    });
    if (row.title === undefined) return pictures;
    // A row of one small picture has room for a long name beside it only where nothing else is.
    const room = Math.max(block.width, beside === 1 ? width - 2 * MARGIN : 0);
    return [textBox(row.title, { x: left, y, width: room, size: ROW_TITLE, bold: true })]
      .concat(pictures);
  });
  return svgFile({
    width,
    height: top + Math.ceil(rows.length / beside) * stepY + MARGIN - 10,
    title,
    description,
    body: [
      textBox(title, { x: MARGIN, y: MARGIN, width: width - 2 * MARGIN, size: TITLE, bold: true }),
      ...parts,
    ].join("\n"),
  });
}
