/** The map of a folder as an SVG file: every image a dot in the plane, coloured by facet. */
import { type Facets, planeOf } from "../facets/facets.ts";
import { colourOnFacet, facetColour, facetName, isHollow, layOutMap, type Point } from "./map.ts";
import { escapeXml, heightOf, imageAt, short, svgFile, textBox } from "./svg.ts";

/** What the map shows besides the dots. */
export interface MapSvgOptions {
  /** The images' names. */
  readonly names: readonly string[];
  /** Per facet a picture for its centre and what it is called. */
  readonly thumbnails: readonly { readonly href: string; readonly name: string }[];
  /** A line above the map. */
  readonly title: string;
  /** Smaller under the title: what is to be thought of the facets. */
  readonly note: string;
}

const WIDTH = 1160;
const MARGIN = 36;
const LEGEND = 230;
/** Side of a thumbnail in the drawing. */
export const THUMBNAIL = 88;
const BORDER = 4;
const LINE = 26;
const TITLE = 20;
const NOTE = 14;
const NOTE_LINES = 2;

/**
 * The map, with a legend.
 *
 * @throws {RangeError} when there is not one thumbnail for each facet, or one name for each image.
 */
export function mapSvg(facets: Facets, { names, thumbnails, title, note }: MapSvgOptions): string {
  const count = facets.sizes.length;
  if (thumbnails.length !== count || names.length !== facets.labels.length) {
    throw new RangeError(
      `mapSvg: ${count} facets of ${facets.labels.length} images, but ${thumbnails.length} ` +
        `thumbnails and ${names.length} names`,
    );
  }
  const noteAt = MARGIN + heightOf(TITLE, 1) + 4;
  const top = noteAt + heightOf(NOTE, NOTE_LINES) + 24;
  const height = Math.max(860, top + count * LINE + MARGIN);
  const right = WIDTH - LEGEND;
  const layout = layOutMap(planeOf(facets), {
    dots: { left: MARGIN, top, right: right - MARGIN, bottom: height - MARGIN },
    thumbnails: { left: MARGIN / 2, top: top - 16, right, bottom: height - MARGIN / 2 },
    side: THUMBNAIL + 2 * BORDER,
  });
  const heading = { x: MARGIN, width: WIDTH - 2 * MARGIN };
  const parts = [
    textBox(title, { ...heading, y: MARGIN, size: TITLE, bold: true }),
    textBox(note, { ...heading, y: noteAt, size: NOTE, lines: NOTE_LINES }),
    ...layout.dots.map((at, i) => dot(at, layout.radius, facets.labels[i]!, names[i]!)),
    ...layout.thumbnails.flatMap(({ centre, middle, away }, facet) =>
      away ? [line(centre, middle, facet)] : []
    ),
    ...layout.thumbnails.map(({ middle }, facet) => thumbnail(middle, facet, thumbnails[facet]!)),
    ...Array.from(facets.sizes, (images, facet) => {
      const y = top + facet * LINE;
      const name = facetName(facet, images);
      return dot([right + 20, y + LINE / 2], 7, facet, name) +
        textBox(name, { x: right + 38, y: y + 4, width: LEGEND - 54, size: 14 });
    }),
  ];
  return svgFile({
    width: WIDTH,
    height,
    title,
    description: `A map of ${names.length} images, each a dot: images that the layer answers ` +
      `alike are near each other. ${
        Array.from(facets.sizes, (images, facet) => facetName(facet, images)).join(", ")
      }. ${note}`,
    body: parts.join("\n"),
  });
}

/** A dot of a facet, with a thin edge so that neighbours stay apart. */
function dot([x, y]: Point, radius: number, facet: number, name: string): string {
  const colour = facetColour(facet);
  const at = `cx="${short(x)}" cy="${short(y)}"`;
  const hole = isHollow(facet) ? `<circle class="hollow" ${at} r="${short(0.5 * radius)}"/>` : "";
  return `<g><circle class="rim" ${at} r="${short(radius + 0.5)}" fill="${colour}"/>${hole}` +
    `<title>${escapeXml(name)}</title></g>`;
}

/** From a facet's centre to its thumbnail. */
function line([cx, cy]: Point, [x, y]: Point, facet: number): string {
  const colour = facetColour(facet);
  const ends = `x1="${short(cx)}" y1="${short(cy)}" x2="${short(x)}" y2="${short(y)}"`;
  return `<line class="rim" ${ends} stroke-width="4"/>` +
    `<line ${ends} stroke="${colour}" stroke-width="2"/>` +
    `<circle class="hollow" cx="${short(cx)}" cy="${short(cy)}" r="4" stroke="${colour}" ` +
    `stroke-width="2"/>`;
}

/** A facet's thumbnail with its number. */
function thumbnail(
  [x, y]: Point,
  facet: number,
  { href, name }: { href: string; name: string },
): string {
  const colour = facetColour(facet);
  const side = THUMBNAIL + 2 * BORDER;
  const [left, top] = [x - side / 2, y - side / 2];
  const number = String(facet + 1);
  const width = 12 + 9 * number.length;
  const title = `facet ${number}: ${name}`;
  return `<rect class="rim" x="${short(left)}" y="${
    short(top)
  }" width="${side}" height="${side}" ` +
    `fill="${colour}"/>` +
    imageAt(href, { x: left + BORDER, y: top + BORDER, side: THUMBNAIL, title }) +
    `<rect x="${short(left)}" y="${short(top)}" width="${width}" height="21" fill="${colour}"/>` +
    `<text x="${short(left + width / 2)}" y="${short(top + 15.5)}" font-size="14" ` +
    `text-anchor="middle" fill="${colourOnFacet(facet)}">${number}</text>`;
}
