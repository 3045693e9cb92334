/**
 * What a picture looks like, in a few numbers: how strong its edges are at four scales and in which
 * directions, its colours, and roughly where it is light. The first two do not say where: a layer's
 * pictures repeat what they show, here and there.
 */
import { resizeArea } from "../vis/photos/area_resize.ts";

/** Side at which pictures are compared. */
const SIDE = 64;
const SCALES = 4;
const DIRECTIONS = 8;
/** Colours are counted in squares of the plane of hues. */
const HUES = 6;
/** Parts of a side in which it is looked for light. */
const LIGHT = 6;

/** Numbers of a picture. */
export const LIKENESS = SCALES * DIRECTIONS + HUES * HUES + LIGHT * LIGHT;

/**
 * How much the parts count: edges, colours, light. What sets pictures apart is then half their edges
 * and a third their colours: edges differ least between pictures (measured on 81 of two networks).
 */
const WEIGHTS = [1, 0.56, 0.11] as const;

/** A part that is shorter than this says little, such as where an even picture is light. */
const LEAST = [1e-3, 1e-3, 0.1] as const;

/** Numbers are kept as whole ones, of which this is one. */
const ONE = 254;

/**
 * The numbers of a picture, as bytes.
 *
 * @param picture [3, height, width] RGB, 0..255.
 */
export function likenessOf(
  picture: ArrayLike<number>,
  size: { width: number; height: number },
): Int8Array {
  const rgb = resizeArea(picture, size, { width: SIDE, height: SIDE });
  const count = SIDE * SIDE;
  const [light, blue, red] = [0, 1, 2].map(() => new Float32Array(count)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (let i = 0; i < count; i++) {
    const [r, g, b] = [rgb[i]! / 255, rgb[i + count]! / 255, rgb[i + 2 * count]! / 255];
    light[i] = 0.299 * r + 0.587 * g + 0.114 * b;
    // Of the chroma planes of JPEG: -0.5 to 0.5.
    blue[i] = 0.564 * (b - light[i]!);
    red[i] = 0.713 * (r - light[i]!);
  }
  const parts = [
    edges(light),
    hues(blue, red),
    lights(light),
  ];
  const numbers = parts.flatMap((part, i) => {
    const length = Math.hypot(...part, LEAST[i]!);
    return part.map((value) => WEIGHTS[i]! * value / length);
  });
  const all = Math.hypot(...numbers);
  return Int8Array.from(
    numbers,
    (value) => Math.max(-127, Math.min(127, Math.round(ONE * value / all))),
  );
}

/** Strength of the edges in each direction, at each scale. */
function edges(light: Float32Array): number[] {
  const found: number[] = [];
  for (let scale = 0, side = SIDE; scale < SCALES; scale++, side /= 2) {
    const plane = resizeArea(
      light,
      { width: SIDE, height: SIDE },
      { width: side, height: side },
    );
    const sums = Array<number>(DIRECTIONS).fill(0);
    for (let y = 1; y < side - 1; y++) {
      for (let x = 1; x < side - 1; x++) {
        const at = y * side + x;
        const [dx, dy] = [plane[at + 1]! - plane[at - 1]!, plane[at + side]! - plane[at - side]!];
        // An edge has no sign: half a turn holds all directions.
        const turn = (Math.atan2(dy, dx) / Math.PI + 1) * DIRECTIONS;
        const first = Math.floor(turn);
        const strength = Math.hypot(dx, dy);
        sums[first % DIRECTIONS]! += strength * (1 - (turn - first));
        sums[(first + 1) % DIRECTIONS]! += strength * (turn - first);
      }
    }
    found.push(...sums.map((sum) => Math.sqrt(sum / (side - 2) ** 2)));
  }
  return found;
}

/** Share of the pixels of each hue, each pixel shared by the four squares that it is nearest to. */
function hues(blue: Float32Array, red: Float32Array): number[] {
  const counts = Array<number>(HUES * HUES).fill(0);
  // Strong colours are rare: the plane ends at half of them.
  const place = (value: number) =>
    Math.max(0, Math.min(HUES - 1.001, (2 * value + 0.5) * (HUES - 1)));
  for (let i = 0; i < blue.length; i++) {
    const [x, y] = [place(blue[i]!), place(red[i]!)];
    const at = Math.floor(y) * HUES + Math.floor(x);
    const [right, down] = [x % 1, y % 1];
    counts[at]! += (1 - right) * (1 - down);
    counts[at + 1]! += right * (1 - down);
    counts[at + HUES]! += (1 - right) * down;
    counts[at + HUES + 1]! += right * down;
  }
  return counts.map((sum) => Math.sqrt(sum / blue.length));
}

/** Means of the parts of a picture, less the mean of all. */
function lights(light: Float32Array): number[] {
  const means = resizeArea(
    light,
    { width: SIDE, height: SIDE },
    { width: LIGHT, height: LIGHT },
  );
  const all = means.reduce((sum, value) => sum + value, 0) / means.length;
  return Array.from(means, (value) => value - all);
}
