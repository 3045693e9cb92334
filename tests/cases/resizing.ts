/** Pictures in another size. */
import type { Random, ResizeOptions } from "../../ops/mod.ts";
import { type Group, randomValues, type Sample } from "../compare.ts";
import { shape } from "./draw.ts";

/** Smaller, larger, one of each, the same, and a single pixel. */
const resizing =
  (how: Omit<ResizeOptions, "size">) => (r: Random, index: number): Sample<ResizeOptions> => {
    const s = shape(r);
    const [h, w] = [s[2], s[3]];
    const sizes: [number, number][] = [
      [1 + r.integer(h), 1 + r.integer(w)],
      [h + r.integer(12), w + r.integer(12)],
      [1 + r.integer(20), 1 + r.integer(30)],
      [h, 1 + r.integer(2 * w)],
      [1, 1],
    ];
    return {
      inputs: [randomValues(r, s)],
      options: { ...how, size: sizes[index % sizes.length]! },
    };
  };

const MODES: [string, Omit<ResizeOptions, "size">][] = [
  ["resize by area", { mode: "area" }],
  ["resize, bilinear", { mode: "bilinear" }],
  ["resize, bilinear, corners aligned", { mode: "bilinear", alignCorners: true }],
  ["resize by cubic splines", { mode: "cubicSpline" }],
];

/** The cases. */
export const resizings: Group = (test) => {
  for (const [name, how] of MODES) {
    test(name, resizing(how), (f, [x], options) => f.resize(x!, options), { degree: 1, count: 40 });
  }
};
