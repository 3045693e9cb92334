/** Normalisation. */
import { type Group, randomValues } from "../compare.ts";
import { positive, shape } from "./draw.ts";

/** The cases. */
export const normalisation: Group = (test) => {
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
};
