/** The map of a folder: every image a dot in the plane, coloured by facet. */

import { type Colour, Drawing, INK, tile } from "./draw.ts";
import { type Facets, planeOf } from "../facets/facets.ts";
import type { Rgba } from "../photos/rgba.ts";

/** What `drawScatter` shows besides the dots. */
export interface ScatterOptions {
  /** Per facet a picture for its centre, [3, size, size] RGB, 0..255. */
  thumbnails: readonly ArrayLike<number>[];
  /** Side of those pictures in pixels. */
  size: number;
  /** A line above the plot. */
  title?: string;
  /** A smaller line under the title. */
  note?: string;
}

/**
 * Colours that people with any kind of colour vision can tell apart: Paul Tol's "muted" scheme and a
 * dark grey. After ten facets they come again, with hollow dots.
 */
const PALETTE: readonly Colour[] = [
  [51, 34, 136],
  [204, 102, 119],
  [68, 170, 153],
  [221, 204, 119],
  [136, 34, 85],
  [136, 204, 238],
  [17, 119, 51],
  [170, 68, 153],
  [153, 153, 51],
  [85, 85, 85],
];

const WIDTH = 1160;
const MARGIN = 36;
const LEGEND = 230;
const THUMBNAIL = 88;
const BORDER = 4;
const LINE = 26;
const TITLE = 40;
const NOTE = 24;

/** The colour of a facet in every picture of a report. */
export function facetColour(facet: number): Colour {
  return PALETTE[facet % PALETTE.length]!;
}

/** A facet's name for people: "facet 1 (42 images)". */
export function facetName(facet: number, images: number): string {
  return `facet ${facet + 1} (${images} image${images === 1 ? "" : "s"})`;
}

/**
 * The scatter plot of the facets: dots, a thumbnail per facet at its centre or, where that would
 * hide many dots or another thumbnail, beside it on a line, and a legend.
 *
 * @throws {RangeError} when there is not one thumbnail for each facet.
 */
export function drawScatter(
  facets: Facets,
  { thumbnails, size, title, note }: ScatterOptions,
): Rgba {
  const count = facets.sizes.length;
  if (thumbnails.length !== count) {
    throw new RangeError(`drawScatter: ${count} facets, but ${thumbnails.length} thumbnails`);
  }
  const top = MARGIN + (title === undefined ? 0 : TITLE) + (note === undefined ? 0 : NOTE);
  const height = Math.max(860, top + count * LINE + MARGIN);
  const sheet = new Drawing(WIDTH, height);
  if (title !== undefined) sheet.text(title, MARGIN, MARGIN, { size: 15 });
  if (note !== undefined) {
    sheet.text(note, MARGIN, top - NOTE - (title === undefined ? 0 : 10), { size: 11 });
  }

  const plane = planeOf(facets);
  const place = fit(plane.embedding, {
    left: MARGIN,
    top,
    right: WIDTH - LEGEND - MARGIN,
    bottom: height - MARGIN,
  });
  const dots = placeAll(plane.embedding, place);
  const centres = placeAll(plane.centres, place);

  const radius = Math.max(2.5, Math.min(6, 70 / Math.sqrt(dots.length)));
  dots.forEach(([x, y], i) => dot(sheet, x, y, radius, facets.labels[i]!));

  const spots = arrange(centres, dots, {
    left: MARGIN / 2,
    top: title === undefined ? MARGIN / 2 : top - 8,
    right: WIDTH - LEGEND,
    bottom: height - MARGIN / 2,
  });
  spots.forEach(([x, y], facet) => {
    const [cx, cy] = centres[facet]!;
    const colour = facetColour(facet);
    if (Math.max(Math.abs(x - cx), Math.abs(y - cy)) > THUMBNAIL / 2 + BORDER + 10) {
      sheet.strokes([[cx, cy, x, y]], 2, colour);
      sheet.disc(cx, cy, 5, [255, 255, 255]);
      sheet.ring(cx, cy, 4, 2, colour);
    }
  });
  spots.forEach(([x, y], facet) => {
    const [left, topEdge] = [Math.round(x - THUMBNAIL / 2), Math.round(y - THUMBNAIL / 2)];
    const outer = THUMBNAIL + 2 * BORDER;
    sheet.rectangle(left - BORDER - 1, topEdge - BORDER - 1, outer + 2, outer + 2, [255, 255, 255]);
    sheet.rectangle(left - BORDER, topEdge - BORDER, outer, outer, facetColour(facet));
    sheet.picture(tile(thumbnails[facet]!, size, THUMBNAIL), left, topEdge);
    badge(sheet, left, topEdge, facet);
  });

  for (let facet = 0; facet < count; facet++) {
    const y = top + facet * LINE + LINE / 2;
    dot(sheet, WIDTH - LEGEND + 20, y, 7, facet);
    sheet.text(facetName(facet, facets.sizes[facet]!), WIDTH - LEGEND + 38, y - 6, { size: 12 });
  }
  return sheet;
}

