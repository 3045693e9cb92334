/** The dual objective: activation maximisation and distance minimisation at the target layer. */
import {
  abs,
  add,
  affine,
  clampMin,
  concat,
  constant,
  detach,
  div,
  mean,
  mix,
  mul,
  type Shape,
  sizeOf,
  sqrt,
  sub,
  sum,
  type Tensor,
} from "../../ops/mod.ts";
import { distanceTerm, type Latents } from "./distances.ts";
import type { Parameters } from "../parameters.ts";
import type { Observed } from "../trunk.ts";

/** What each of K pictures should come to excite, in a layer of C channels. */
export interface Goals {
  /** Target maps, [K,C]. */
  readonly targets: Float32Array;
  /** Each facet's own channels. */
  readonly channels: readonly ArrayLike<number>[];
  /** Mean pooled activations of the whole folder, [C]. */
  readonly mean: Float32Array;
}

/** What is written down for every picture and iteration, in this order. */
export const METRICS = [
  /** The loss. */
  "loss",
  /** Σ out·t over the own channels. */
  "dot",
  /** The same divided by Σ t²: the own channels' activation over the photos'. */
  "own",
  /** Cosine between out and t, both centred on the folder's mean. */
  "cosine",
  /** Mean |out − t| over all channels. */
  "distance",
  /** Mean |out − t| over the channels that are not the facet's own. */
  "other_distance",
  /** The distance term before its weight. */
  "distance_term",
  /** Σ|p| at the penalty layer's input. */
  "l1",
  /** Mean of out over the own channels. */
  "own_mean",
] as const;

/** One picture's metrics. */
export type Metrics = Record<typeof METRICS[number], number>;

/** The loss and what goes with it, as tensors. */
export interface Objective {
  /** [K,1,1,1] */
  readonly loss: Tensor;
  /** [K, METRICS.length, 1, 1] */
  readonly metrics: Tensor;
  /** Mean |p| that the next iterations divide by, [K,1,1,1]. */
  readonly l1Start: Tensor;
}

/** Numbers that change from iteration to iteration. */
export interface ObjectiveInputs {
  /** Weight of the L1 penalty, [1,1,1,1]. */
  readonly lambda: Tensor;
  /** Mean |p| of the first iteration, [K,1,1,1]. */
  readonly l1Start: Tensor;
  /** 1 in the first iteration, then 0, [1,1,1,1]. */
  readonly first: Tensor;
  /** What distance `adaptive` learns. */
  readonly latents?: Latents | undefined;
}

/** Σ a·b over the channels. */
function dot(a: Tensor, b: Tensor): Tensor {
  return sum(mul(a, b), [1]);
}

/**
 * Builds the loss: section 3.4 of the method, or the recipe's normalised form of it. It is a sum over
 * pictures of what each of them gives by itself, so that some of them can be looked at alone; where
 * `vis.py` couples pictures (`term_sums` "matrix", `channel_sets` "all"), it does so by their number
 * and their goals only.
 *
 * @param goals those of all K pictures
 * @param first which of them is the first one observed
 */
export function buildObjective(
  observed: Observed,
  goals: Goals,
  inputs: ObjectiveInputs,
  parameters: Parameters,
  first = 0,
): Objective {
  const { pooled: out, penalty } = observed;
  const [seen, c] = out.shape;
  const k = goals.channels.length;
  /** The rows of the pictures seen. */
  const perFacet = (values: Float32Array, columns: number): Tensor =>
    constant(
      [seen, columns, 1, 1],
      () => values.slice(first * columns, (first + seen) * columns),
    );
  const own = new Float32Array(k * c);
  // How many facets want a channel driven in a picture.
  const wanted = new Float32Array(k * c);
  goals.channels.forEach((channels, i) => {
    for (const channel of Array.from(channels)) {
      own[i * c + channel] = 1;
      for (let j = 0; j < k; j++) {
        if (j === i || parameters.channelSets === "all") wanted[j * c + channel]! += 1;
      }
    }
  });
  const count = own.reduce((a, b) => a + b, 0) / k;
  const { targets } = goals;
  const ownTargets = targets.map((t, i) => t * own[i]!);
  const energy = (values: Float32Array) =>
    Float32Array.from({ length: k }, (_, i) => {
      let total = 0;
      for (let j = i * c; j < (i + 1) * c; j++) total += values[j]! ** 2;
      // A facet that excites nothing has nothing to be divided by.
      return 1 / Math.max(total, 1e-20);
    });
  const t = perFacet(targets, c);
  const ownMask = perFacet(own, c);

  // Activation maximisation.
  const ownEnergy = perFacet(energy(ownTargets), 1);
  const ownDot = dot(out, perFacet(ownTargets, c));
  const scaledDot = mul(ownDot, ownEnergy);
  const rawDot = parameters.channelSets === "own"
    ? ownDot
    : dot(out, perFacet(targets.map((value, i) => value * wanted[i]!), c));
  const centred = sub(out, constant([1, c, 1, 1], () => goals.mean));
  const centredT = perFacet(targets.map((value, i) => value - goals.mean[i % c]!), c);
  const length = (x: Tensor) => clampMin(sqrt(affine(dot(x, x), 1, 1e-30)), 1e-8);
  const cosine = div(dot(centred, centredT), mul(length(centred), length(centredT)));
  const activation = parameters.activationScale === "target" ? mul(rawDot, ownEnergy) : rawDot;
  const driven = parameters.activationCosine ? mul(activation, clampMin(cosine, 0.1)) : activation;

  // Distance minimisation.
  const targetEnergy = perFacet(energy(targets), 1);
  const distance = distanceTerm(out, t, targetEnergy, inputs.latents, parameters);

  // L1 at the penalty layer.
  const elements = sizeOf(penalty.shape) / seen;
  const l1Sum = sum(abs(penalty), [1, 2, 3]);
  const l1Mean = affine(l1Sum, 1 / elements);
  const l1Start = mix(inputs.l1Start, affine(detach(l1Mean), 1, 1e-20), inputs.first);
  const l1 = parameters.lambdaScale === "start" ? div(l1Mean, detach(l1Start)) : l1Sum;

  // In a K × K matrix that is summed in the end, the batch's L1 counts K² times; so does the
  // distance, which is a mean over the batch.
  const matrix = parameters.termSums === "matrix";
  const loss = add(
    add(
      affine(driven, -parameters.activationWeight),
      affine(distance, parameters.distanceWeight * (matrix ? k : 1)),
    ),
    mul(matrix ? affine(l1, k * k) : l1, inputs.lambda),
  );

  const distances = abs(sub(out, t));
  const others = Math.max(1, Math.round(c - count));
  const columns: Record<typeof METRICS[number], Tensor> = {
    loss,
    dot: ownDot,
    own: scaledDot,
    cosine,
    distance: mean(distances, [1]),
    other_distance: affine(sub(sum(distances, [1]), dot(distances, ownMask)), 1 / others),
    distance_term: distance,
    l1: l1Sum,
    own_mean: affine(dot(out, ownMask), 1 / count),
  };
  return { loss, metrics: concat(METRICS.map((name) => columns[name])), l1Start };
}

/** The shape of the metrics of K pictures. */
export function metricsShape(k: number): Shape {
  return [k, METRICS.length, 1, 1];
}

/** Rows of {@linkcode Objective.metrics} as records. */
export function readMetrics(values: Float32Array): Metrics[] {
  return Array.from(
    { length: values.length / METRICS.length },
    (_, i) =>
      Object.fromEntries(
        METRICS.map((name, j) => [name, values[i * METRICS.length + j]!]),
      ) as Metrics,
  );
}
