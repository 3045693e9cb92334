/** Where all that is on the map of a folder goes: dots, and a thumbnail for each facet. */

/** A place on the map, in pixels from its top left corner. */
export type Point = readonly [x: number, y: number];

/** A part of the map, in pixels. */
export interface Box {
  /** Where it begins. */
  readonly left: number;
  /** Where it begins. */
  readonly top: number;
  /** Where it ends. */
  readonly right: number;
  /** Where it ends. */
  readonly bottom: number;
}

/** What a map is of. */
export interface MapPoints {
  /** [n, 2] each image's place in the plane. */
  readonly embedding: ArrayLike<number>;
  /** [facets, 2] each facet's centre there. */
  readonly centres: ArrayLike<number>;
}

/** How a map is laid out. */
export interface MapOptions {
  /** Where dots go. */
  readonly dots: Box;
  /** Where thumbnails go. */
  readonly thumbnails: Box;
  /** Side of a thumbnail with its border. */
  readonly side: number;
}

/** A facet's thumbnail. */
export interface Thumbnail {
  /** The facet's centre. */
  readonly centre: Point;
  /** The middle of the thumbnail. */
  readonly middle: Point;
  /** Whether it is so far from the centre that a line must say whose it is. */
  readonly away: boolean;
}

/** A map laid out. */
export interface MapLayout {
  /** Each image's. */
  readonly dots: readonly Point[];
  /** Of a dot. */
  readonly radius: number;
  /** Each facet's. */
  readonly thumbnails: readonly Thumbnail[];
}

/**
 * Colours that people with any kind of colour vision can tell apart: Paul Tol's "muted" scheme and a
 * dark grey. After ten facets they come again, with hollow dots.
 */
const PALETTE = [
  "#332288",
  "#cc6677",
  "#44aa99",
  "#ddcc77",
  "#882255",
  "#88ccee",
  "#117733",
  "#aa4499",
  "#999933",
  "#555555",
];

/** Those on which white cannot be read. */
const LIGHT: readonly string[] = ["#44aa99", "#ddcc77", "#88ccee", "#999933"];

/** The colour of a facet wherever it is shown. */
export function facetColour(facet: number): string {
  return PALETTE[facet % PALETTE.length]!;
}

/** What can be read on that colour. */
export function colourOnFacet(facet: number): string {
  return LIGHT.includes(facetColour(facet)) ? "#222222" : "#ffffff";
}

/** Whether a facet's dots are hollow, because another facet has its colour. */
export function isHollow(facet: number): boolean {
  return facet >= PALETTE.length;
}

/** A facet's name for people: "facet 1 (42 images)". */
export function facetName(facet: number, images: number): string {
  return `facet ${facet + 1} (${images} image${images === 1 ? "" : "s"})`;
}

/**
 * Lays out the map of a folder: a dot for each image, and each facet's thumbnail at its centre or,
 * where that would hide many dots or another thumbnail, beside it on a line.
 */
export function layOutMap(points: MapPoints, { dots: box, ...options }: MapOptions): MapLayout {
  const place = fit(points.embedding, box);
  const dots = placeAll(points.embedding, place);
  const centres = placeAll(points.centres, place);
  const { side } = options;
  return {
    dots,
    radius: Math.max(2.5, Math.min(6, 70 / Math.sqrt(dots.length))),
    thumbnails: arrange(centres, dots, options.thumbnails, side).map((middle, facet) => {
      const centre = centres[facet]!;
      const [dx, dy] = [middle[0] - centre[0], middle[1] - centre[1]];
      return { centre, middle, away: Math.max(Math.abs(dx), Math.abs(dy)) > side / 2 + 10 };
    }),
  };
}

/**
 * The map from the plane into a box, the same scale in both directions.
 *
 * @param points [n, 2]
 */
export function fit(points: ArrayLike<number>, box: Box): (x: number, y: number) => Point {
  // Not Math.min(...values): a folder may hold more images than a call bears arguments.
  const extent = (axis: 0 | 1) => {
    let [least, most] = [Infinity, -Infinity];
    for (let i = axis; i < points.length; i += 2) {
      least = Math.min(least, points[i]!);
      most = Math.max(most, points[i]!);
    }
    return { middle: (least + most) / 2, range: Math.max(most - least, 1e-9) };
  };
  const [xs, ys] = [extent(0), extent(1)];
  const scale = Math.min((box.right - box.left) / xs.range, (box.bottom - box.top) / ys.range);
  return (x, y) => [
    (box.left + box.right) / 2 + (x - xs.middle) * scale,
    (box.top + box.bottom) / 2 + (y - ys.middle) * scale,
  ];
}

function placeAll(points: ArrayLike<number>, place: (x: number, y: number) => Point): Point[] {
  return Array.from(
    { length: points.length / 2 },
    (_, i) => place(points[2 * i]!, points[2 * i + 1]!),
  );
}

/** Pixels between the spots that are compared. */
const STEP = 12;

/**
 * Where the thumbnails go: each as near to its centre as it can be without lying on another one and
 * with few dots under it. Spots of a grid are compared, one thumbnail after the other, twice, so that
 * the first ones learn of the last.
 */
function arrange(
  centres: readonly Point[],
  dots: readonly Point[],
  box: Box,
  side: number,
): Point[] {
  const half = side / 2;
  const candidates: Point[] = [];
  for (let x = box.left + half; x <= box.right - half; x += STEP) {
    for (let y = box.top + half; y <= box.bottom - half; y += STEP) candidates.push([x, y]);
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
          k !== facet && other && covers(spot, other, side + 6)
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
