/** Image operations. */
import { gaussianKernel, maskNumbers, type Random } from "../../ops/mod.ts";
import { type Group, randomValues, values } from "../compare.ts";
import { denoise, type Values } from "../reference.ts";
import { shape } from "./draw.ts";

/** Pictures a denoiser takes: at most four channels. */
function noisy(r: Random): [Values] {
  const [n, , h, w] = shape(r);
  return [randomValues(r, [n, 1 + r.integer(4), h, w], 0.3)];
}

/** A weight and an eps. */
function denoiseSettings(r: Random, eps: number, scale = 1): Values {
  return values([1, 2, 1, 1], [Math.fround(scale * r.uniform(1, 10)), eps]);
}

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
  test(
    "warp into another size",
    (r) => {
      const [angle, zoom] = [r.uniform(-0.7, 0.7), r.uniform(0.3, 1.3)];
      const [cos, sin] = [Math.cos(angle) * zoom, Math.sin(angle) * zoom];
      const theta = [cos, -sin, r.uniform(-0.5, 0.5), sin, cos * r.uniform(0.8, 1.2), r.normal()];
      const inputs = [randomValues(r, shape(r)), values([1, 6, 1, 1], theta.map(Math.fround))];
      return { inputs, options: [1 + r.integer(30), 1 + r.integer(30)] as const };
    },
    (f, [x, theta], size) => f.warp(x!, theta!, size),
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
  for (const isotropic of [false, true]) {
    test(
      `totalVariation, ${isotropic ? "isotropic" : "anisotropic"}`,
      (r) => ({ inputs: [randomValues(r, shape(r))], options: { isotropic, epsilon: 1e-4 } }),
      (f, [x], options) => f.totalVariation(x!, options),
    );
  }
  test(
    "tvDenoise, every sweep",
    (r, i) => ({ inputs: [...noisy(r), denoiseSettings(r, -1)], options: i % 13 }),
    (f, [x, settings], sweeps) => f.tvDenoise(x!, settings!, sweeps),
    { count: 39 },
  );
  test(
    "tvDenoise, many sweeps",
    (r) => ({ inputs: [...noisy(r), denoiseSettings(r, -1)], options: 15 + r.integer(50) }),
    (f, [x, settings], sweeps) => f.tvDenoise(x!, settings!, sweeps),
    { count: 8 },
  );
  test(
    "tvDenoise, stopped early",
    (r, i) => {
      const [pictures] = noisy(r);
      const { data: [weight] } = denoiseSettings(r, 0);
      // Half way between what two sweeps change, so that float32 stops after the same one.
      const { changes } = denoise(pictures!, 0, weight!, -1, 21);
      const eps = Math.sqrt(changes[i]! * changes[i + 1]!);
      return {
        inputs: [pictures!, values([1, 2, 1, 1], [weight!, Math.fround(eps)])],
        options: r.pick([25, 60]),
      };
    },
    (f, [x, settings], sweeps) => f.tvDenoise(x!, settings!, sweeps),
  );
  test(
    "tvDenoise for its weight",
    (r, i) => ({ inputs: [...noisy(r), denoiseSettings(r, -1, 1 / 32)], options: 1 + i % 12 }),
    // In units of which float32 sees a small step.
    (f, [x, settings], sweeps) => f.tvDenoise(x!, f.affine(settings!, 32), sweeps),
    { wrt: [1] },
  );
};
