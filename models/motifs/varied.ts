/** What the built-in model sees while it is trained: its drawings varied, and some cut to pieces. */
import type { Random } from "../../ops/mod.ts";

/** A square RGB picture: three planes of `side * side` numbers in 0..1. */
export type Planes = Float32Array<ArrayBuffer>;

/** Row-major RGB bytes as planes in 0..1. */
export function planesOf(pixels: Uint8Array | Uint8ClampedArray): Planes {
  const size = pixels.length / 3;
  const planes = new Float32Array(pixels.length);
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) planes[c * size + i] = pixels[3 * i + c]! / 255;
  }
  return planes;
}

/** A coordinate beyond the picture, mirrored at the outer edges of its first and last pixels. */
function mirrored(p: number, size: number): number {
  const inside = p < -0.5 ? -1 - p : p > size - 0.5 ? 2 * size - 1 - p : p;
  return Math.min(Math.max(inside, 0), size - 1);
}

/**
 * A drawing turned, zoomed, shifted, relit and tinted at random, one in five without colour.
 *
 * @param pixels Row-major RGB bytes of a square picture.
 * @param side Of the result, in pixels.
 */
export function varied(pixels: Uint8Array, side: number, random: Random): Planes {
  const from = Math.sqrt(pixels.length / 3);
  const angle = random.uniform(-0.3, 0.3);
  const zoom = Math.exp(random.uniform(-0.35, 0.25));
  const [cos, sin] = [zoom * Math.cos(angle), zoom * Math.sin(angle)];
  const [right, down] = [random.uniform(-0.2, 0.2), random.uniform(-0.2, 0.2)];
  const grey = random.uniform() < 0.2;
  const tint = [0, 1, 2].map(() => random.uniform(0.8, 1.2));
  const light = random.uniform(-0.1, 0.1);

  const planes = new Float32Array(3 * side * side);
  for (let row = 0, i = 0; row < side; row++) {
    for (let column = 0; column < side; column++, i++) {
      const [u, v] = [(2 * column + 1) / side - 1, (2 * row + 1) / side - 1];
      const x = mirrored(((cos * u - sin * v + right + 1) * from - 1) / 2, from);
      const y = mirrored(((sin * u + cos * v + down + 1) * from - 1) / 2, from);
      const [x0, y0] = [Math.min(Math.floor(x), from - 2), Math.min(Math.floor(y), from - 2)];
      const [fx, fy] = [x - x0, y - y0];
      const at = 3 * (y0 * from + x0);
      const sample = [0, 1, 2].map((c) => {
        const [a, b] = [pixels[at + c]!, pixels[at + 3 + c]!];
        const [d, e] = [pixels[at + 3 * from + c]!, pixels[at + 3 * from + 3 + c]!];
        return ((1 - fy) * (a + (b - a) * fx) + fy * (d + (e - d) * fx)) / 255;
      });
      const mean = (sample[0]! + sample[1]! + sample[2]!) / 3;
      for (let c = 0; c < 3; c++) {
        const level = (grey ? mean : sample[c]!) * tint[c]! + light;
        planes[c * side * side + i] = Math.min(Math.max(level, 0), 1);
      }
    }
  }
  return planes;
}

/** A picture cut into `cuts * cuts` tiles, shuffled: the same colours and textures, but no shape. */
export function jumbled(planes: Planes, cuts: number, random: Random): Planes {
  const side = Math.sqrt(planes.length / 3);
  const tile = side / cuts;
  const order = shuffled(cuts * cuts, random);
  return Float32Array.from(planes, (_, i) => {
    const [c, row, column] = [
      Math.floor(i / (side * side)),
      Math.floor(i / side) % side,
      i % side,
    ];
    const from = order[Math.floor(row / tile) * cuts + Math.floor(column / tile)]!;
    const y = Math.floor(from / cuts) * tile + row % tile;
    const x = (from % cuts) * tile + column % tile;
    return planes[(c * side + y) * side + x]!;
  });
}

/** 0..count-1 in random order. */
function shuffled(count: number, random: Random): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/**
 * A picture at half its size, each square of `places * places` pixels as the channels of one place:
 * [3·places², side/(2·places), side/(2·places)], channel c·places² + row·places + column.
 */
export function halvedToPlaces(planes: Planes, places: number): Planes {
  const side = Math.sqrt(planes.length / 3);
  const half = side / 2;
  const across = half / places;
  const result = new Float32Array(3 * half * half);
  for (let c = 0; c < 3; c++) {
    for (let row = 0; row < half; row++) {
      for (let column = 0; column < half; column++) {
        const at = (c * side + 2 * row) * side + 2 * column;
        const mean = (planes[at]! + planes[at + 1]! + planes[at + side]! + planes[at + side + 1]!) /
          4;
        const channel = (c * places + row % places) * places + column % places;
        const place = Math.floor(row / places) * across + Math.floor(column / places);
        result[channel * across * across + place] = mean;
      }
    }
  }
  return result;
}
