/**
 * Distances between a tensor x and a target t: one number for each picture, differentiable in both.
 *
 * All are of d = x − t, with x [N,C,H,W] and t of the same shape or repeated along axes of size 1,
 * and give [N,1,1,1]. Means are over a picture's elements, so that a distance does not grow with
 * the size of a layer. At a kink the gradient is the mean of those at its sides (0 for |d| at 0).
 */
import {
  abs,
  add,
  affine,
  clampMin,
  detach,
  div,
  logCoshHalf,
  minimum,
  mul,
  pow,
  sub,
} from "../element/elementwise.ts";
import { max } from "../element/max.ts";
import { robustLoss } from "./robust_loss.ts";
import { mean, meanOfSquares } from "../element/sum.ts";
import { constant, formatShape, sameShape, type Tensor } from "../graph/tensor.ts";

/** The name of a distance. */
export type DistanceName =
  | "l1"
  | "l2"
  | "chebyshev"
  | "canberra"
  | "minkowski"
  | "logit"
  | "huber"
  | "quantile"
  | "robust";

/** A number that shapes a distance. */
export interface DistanceParameter {
  /** What it does. */
  readonly meaning: string;
  /** Its value where none is given. */
  readonly standard: number;
  /** The least it may be. */
  readonly least: number;
  /** The most it may be. */
  readonly most: number;
}

/** An entry of {@linkcode DISTANCES}. */
export interface Distance {
  /** What it computes, for people. */
  readonly formula: string;
  /** Its numbers by name. */
  readonly parameters: Readonly<Record<string, DistanceParameter>>;
  /** The distance for values of all its parameters. */
  readonly between: (x: Tensor, target: Tensor, parameters: Record<string, number>) => Tensor;
}

/** Smaller sums of magnitudes than this count as this: a divisor that is never 0. */
const TINY = 1e-30;

/** Over a picture. */
const PICTURE = [1, 2, 3] as const;

/** x − t. */
function difference(x: Tensor, target: Tensor): Tensor {
  const d = sub(x, target);
  if (!sameShape(d.shape, x.shape)) {
    throw new RangeError(
      `distance: a target ${formatShape(target.shape)} cannot be repeated to ` +
        `${formatShape(x.shape)}; each of its sizes must be 1 or the same`,
    );
  }
  return d;
}

function number(value: number): Tensor {
  return constant([1, 1, 1, 1], () => Float32Array.of(value));
}

/** mean |d| */
export function l1Distance(x: Tensor, target: Tensor): Tensor {
  return mean(abs(difference(x, target)), PICTURE);
}

/** mean d² */
export function l2Distance(x: Tensor, target: Tensor): Tensor {
  return meanOfSquares(difference(x, target), PICTURE);
}

/** max |d|; equal ones share the gradient, see {@linkcode max}. */
export function chebyshevDistance(x: Tensor, target: Tensor): Tensor {
  return max(abs(difference(x, target)), PICTURE);
}

/** mean |d|/(|x| + |t|), where 0/0 is 0: each term lies in [0, 1]. */
export function canberraDistance(x: Tensor, target: Tensor): Tensor {
  const size = clampMin(add(abs(x), abs(target)), TINY);
  return mean(div(abs(difference(x, target)), size), PICTURE);
}

/**
 * (mean |d|ᵖ)^(1/p), computed relative to the largest |d|: no power overflows, and its gradient is
 * 0 where d is.
 *
 * @throws {RangeError} when p < 1: then it is no distance, and its gradient at 0 is infinite.
 */
export function minkowskiDistance(x: Tensor, target: Tensor, p: number): Tensor {
  if (!(p >= 1)) throw new RangeError(`minkowskiDistance: p is ${p}, it must be at least 1`);
  const d = abs(difference(x, target));
  // The result does not depend on the scale, so neither does the gradient.
  const scale = detach(clampMin(max(d, PICTURE), TINY));
  const power = mean(pow(div(d, scale), number(p)), PICTURE);
  return mul(scale, pow(power, number(1 / p)));
}

/** mean 2·ln cosh(d/2): d²/4 near 0, |d| − 2·ln 2 far away; the gradient is tanh(d/2). */
export function logitDistance(x: Tensor, target: Tensor): Tensor {
  return mean(logCoshHalf(difference(x, target)), PICTURE);
}

/**
 * mean of ½d² where |d| ≤ δ, δ·(|d| − ½δ) beyond (`torch.nn.HuberLoss`).
 *
 * @throws {RangeError} when δ is not positive.
 */