type Point = readonly [x: number, y: number];

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A dot of a facet, with a thin white edge so that neighbours stay apart. */
function dot(sheet: Drawing, x: number, y: number, radius: number, facet: number): void {
  sheet.disc(x, y, radius + 1, [255, 255, 255], 0.9);
  if (facet < PALETTE.length) sheet.disc(x, y, radius, facetColour(facet));
  else sheet.ring(x, y, radius - 1, 2, facetColour(facet));
}

/** The facet's number in the corner of its thumbnail. */
function badge(sheet: Drawing, left: number, top: number, facet: number): void {
  const number = String(facet + 1);
  const width = 12 + 10 * number.length;
  sheet.rectangle(left - BORDER, top - BORDER, width, 21, facetColour(facet));
  const [red, green, blue] = facetColour(facet);
  const light = 0.3 * red + 0.59 * green + 0.11 * blue > 150;
  sheet.text(number, left - BORDER + width / 2, top - BORDER + 5, {
    size: 11,
    colour: light ? INK : [255, 255, 255],
    align: "centre",
  });
}

/** The map from the plane into a box, the same scale in both directions. */
function fit(points: Float64Array, box: Box): (x: number, y: number) => Point {
  const [xs, ys] = [points.filter((_, i) => i % 2 === 0), points.filter((_, i) => i % 2 === 1)];
  // Not Math.min(...values): a folder may hold more images than a call bears arguments.
  const least = (values: Float64Array) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (values: Float64Array) => values.reduce((a, b) => Math.max(a, b), -Infinity);
  const middle = (values: Float64Array) => (least(values) + most(values)) / 2;
  const range = (values: Float64Array) => most(values) - least(values);
  const [midX, midY] = [middle(xs), middle(ys)];
  const scale = Math.min(
    (box.right - box.left) / Math.max(range(xs), 1e-9),
    (box.bottom - box.top) / Math.max(range(ys), 1e-9),
  );
  return (x, y) => [
    (box.left + box.right) / 2 + (x - midX) * scale,
    (box.top + box.bottom) / 2 + (y - midY) * scale,
  ];
}

function placeAll(points: Float64Array, place: (x: number, y: number) => Point): Point[] {
  return Array.from(
    { length: points.length / 2 },
    (_, i) => place(points[2 * i]!, points[2 * i + 1]!),
  );
}

/**
 * Where the thumbnails go: each as near to its centre as it can be without lying on another one and
 * with few dots under it. Spots of a grid are compared, one thumbnail after the other, twice, so that
 * the first ones learn of the last.
 */
function arrange(centres: Point[], dots: Point[], box: Box): Point[] {
  const half = THUMBNAIL / 2 + BORDER;
  const step = 12;
  const candidates: Point[] = [];
  for (let x = box.left + half; x <= box.right - half; x += step) {
    for (let y = box.top + half; y <= box.bottom - half; y += step) candidates.push([x, y]);
  }
  const covers = ([x, y]: Point, [u, v]: Point, reach: number) =>
    Math.abs(x - u) < reach && Math.abs(y - v) < reach;
  const hidden = candidates.map((spot) => dots.filter((dot) => covers(spot, dot, half + 3)).length);
  // A dot in a crowd of thousands weighs less than one of fifty.
  const perDot = 2000 / dots.length;
  const spots: (Point | undefined)[] = centres.map(() => undefined);
  for (let round = 0; round < 2; round++) {
    for (const [facet, [cx, cy]] of centres.entries()) {
      let best = Infinity;
      candidates.forEach((spot, i) => {
        const others = spots.filter((other, k) =>
          k !== facet && other && covers(spot, other, 2 * half + 6)
        );
        const away = Math.hypot(spot[0] - cx, spot[1] - cy);
        const cost = away + perDot * hidden[i]! + 10_000 * others.length;
        if (cost >= best) return;
        best = cost;
        spots[facet] = spot;
      });
    }
  }
  return spots.map((spot, facet) => spot ?? centres[facet]!);
}
