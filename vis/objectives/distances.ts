/** The distances of the objective: of a picture's pooled activations from its target map. */
import {
  abs,
  adaptiveRobustLoss,
  add,
  affine,
  distance,
  type DistanceName,
  div,
  expand,
  logitDistance,
  mean,
  mul,
  sub,
  sumOfSquares,
  type Tensor,
} from "../../ops/mod.ts";
import type { Parameters } from "../parameters.ts";

/** What the adaptive distance learns, [1,C,1,1] each: see `adaptiveRobustLoss`. */
export interface Latents {
  /** Of the shape α. */
  readonly alpha: Tensor;
  /** Of the scale c. */
  readonly scale: Tensor;
}

/** Over a picture. */
const PICTURE = [1, 2, 3] as const;

/** What `vis.py` computes under these names. */
const VIS_PY: Partial<Record<DistanceName, (x: Tensor, t: Tensor, p: Parameters) => Tensor>> = {
  /** The root of each square, and no sum before it: |d|. */
  l2: (x, t) => mean(abs(sub(x, t)), PICTURE),
  /** No sum between the power and the root, which cancel: |d|. */
  minkowski: (x, t) => mean(abs(sub(x, t)), PICTURE),
  /** No parentheses: |d|/|x| + |t|. At x = 0, where that is infinite, |x| counts as 1e-6. */
  canberra: (x, t) => {
    const size = affine(abs(x), 1, 1e-6);
    return mean(add(div(abs(sub(x, t)), size), expand(abs(t), x.shape)), PICTURE);
  },
  /** Largest where x is t: minimising it drives them apart. */
  logit: (x, t) => affine(logitDistance(x, t), -1),
  /** The branch for x > t is never taken: q·|d|. */
  quantile: (x, t, p) => affine(mean(abs(sub(x, t)), PICTURE), p.distanceQ),
};

/** The numbers of a distance that has some. */
function numbersOf(p: Parameters): Partial<Record<DistanceName, Record<string, number>>> {
  return {
    minkowski: { p: p.distanceP },
    huber: { delta: p.distanceDelta },
    quantile: { q: p.distanceQ },
    robust: { alpha: p.distanceAlpha, c: p.distanceC },
  };
}

/**
 * The distance term of each picture, [K,1,1,1].
 *
 * @param x pooled activations, [K,C,1,1]
 * @param t target maps, [K,C,1,1]
 * @param energy 1/Σt² of each picture, [K,1,1,1]
 * @param latents for distance `adaptive` only
 */
export function distanceTerm(
  x: Tensor,
  t: Tensor,
  energy: Tensor,
  latents: Latents | undefined,
  p: Parameters,
): Tensor {
  switch (p.distance) {
    case "relative":
      return mul(sumOfSquares(sub(x, t), PICTURE), energy);
    case "charbonnier":
      return distance("robust", x, t, { alpha: 1, c: 1 }); // mean √(d² + 1) − 1
    case "adaptive":
      return mean(adaptiveRobustLoss(sub(x, t), latents!.alpha, latents!.scale), PICTURE);
    default: {
      const deviant = p.distanceFormulas === "vis_py" ? VIS_PY[p.distance] : undefined;
      return deviant?.(x, t, p) ?? distance(p.distance, x, t, numbersOf(p)[p.distance] ?? {});
    }
  }
}