export function huberDistance(x: Tensor, target: Tensor, delta: number): Tensor {
  if (!(delta > 0)) throw new RangeError(`huberDistance: delta is ${delta}, it must be positive`);
  const size = abs(difference(x, target));
  const inner = minimum(size, number(delta));
  return mean(mul(inner, sub(size, affine(inner, 0.5))), PICTURE);
}

/**
 * The pinball loss of x as an estimate of t's q-quantile: mean of q·(t − x) where x is too low,
 * (1 − q)·(x − t) where it is too high. With q = ½ it is half of {@linkcode l1Distance}.
 *
 * @throws {RangeError} when q is not between 0 and 1.
 */
export function quantileDistance(x: Tensor, target: Tensor, q: number): Tensor {
  if (!(q > 0 && q < 1)) throw new RangeError(`quantileDistance: q is ${q}, not between 0 and 1`);
  const d = difference(x, target);
  return mean(add(affine(abs(d), 0.5), affine(d, 0.5 - q)), PICTURE);
}

/** mean ρ(d, α, c), see {@linkcode robustLoss}. */
export function robustDistance(x: Tensor, target: Tensor, alpha: Tensor, c: Tensor): Tensor {
  return mean(robustLoss(difference(x, target), alpha, c), PICTURE);
}

/** Every distance by name. */
export const DISTANCES: Readonly<Record<DistanceName, Distance>> = {
  l1: { formula: "mean |d|", parameters: {}, between: l1Distance },
  l2: { formula: "mean d²", parameters: {}, between: l2Distance },
  chebyshev: { formula: "max |d|", parameters: {}, between: chebyshevDistance },
  canberra: { formula: "mean |d|/(|x| + |t|)", parameters: {}, between: canberraDistance },
  minkowski: {
    formula: "(mean |d|ᵖ)^(1/p)",
    parameters: {
      p: { meaning: "how much large differences dominate", standard: 3, least: 1, most: 64 },
    },
    between: (x, target, { p }) => minkowskiDistance(x, target, p!),
  },
  logit: { formula: "mean 2·ln cosh(d/2)", parameters: {}, between: logitDistance },
  huber: {
    formula: "mean of ½d² where |d| ≤ delta, delta·(|d| − ½delta) beyond",
    parameters: {
      delta: { meaning: "where the square ends", standard: 1, least: 1e-6, most: 1e6 },
    },
    between: (x, target, { delta }) => huberDistance(x, target, delta!),
  },
  quantile: {
    formula: "mean of q·(t − x) where x < t, (1 − q)·(x − t) where x > t",
    parameters: {
      q: {
        meaning: "the quantile of the target to estimate",
        standard: 0.5,
        least: 1e-6,
        most: 1 - 1e-6,
      },
    },
    between: (x, target, { q }) => quantileDistance(x, target, q!),
  },
  robust: {
    formula: "mean of |α − 2|/α·(((d/c)²/|α − 2| + 1)^(α/2) − 1), Barron's general robust loss",
    parameters: {
      alpha: {
        meaning: "the shape: 2 squares, 1 Charbonnier, 0 Cauchy, -2 Geman-McClure, lower Welsch",
        standard: 1,
        least: -1e6,
        most: 16,
      },
      c: { meaning: "the scale: where the square ends", standard: 1, least: 1e-6, most: 1e6 },
    },
    between: (x, target, { alpha, c }) => robustDistance(x, target, number(alpha!), number(c!)),
  },
};

/**
 * The distance of that name between x and a target.
 *
 * @param parameters Values of {@linkcode DISTANCES}`[name].parameters`; the others are standard.
 * @returns [N,1,1,1]
 * @throws {RangeError} when there is no such distance or parameter, or a value is out of its range.
 */
export function distance(
  name: DistanceName,
  x: Tensor,
  target: Tensor,
  parameters: Readonly<Record<string, number>> = {},
): Tensor {
  if (!Object.hasOwn(DISTANCES, name)) {
    const names = Object.keys(DISTANCES).join(", ");
    throw new RangeError(`distance: there is no distance ${name}; there are ${names}`);
  }
  const entry = DISTANCES[name];
  const values: Record<string, number> = {};
  for (const [key, { standard }] of Object.entries(entry.parameters)) values[key] = standard;
  for (const [key, value] of Object.entries(parameters)) {
    if (!Object.hasOwn(entry.parameters, key)) {
      const known = Object.keys(entry.parameters).join(", ") || "none";
      throw new RangeError(`distance ${name}: there is no parameter ${key}; there are: ${known}`);
    }
    const { least, most } = entry.parameters[key]!;
    if (!(value >= least && value <= most)) {
      throw new RangeError(
        `distance ${name}: ${key} is ${value}, it must be from ${least} to ${most}`,
      );
    }
    values[key] = value;
  }
  return entry.between(x, target, values);
}
