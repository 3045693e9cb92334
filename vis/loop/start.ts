/** What pictures start from. */
import { Random } from "../../ops/mod.ts";
import type { Parameters } from "../parameters.ts";

/**
 * What pictures start from: `mean`, the weighted mean of each facet's images; `noise` around the
 * mean colour of those; or one picture, [3,S,S] in 0..255 and as the network is to see it, for all.
 */
export type Start = "mean" | "noise" | Float32Array;

/** Standard deviation of noise, in grey levels: visible, but seldom clamped. */
const NOISE = 20;

/**
 * The pictures a run starts from, [K,3,S,S] in 0..255.
 *
 * @param options.mean the weighted mean of each facet's images, [K,3,S,S]
 */
export function startPictures(
  start: Start,
  { mean, size, seed, parameters }: {
    mean: Float32Array;
    size: number;
    seed: number;
    parameters: Pick<Parameters, "colourOrder" | "wholeLevels">;
  },
): Float32Array<ArrayBuffer> {
  if (start === "mean") {
    // A blend like any other: cut off.
    return parameters.wholeLevels ? Float32Array.from(mean, Math.floor) : Float32Array.from(mean);
  }
  const plane = size * size;
  const out = new Float32Array(mean.length);
  if (start === "noise") {
    const random = new Random(seed);
    for (let at = 0; at < mean.length; at += plane) {
      const colour = mean.subarray(at, at + plane).reduce((a, b) => a + b, 0) / plane;
      for (let i = at; i < at + plane; i++) {
        const value = Math.min(255, Math.max(0, colour + NOISE * random.normal()));
        out[i] = parameters.wholeLevels ? Math.round(value) : value;
      }
    }
    return out;
  }
  if (start.length !== 3 * plane) {
    throw new RangeError(
      `startPictures: expected ${3 * plane} values for a picture of ${size}, got ${start.length}`,
    );
  }
  for (let at = 0; at < mean.length; at += 3 * plane) out.set(start, at);
  return out;
}

/** So many noises are fine; those after them are coarse. */
export const FINE_NOISES = 12;

/** Soft squares along a side of coarse noises. */
const SQUARES = [32, 16, 8, 4];

/** Standard deviations of coarse noises in grey levels: of all colours together, and of each. */
const COARSE = [{ light: 45, colour: 12 }, { light: 30, colour: 40 }] as const;

/**
 * Noise to start from, [3,S,S] in 0..255: fine grains, or soft squares of some size under them.
 *
 * @param i which of any number; the first {@linkcode FINE_NOISES} are fine
 * @param options.grey its mean colour
 */
export function noisePicture(
  i: number,
  { size, seed, grey, parameters }: {
    size: number;
    seed: number;
    grey: readonly number[];
    parameters: Pick<Parameters, "colourOrder" | "wholeLevels">;
  },
): Float32Array<ArrayBuffer> {
  const random = new Random((seed + i * 0x9e3779b9) >>> 0);
  const squares = i < FINE_NOISES ? 0 : SQUARES[i % SQUARES.length]!;
  const deviation = COARSE[Math.floor(i / SQUARES.length) % 2]!;
  const light = softNoise(squares, size, random);
  const picture = new Float32Array(3 * size * size);
  grey.forEach((level, c) => {
    const colour = softNoise(squares, size, random);
    for (let p = 0; p < light.length; p++) {
      const value = level + deviation.light * light[p]! + deviation.colour * colour[p]! +
        NOISE * random.normal();
      const cut = Math.min(255, Math.max(0, value));
      picture[c * light.length + p] = parameters.wholeLevels ? Math.round(cut) : cut;
    }
  });
  return picture;
}

/** Normal numbers at the corners of squares, what lies between them interpolated; zeros for none. */
function softNoise(squares: number, size: number, random: Random): Float32Array {
  const plane = new Float32Array(size * size);
  if (squares === 0) return plane;
  const corners = Float32Array.from({ length: (squares + 1) ** 2 }, () => random.normal());
  const at = (row: number, column: number) => corners[row * (squares + 1) + column]!;
  return plane.map((_, p) => {
    const [y, x] = [Math.floor(p / size) * squares / size, (p % size) * squares / size];
    const [top, left] = [Math.floor(y), Math.floor(x)];
    const [v, u] = [y - top, x - left];
    return (1 - v) * ((1 - u) * at(top, left) + u * at(top, left + 1)) +
      v * ((1 - u) * at(top + 1, left) + u * at(top + 1, left + 1));
  });
}
