/** Random inputs that several groups of cases use. */
import type { Random, Shape } from "../../ops/mod.ts";
import { randomValues, type Sample } from "../compare.ts";
import type { Values } from "../reference.ts";

/** Numbers of channels: one lane, whole quads, and between. */
export const CHANNELS = [1, 2, 3, 4, 5, 7, 8, 9, 13];

/** [N,C,H,W] with one or a few pictures, any channels, odd and even sizes from `least`. */
export function shape(r: Random, least = 1): Shape {
  return [1 + r.integer(3), r.pick(CHANNELS), least + r.integer(9), least + r.integer(19)];
}

/** A picture alone. */
export const picture = (r: Random): Sample<null> => ({
  inputs: [randomValues(r, shape(r))],
  options: null,
});

/** Larger values, for functions with kinks far from 0. */
export const wide = (r: Random): Sample<null> => ({
  inputs: [randomValues(r, shape(r), 5)],
  options: null,
});

/** Values from 0.5 on. */
export function positive({ shape, data }: Values): Values {
  return { shape, data: data.map((v) => Math.fround(0.5 + Math.abs(v))) };
}

/** Operands that differ in the axes along which they are repeated. */
export function operands(count: 2 | 3): (r: Random, index: number) => Sample<null> {
  return (r, index) => {
    const [n, c, h, w] = shape(r, 2);
    const full: Shape = [n + 1, c + 1, h, w];
    const perChannel: Shape = [1, c + 1, 1, 1];
    const patterns: Shape[][] = [
      [full, full, full],
      [full, perChannel, perChannel],
      [full, [1, 1, 1, 1], full],
      [[1, 1, h, w], full, [n + 1, 1, 1, 1]],
      [[n + 1, c + 1, 1, 1], [1, 1, h, w], full],
    ];
    const shapes = patterns[index % patterns.length]!.slice(0, count);
    return { inputs: shapes.map((s) => randomValues(r, s)), options: null };
  };
}
