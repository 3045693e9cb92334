/** Normalisation. */
import type { Random, Shape } from "../../ops/mod.ts";
import { type Group, randomValues } from "../compare.ts";
import { positive, shape } from "./draw.ts";

/** The cases. */
export const normalisation: Group = (test) => {
  const training = (r: Random, i: number) => {
    const [n, c, h, w] = shape(r);
    const s: Shape = [n, c, h, w + 1]; // of one pixel there is no variance
    const inputs = [s, ...Array(2).fill([1, c, 1, 1])].map((each) => randomValues(r, each));
    return { inputs, options: { affine: i % 3 > 0, epsilon: [1e-5, 1e-3][i % 2]! } };
  };
  for (const part of ["y", "mean", "variance"] as const) {
    test(
      `batchNormTraining, ${part}`,
      training,
      (f, [x, weight, bias], { affine, epsilon }) =>
        f.batchNormTraining(x!, {
          epsilon,
          ...(affine ? { weight: weight!, bias: bias! } : {}),
        })[part],
    );
  }
  test(
    "batchNormTraining, weight and bias",
    training,
    (f, [x, weight, bias], { epsilon }) =>
      f.batchNormTraining(x!, { epsilon, weight: weight!, bias: bias! }).y,
    { wrt: "all" },
  );
  test(
    "batchNorm",
    (r, i) => {
      const s = shape(r);
      const inputs = [s, ...Array(4).fill([1, s[1], 1, 1])].map((each) => randomValues(r, each));
      inputs[2] = positive(inputs[2]!);
      return { inputs, options: { affine: i % 3 > 0, epsilon: [1e-5, 1e-3][i % 2]! } };
    },
    (f, [x, mean, variance, weight, bias], { affine, epsilon }) =>
      f.batchNorm(x!, {
        mean: mean!,
        variance: variance!,
        epsilon,
        ...(affine ? { weight: weight!, bias: bias! } : {}),
      }),
  );
  test(
    "batchNorm with all its gradients",
    (r) => {
      const s = shape(r);
      const inputs = [s, ...Array(4).fill([1, s[1], 1, 1])].map((each) => randomValues(r, each));
      inputs[2] = positive(inputs[2]!);
      return { inputs, options: null };
    },
    (f, [x, mean, variance, weight, bias]) =>
      f.batchNorm(x!, { mean: mean!, variance: variance!, weight: weight!, bias: bias! }),
    { wrt: "all" },
  );
  // One channel is its own mean, and two always end up at ±1: what moves is a rounding error.
  const pixels = (channels: readonly number[]) => (r: Random, i: number) => {
    const [n, , h, w] = shape(r);
    const c = r.pick(channels);
    const inputs = [[n, c, h, w] as const, ...Array(2).fill([1, c, 1, 1])].map((s) =>
      randomValues(r, s)
    );
    return { inputs, options: { affine: i % 3 > 0, epsilon: [1e-5, 1e-3][i % 2]! } };
  };
  test(
    "layerNorm",
    pixels([3, 4, 5, 7, 8, 13, 50]),
    (f, [x, weight, bias], { affine, epsilon }) =>
      f.layerNorm(x!, { epsilon, ...(affine ? { weight: weight!, bias: bias! } : {}) }),
  );
  test(
    "layerNorm, weight and bias",
    pixels([3, 4, 5, 7, 8, 13, 50]),
    (f, [x, weight, bias], { epsilon }) =>
      f.layerNorm(x!, { epsilon, weight: weight!, bias: bias! }),
    { wrt: "all" },
  );
  test(
    "layerNorm of few channels",
    pixels([1, 2]),
    (f, [x, weight, bias], { epsilon }) =>
      f.layerNorm(x!, { epsilon, weight: weight!, bias: bias! }),
    { wrt: [1, 2] },
  );
  test(
    "localResponseNorm",
    (r, i) => ({
      inputs: [randomValues(r, shape(r), 3)],
      options: i % 2 === 0
        ? { size: 1 + i / 2 % 7, alpha: 0.5 + r.uniform(), beta: r.pick([0.5, 0.75, 1]), k: 2 }
        : { size: r.pick([2, 3, 5]) },
    }),
    (f, [x], options) => f.localResponseNorm(x!, options),
  );
};
