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
};
