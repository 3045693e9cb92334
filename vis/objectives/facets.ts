/** The dual objective of the method: activation maximisation and distance minimisation, and L1. */
import {
  abs,
  add,
  affine,
  clampMin,
  constant,
  detach,
  div,
  mean,
  mix,
  mul,
  sizeOf,
  sqrt,
  sub,
  sum,
  type Tensor,
} from "../../ops/mod.ts";
import { distanceTerm } from "./distances.ts";
import { type Objective, objectiveOf, type TermContext, type TermResult } from "./objective.ts";

/** What each of K pictures should come to excite, in a layer of C channels. */
export interface Goals {
  /** Target maps, [K,C]. */
  readonly targets: Float32Array;
  /** Each facet's own channels. */
  readonly channels: readonly ArrayLike<number>[];
  /** Mean pooled activations of the whole folder, [C]. */
  readonly mean: Float32Array;
}

/** What facets write down for every picture, in this order. */
export const FACET_METRICS = [
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

/** What is written down for a facet's picture. */
export type FacetMetrics = Readonly<Record<"loss" | typeof FACET_METRICS[number], number>>;

/** Where facets were found, and the layer whose input is penalised: full names of modules. */
export interface FacetLayers {
  /** The target layer. */
  readonly target: string;
  /** The penalty layer. */
  readonly penalty: string;
}

/**
 * What the method wants of a picture for each facet: to excite the channels that the facet's photos
 * excite, and to be near to them in all channels. The octave's parameters say how both are measured
 * and weighed.
 */
export function facets({ target, penalty }: FacetLayers, goals: Goals): Objective {
  const out = { module: target, of: "pool" } as const;
  const penalised = { module: penalty, of: "input" } as const;
  return objectiveOf({
    kind: "facets",
    names: goals.channels.map((_, i) => `facet ${i + 1}`),
    needs: [out, penalised],
    metrics: FACET_METRICS,
    build(seen, context) {
      const pooled = seen.get(out);
      return build(pooled, seen.get(penalised), goals, context);
    },
  });
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
 * @param out pooled activations of the target layer, [K,C,1,1]
 * @param penalty input of the penalty layer
 */
function build(out: Tensor, penalty: Tensor, goals: Goals, context: TermContext): TermResult {
  const { parameters } = context;
  const [seen, c] = out.shape;
  const k = goals.channels.length;
  const perFacet = (values: Float32Array, columns: number) => context.rows(values, [columns, 1, 1]);
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

  // Distance minimisation. It is a mean over channels, and the loss a sum over pictures; each channel
  // of what distance `adaptive` learns is to learn from its own mean over pictures.
  const learned = (name: string) => context.learned(name, [1, c, 1, 1], c / k);
  const latents = parameters.distance === "adaptive"
    ? { alpha: learned("alpha"), scale: learned("scale") }
    : undefined;
  const targetEnergy = perFacet(energy(targets), 1);
  const distance = distanceTerm(out, t, targetEnergy, latents, parameters);

  // L1 at the penalty layer.
  const elements = sizeOf(penalty.shape) / seen;
  const l1Sum = sum(abs(penalty), [1, 2, 3]);
  const l1Mean = affine(l1Sum, 1 / elements);
  const first = context.scheduled("first", (moment) => moment.first ? 1 : 0);
  const l1Start = context.kept(
    "l1_start",
    [seen, 1, 1, 1],
    (before) => mix(before, affine(detach(l1Mean), 1, 1e-20), first),
  );
  const l1 = parameters.lambdaScale === "start" ? div(l1Mean, detach(l1Start)) : l1Sum;

  // In a K × K matrix that is summed in the end, the batch's L1 counts K² times; so does the
  // distance, which is a mean over the batch.
  const matrix = parameters.termSums === "matrix";
  const loss = add(
    add(
      affine(driven, -parameters.activationWeight),
      affine(distance, parameters.distanceWeight * (matrix ? k : 1)),
    ),
    mul(matrix ? affine(l1, k * k) : l1, context.scheduled("lambda", ({ lambda }) => lambda)),
  );

  const distances = abs(sub(out, t));
  const others = Math.max(1, Math.round(c - count));
  const metrics: Record<typeof FACET_METRICS[number], Tensor> = {
    dot: ownDot,
    own: scaledDot,
    cosine,
    distance: mean(distances, [1]),
    other_distance: affine(sub(sum(distances, [1]), dot(distances, ownMask)), 1 / others),
    distance_term: distance,
    l1: l1Sum,
    own_mean: affine(dot(out, ownMask), 1 / count),
  };
  return { loss, metrics };
}
