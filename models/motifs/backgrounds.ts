/** What lies behind a motif: random fields of colour, none of them telling what the motif is. */

import type { Random } from "../../base/random.ts";
import { type Colour, mix, muted } from "./colour.ts";
import { turn } from "./shapes.ts";

/** The colour at a point of the picture, both coordinates in 0..1. */
export type Background = (x: number, y: number) => Colour;

/** A number in 0..1 at every point of the plane, smooth, with features about one unit wide. */
export type Noise = (x: number, y: number) => number;

const LATTICE = 32;

/** Value noise: random numbers on a (repeating) lattice, smoothly interpolated. */
export function valueNoise(random: Random): Noise {
  const values = Float32Array.from({ length: LATTICE * LATTICE }, () => random.uniform());
  const at = (column: number, row: number) =>
    values[(row & (LATTICE - 1)) * LATTICE + (column & (LATTICE - 1))]!;
  const ease = (t: number) => t * t * (3 - 2 * t);
  return (x, y) => {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const [u, v] = [ease(x - column), ease(y - row)];
    const top = at(column, row) * (1 - u) + at(column + 1, row) * u;
    const bottom = at(column, row + 1) * (1 - u) + at(column + 1, row + 1) * u;
    return top * (1 - v) + bottom * v;
  };
}

function flat(random: Random): Background {
  const colour = muted(random);
  return () => colour;
}

function gradient(random: Random): Background {
  const [from, to] = [muted(random), muted(random)];
  const angle = random.uniform(0, 2 * Math.PI);
  return (x, y) => mix(from, to, (turn(x - 0.5, y - 0.5, angle)[0] + 0.71) / 1.42);
}

/** Clouds, from broad patches to fine grain: octaves of value noise, each half as strong. */
function clouds(random: Random): Background {
  const [from, to] = [muted(random), muted(random)];
  const noise = valueNoise(random);
  const scale = 2 ** random.uniform(1, 4.5);
  return (x, y) => {
    const sum = noise(x * scale, y * scale) + noise(x * scale * 2, y * scale * 2) / 2 +
      noise(x * scale * 4, y * scale * 4) / 4;
    return mix(from, to, sum / 1.75);
  };
}

/** Faint stripes with soft edges. */
function stripes(random: Random): Background {
  const from = muted(random);
  const to = mix(from, muted(random), 0.4);
  const angle = random.uniform(0, Math.PI);
  const frequency = random.uniform(10, 60);
  return (x, y) => mix(from, to, 0.5 + 0.5 * Math.sin(frequency * turn(x, y, angle)[0]));
}

/** Soft round spots, as of lights out of focus. */
function blobs(random: Random): Background {
  const ground = muted(random);
  const spots = Array.from({ length: 4 + random.integer(8) }, () => ({
    x: random.uniform(),
    y: random.uniform(),
    radius: random.uniform(0.06, 0.25),
    colour: muted(random),
  }));
  return (x, y) =>
    spots.reduce((below, spot) => {
      const r = Math.hypot(x - spot.x, y - spot.y) / spot.radius;
      return mix(below, spot.colour, 0.8 * Math.exp(-(r ** 4)));
    }, ground);
}

/** One background of a random kind with random colours. */
export function drawBackground(random: Random): Background {
  return random.pick([flat, gradient, clouds, clouds, stripes, blobs])(random);
}
