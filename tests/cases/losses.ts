/** Distances and Barron's loss. */
import type { Random, Shape } from "../../ops/mod.ts";
import { type Group, randomValues, type Sample } from "../compare.ts";
import type { Operations, Values } from "../reference.ts";
import { positive, shape } from "./draw.ts";

/** A target that is whole, one for all pictures, one for all places, or one number. */
function targetShape([n, c, h, w]: Shape, index: number): Shape {
  const shapes: Shape[] = [[n, c, h, w], [1, c, h, w], [n, c, 1, 1], [1, 1, 1, 1]];
  return shapes[index % shapes.length]!;
}

/** x and a target. */
function pair(r: Random, index: number): Sample<null> {
  const s = shape(r);
  const inputs = [randomValues(r, s, 2), randomValues(r, targetShape(s, index), 2)];
  return { inputs, options: null };
}

/** Magnitudes from 0.5 on, of either sign. */
function awayFromZero(r: Random, values: Values): Values {
  return { ...values, data: positive(values).data.map((v) => r.uniform() < 0.5 ? -v : v) };
}

/** Numbers in a range that float32 holds. */
function between(r: Random, shape: Shape, low: number, high: number): Values {
  const values = randomValues(r, shape);
  return { ...values, data: values.data.map(() => Math.fround(r.uniform(low, high))) };
}

/** How α and c are repeated. */
function parameterShape([n, c, h, w]: Shape, index: number): Shape {
  const shapes: Shape[] = [[1, c, 1, 1], [1, 1, 1, 1], [n, c, h, w], [n, 1, 1, 1]];
  return shapes[index % shapes.length]!;
}

/** x, α within bounds, and c. */
function robust(low: number, high: number): (r: Random, index: number) => Sample<null> {
  return (r, index) => {
    const s = shape(r);
    const small = parameterShape(s, index);
    return {
      inputs: [
        randomValues(r, s, 3),
        between(r, small, low, high),
        positive(randomValues(r, small)),
      ],
      options: null,
    };
  };
}

/** The cases. */
export const losses: Group = (test) => {
  const both = { wrt: [0, 1] };
  const linear = { wrt: [0, 1], degree: 1 };
  test("l1Distance", pair, (f, [x, t]) => f.l1Distance(x!, t!), linear);
  test("l2Distance", pair, (f, [x, t]) => f.l2Distance(x!, t!), { wrt: [0, 1], degree: 2 });
  test("chebyshevDistance", pair, (f, [x, t]) => f.chebyshevDistance(x!, t!), linear);
  test(
    "canberraDistance",
    (r, index) => {
      const { inputs: [x, t] } = pair(r, index);
      return { inputs: [awayFromZero(r, x!), awayFromZero(r, t!)], options: null };
    },
    (f, [x, t]) => f.canberraDistance(x!, t!),
    both,
  );
  test(
    "minkowskiDistance",
    (r, index) => ({ ...pair(r, index), options: [1, 1.5, 2, 3, 7.5][index % 5]! }),
    (f, [x, t], p) => f.minkowskiDistance(x!, t!, p),
    linear,
  );
  test("logitDistance", pair, (f, [x, t]) => f.logitDistance(x!, t!), both);
  test(
    "huberDistance",
    (r, index) => ({ ...pair(r, index), options: [0.3, 1, 4][index % 3]! }),
    (f, [x, t], delta) => f.huberDistance(x!, t!, delta),
    both,
  );
  test(
    "quantileDistance",
    (r, index) => ({ ...pair(r, index), options: [0.1, 0.5, 0.95][index % 3]! }),
    (f, [x, t], q) => f.quantileDistance(x!, t!, q),
    linear,
  );

  const rho = <T>(f: Operations<T>, [x, alpha, c]: T[]) => f.robustLoss(x!, alpha!, c!);
  test("robustLoss, α below 0", robust(-6, -0.1), rho, { wrt: "all" });
  test("robustLoss, α around 0", robust(-0.1, 0.1), rho, { wrt: "all" });
  test("robustLoss, α from 0 to 2", robust(0.1, 1.95), rho, { wrt: "all" });
  test("robustLoss, α just below 2", robust(1.999, 1.9999), rho, { wrt: [0, 2] });
  test("robustLoss, α above 2", robust(2.05, 4), rho, { wrt: "all" });
  test(
    "robustDistance",
    (r, index) => {
      const { inputs: [x, alpha, c] } = robust(-2, 1.9)(r, index);
      return {
        inputs: [x!, randomValues(r, targetShape(x!.shape, index)), alpha!, c!],
        options: null,
      };
    },
    (f, [x, t, alpha, c]) => f.robustDistance(x!, t!, alpha!, c!),
    { wrt: "all" },
  );
  test(
    "robustLogPartition",
    (r) => ({ inputs: [between(r, shape(r), 0.005, 1.99)], options: null }),
    (f, [alpha]) => f.robustLogPartition(alpha!),
    { count: 5 }, // the reference integrates for every element
  );
  test(
    "robustNegativeLogLikelihood",
    (r) => {
      const s = shape(r);
      const perChannel: Shape = [1, s[1], 1, 1];
      return {
        inputs: [
          randomValues(r, s, 3),
          between(r, perChannel, 0.005, 1.98),
          positive(randomValues(r, perChannel)),
        ],
        options: null,
      };
    },
    (f, [x, alpha, c]) => f.robustNegativeLogLikelihood(x!, alpha!, c!),
    { wrt: "all" },
  );

  const latent = (r: Random): Sample<null> => ({
    inputs: [randomValues(r, [1, 1 + r.integer(9), 1, 1], 2)],
    options: null,
  });
  test("robustAlpha", latent, (f, [a]) => f.robustAlpha(a!));
  test("robustScale", latent, (f, [s]) => f.robustScale(s!));
  test(
    "adaptiveRobustLoss",
    (r, index) => {
      const s = shape(r);
      const perChannel: Shape = [1, s[1], 1, 1];
      return {
        inputs: [randomValues(r, s, 3), randomValues(r, perChannel), randomValues(r, perChannel)],
        options: index % 2
          ? { alphaLow: 0.1, alphaHigh: 1.9, scaleLow: 0.01, scaleStart: 2 }
          : undefined,
      };
    },
    (f, [x, alpha, c], options) => f.adaptiveRobustLoss(x!, alpha!, c!, options),
    { wrt: "all" },
  );
};
