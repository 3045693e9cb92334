/** Image operations. */
import { gaussianKernel, maskNumbers } from "../../ops/mod.ts";
import { type Group, randomValues, values } from "../compare.ts";
import { shape } from "./draw.ts";

/** The cases. */
export const images: Group = (test) => {
  test(
    "gaussianBlur",
    (r) => {
      const s = shape(r);
      const radius = r.integer(6);
      const lanes = radius + 1 + r.integer(3);
      const weights = gaussianKernel(r.uniform(0.3, 3), radius, lanes);
      return { inputs: [randomValues(r, s), values([1, lanes, 1, 1], weights)], options: null };
    },
    (f, [x, weights]) => f.gaussianBlur(x!, weights!),
    { degree: 1, count: 40 },
  );
  test(
    "roll",
    (r) => {
      const shift = values([1, 2, 1, 1], [r.integer(41) - 20, r.integer(41) - 20]);
      return { inputs: [randomValues(r, shape(r)), shift], options: null };
    },
    (f, [x, shift]) => f.roll(x!, shift!),
    { degree: 1 },
  );
  test(
    "warp",
    (r) => {
      const [angle, zoom] = [r.uniform(-0.7, 0.7), r.uniform(0.6, 1.6)];
      const [cos, sin] = [Math.cos(angle) * zoom, Math.sin(angle) * zoom];
      const theta = [cos, -sin, r.uniform(-0.5, 0.5), sin, cos * r.uniform(0.8, 1.2), r.normal()];
      const inputs = [randomValues(r, shape(r)), values([1, 6, 1, 1], theta.map(Math.fround))];
      return { inputs, options: null };
    },
    (f, [x, theta]) => f.warp(x!, theta!),
    { degree: 1, tolerance: 3e-5 },
  );
  for (const plateau of [true, false]) {
    test(
      plateau ? "radialMask with a plateau" : "radialMask with a ring",
      (r) => {
        const [height, width] = [2 + r.integer(20), 2 + r.integer(20)];
        // No wider than the picture: min-max normalisation enlarges float32's rounding otherwise.
        const form = { edge: r.uniform(0, 1), sigma: r.uniform(1, 3), plateau };
        const numbers = values([1, 4, 1, 1], maskNumbers(form, height, width).map(Math.fround));
        return { inputs: [numbers], options: { height, width } };
      },
      (f, [numbers], { height, width }) => f.radialMask(numbers!, height, width, plateau),
      { wrt: [] },
    );
  }
  test(
    "tvDenoise",
    (r) => {
      const [n, , h, w] = shape(r);
      const pictures = randomValues(r, [n, 1 + r.integer(4), h, w], 0.3);
      const settings = values([1, 2, 1, 1], [Math.fround(r.uniform(1, 10)), r.pick([0, 0.0625])]);
      return { inputs: [pictures, settings], options: null };
    },
    (f, [x, settings]) => f.tvDenoise(x!, settings!, 5),
    { wrt: [] },
  );
};
