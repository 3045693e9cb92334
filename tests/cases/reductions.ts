/** Reductions, and what is made of them. */
import type { Axis, Random, Shape } from "../../ops/mod.ts";
import { type Group, randomValues, type Sample, values } from "../compare.ts";
import { CHANNELS, picture, wide } from "./draw.ts";
import type { Values } from "../reference.ts";

const AXES = [[0], [1], [2], [3], [2, 3], [1, 2, 3], [0, 1, 2, 3]] as const;

const axes = (r: Random, i: number) => ({ ...picture(r), options: AXES[i % AXES.length]! });

/** One axis that is reduced in one piece or, when it is longer, in parts. */
const long = (r: Random, i: number): Sample<readonly [Axis]> => {
  const axis = (i % 4) as Axis;
  const shape = [1, 1, 1, 1].map((_, other) => other === axis ? 0 : 1 + r.integer(3));
  // 128 (channels by fours) is the longest in one piece.
  shape[axis] = r.pick([128, 129, 130, 300, 1000]) * (axis === 1 ? 4 : 1) - r.integer(2);
  return { inputs: [randomValues(r, shape as unknown as Shape)], options: [axis] };
};

/** Classes of a few pictures. */
const classes = (r: Random, index: number): Shape => [
  1 + (index % 4),
  r.pick([...CHANNELS, 10, 1000]),
  1,
  1,
];

/** Numbers from 0 on whose sum over the channels is 1, or for some pictures all of one class. */
function probabilities(r: Random, shape: Shape): Values {
  const [n, c] = shape;
  const data = Array.from({ length: n }, () => {
    const parts = Array.from({ length: c }, () => r.uniform());
    const total = parts.reduce((a, b) => a + b);
    const right = r.integer(c);
    const oneHot = r.uniform() < 0.5;
    return parts.map((part, k) => Math.fround(oneHot ? Number(k === right) : part / total));
  });
  return values(shape, data.flat());
}

/** The cases. */
export const reductions: Group = (test) => {
  test("sum", axes, (f, [x], over) => f.sum(x!, over), { degree: 1 });
  test("mean", axes, (f, [x], over) => f.mean(x!, over), { degree: 1 });
  test("sumOfSquares", axes, (f, [x], over) => f.sumOfSquares(x!, over), { degree: 2 });
  test("meanOfSquares", axes, (f, [x], over) => f.meanOfSquares(x!, over), { degree: 2 });
  test("max", axes, (f, [x], over) => f.max(x!, over), { degree: 1 });
  test("sum along a long axis", long, (f, [x], over) => f.sum(x!, over), { degree: 1 });
  test(
    "sumOfSquares along a long axis",
    long,
    (f, [x], over) => f.sumOfSquares(x!, over),
    { degree: 2 },
  );
  test("max along a long axis", long, (f, [x], over) => f.max(x!, over), { degree: 1 });
  test("globalAveragePool", picture, (f, [x]) => f.globalAveragePool(x!), { degree: 1 });
  test("softmax", wide, (f, [x]) => f.softmax(x!));
  test("logSoftmax", wide, (f, [x]) => f.logSoftmax(x!));
  test(
    "crossEntropy",
    (r, i) => {
      const s = classes(r, i);
      return { inputs: [randomValues(r, s, 5), probabilities(r, s)], options: null };
    },
    (f, [logits, targets]) => f.crossEntropy(logits!, targets!),
    { wrt: "all" },
  );
};
