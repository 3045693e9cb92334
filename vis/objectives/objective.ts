/**
 * Objectives: what pictures are grown for, as values that can be added and scaled.
 *
 * An objective is a weighted sum of *terms*. A term says what of the network it looks at, and makes of
 * it a loss for each of K pictures, and named metrics. What differs between the pictures is data: rows
 * of a constant, one for each picture, so K of them are one graph, whatever they are to show.
 */
import {
  add as plus,
  affine,
  clampMin,
  concat,
  constant,
  div,
  meanOfSquares,
  mul,
  notLess,
  type Shape,
  sqrt,
  type Tensor,
} from "../../ops/mod.ts";
import { UserError } from "../../base/errors.ts";
import type { Seen, Tap } from "../network.ts";
import type { Parameters } from "../parameters.ts";

/** What the host knows of an iteration when it begins. */
export interface Moment {
  /** Weight of the penalty layer's L1 norm. */
  readonly lambda: number;
  /** Whether it is the loop's first. */
  readonly first: boolean;
}

/** What a term is given besides what the network makes of the pictures. */
export interface TermContext {
  /** The pictures that are looked at, of all that there are. */
  readonly pictures: { readonly first: number; readonly count: number; readonly total: number };
  /** These pictures themselves, [count,3,S,S], pixel/255 − ½. */
  readonly picture: Tensor;
  /** The octave. */
  readonly parameters: Parameters;
  /**
   * The rows of the pictures looked at, [count, ...shape], of values with a row for each of all
   * pictures; where there is only one row it stands for all of them, [1, ...shape].
   */
  rows(values: Float32Array, shape: readonly [c: number, h: number, w: number]): Tensor;
  /**
   * Other pictures as the network sees these, through the same warp.
   *
   * @param pictures [n,3,S,S], pixel/255 − ½
   */
  see(pictures: Tensor): Seen;
  /** A number that the host sets before each iteration, [1,1,1,1]. */
  scheduled(name: string, at: (moment: Moment) => number): Tensor;
  /**
   * A tensor that is kept from iteration to iteration, zero at first: makes its new value from the old
   * one and returns it.
   */
  kept(name: string, shape: Shape, next: (before: Tensor) => Tensor): Tensor;
  /**
   * A tensor that descends along the loss as the pictures do, zero at first, shared by all pictures.
   *
   * @param gain what its gradient is multiplied by
   */
  learned(name: string, shape: Shape, gain: number): Tensor;
}

/** What a term makes of what it sees: a number for each picture, [K,1,1,1] each. */
export interface TermResult {
  /** To be minimised. */
  readonly loss: Tensor;
  /** What is written down, by the names in {@linkcode Term.metrics}. */
  readonly metrics: Readonly<Record<string, Tensor>>;
}

/** One wish, for one or more pictures. */
export interface Term {
  /** What kind of wish it is. */
  readonly kind: string;
  /**
   * What each picture is called, such as `channel 12`: one name for each picture it has its own wish
   * for. One name or none: the same for any number of pictures.
   */
  readonly names: readonly string[];
  /** What it looks at. */
  readonly needs: readonly Tap[];
  /** The names of what it writes down for each picture, in order. */
  readonly metrics: readonly string[];
  /** Adds it to the graph. */
  build(seen: Seen, context: TermContext): TermResult;
  /**
   * What each of B photos answers to each of the wishes, [B, names, 1, 1]: the photos that answer most
   * are shown beside the pictures, and pictures start from them.
   */
  answers?(seen: Seen): Tensor;
  /** Where the answers are means of channels: which, so that they need not be asked for again. */
  readonly answeringChannels?: { readonly module: string; readonly numbers: readonly number[] };
  /** The same for some of its pictures only, where it has names for several. */
  pick?(pictures: readonly number[]): Objective;
  /**
   * Whether its gradient is brought to the size of the others', at the loop's first step: its weight
   * then means the same for every network and layer. Alone it is left as it is.
   */
  readonly balanced?: boolean;
  /** Whether it compares pictures with each other, which must then be seen together. */
  readonly together?: boolean;
}

/** A sum of weighted terms. Made by the functions of this room, {@linkcode add} and {@linkcode scale}. */
export interface Objective {
  /** The terms. */
  readonly terms: readonly { readonly term: Term; readonly weight: number }[];
}

/** An objective of one term. */
export function objectiveOf(term: Term): Objective {
  return { terms: [{ term, weight: 1 }] };
}

/**
 * Several objectives at once, for the same pictures.
 *
 * @throws {UserError} when they are for different numbers of pictures.
 */
export function add(...objectives: readonly Objective[]): Objective {
  const sum = { terms: objectives.flatMap(({ terms }) => terms) };
  namesOf(sum);
  return sum;
}

/** An objective that counts `weight` times. */
export function scale(objective: Objective, weight: number): Objective {
  return { terms: objective.terms.map((each) => ({ ...each, weight: each.weight * weight })) };
}

/**
 * What the pictures of an objective are called; two that would be called the same are numbered.
 *
 * @throws {UserError} when its terms are for different numbers of pictures, or it has none.
 */
export function namesOf({ terms }: Objective): string[] {
  if (terms.length === 0) throw new UserError("an objective of no terms wishes for nothing");
  const several = terms.filter(({ term }) => term.names.length > 1);
  const counts = new Set(several.map(({ term }) => term.names.length));
  if (counts.size > 1) {
    const each = several.map(({ term }) => `${term.names.length} of ${term.kind}`).join(", ");
    throw new UserError(`an objective is for one number of pictures, got ${each}`);
  }
  const named = several[0] ?? terms.find(({ term }) => term.names.length === 1) ?? terms[0]!;
  const { names, kind } = named.term;
  const plain = names.length > 0 ? names : [kind];
  return plain.map((name, i) => {
    const same = plain.filter((other) => other === name).length;
    if (same === 1) return name;
    return `${name}, ${plain.slice(0, i + 1).filter((other) => other === name).length} of ${same}`;
  });
}

/**
 * An objective for some of its pictures only.
 *
 * @param pictures their numbers, from 0
 * @throws {UserError} when a term cannot be had for some only.
 */
export function pick({ terms }: Objective, pictures: readonly number[]): Objective {
  return add(...terms.map(({ term, weight }) => {
    if (term.names.length < 2) return { terms: [{ term, weight }] };
    if (term.pick) return scale(term.pick(pictures), weight);
    throw new UserError(`${term.kind}: its pictures belong together and cannot be had one by one`);
  }));
}

/** Whether photos can be asked what they answer to each of an objective's wishes. */
export function canAnswer(objective: Objective): boolean {
  const { length } = namesOf(objective);
  return objective.terms.some(({ term }) => term.answers && term.names.length === length);
}

/** What each of B photos answers to each wish, [B,K,1,1]; nothing where no term can tell. */
export function answersOf(objective: Objective, seen: Seen): Tensor | undefined {
  return answering(objective)?.answers?.(seen);
}

/** The channels whose means {@linkcode answersOf} gives, where it gives nothing else. */
export function answeringChannels(objective: Objective): Term["answeringChannels"] {
  return answering(objective)?.answeringChannels;
}

/** The term that is asked: the first with answers for most wishes. */
function answering({ terms }: Objective): Term | undefined {
  const most = Math.max(...terms.map(({ term }) => term.answers ? term.names.length : 0));
  return terms.find(({ term }) => term.answers && term.names.length === most)?.term;
}

/** What of a network an objective looks at. */
export function needsOf({ terms }: Objective): Tap[] {
  return terms.flatMap(({ term }) => term.needs);
}

/** The names of an objective's metrics in order: its loss, then what its terms write down. */
export function metricsOf({ terms }: Objective): string[] {
  const names = ["loss"];
  for (const { term } of terms) {
    for (const name of term.metrics) {
      let unique = name;
      for (let i = 2; names.includes(unique); i++) unique = `${name}_${i}`;
      names.push(unique);
    }
  }
  return names;
}

/** One picture's metrics by name: `loss`, then those of the objective's terms. */
export type Metrics = Readonly<Record<string, number>> & { readonly loss: number };

/** Rows of metrics as records. */
export function readMetrics(names: readonly string[], values: Float32Array): Metrics[] {
  return Array.from(
    { length: values.length / names.length },
    (_, i) =>
      Object.fromEntries(
        names.map((name, j) => [name, values[i * names.length + j]!]),
      ) as Metrics,
  );
}

/** Whether some terms of an objective are balanced against others. */
export function isBalanced({ terms }: Objective): boolean {
  return terms.some(({ term }) => term.balanced) && terms.some(({ term }) => !term.balanced);
}

/** Whether an objective's pictures must be seen together. */
export function isTogether({ terms }: Objective): boolean {
  return terms.some(({ term }) => term.together);
}

/** An objective in a graph. */
export interface Built {
  /** [K,1,1,1] */
  readonly loss: Tensor;
  /** [K, metrics, 1, 1], in the order of {@linkcode metricsOf}. */
  readonly metrics: Tensor;
  /** The loss of the terms that are not balanced, and of those that are, with their factors. */
  readonly parts: { readonly plain: Tensor; readonly balanced: readonly Tensor[] };
}

/** A sum of at least one. */
function total(parts: readonly Tensor[]): Tensor {
  return parts.reduce((a, b) => plus(a, b));
}

/** x itself where it counts once. */
function times(x: Tensor, weight: number): Tensor {
  return weight === 1 ? x : affine(x, weight);
}

/**
 * Adds an objective to a graph.
 *
 * @param contextOf what each term is given
 * @param factors of the balanced terms, [K,1,1,1] each: see {@linkcode balance}; without them these
 * terms count as the others do
 */
export function buildObjective(
  { terms }: Objective,
  seen: Seen,
  contextOf: (term: number) => TermContext,
  factors: readonly Tensor[] = [],
): Built {
  const plain: Tensor[] = [];
  const raw: Tensor[] = [];
  const balanced: Tensor[] = [];
  const columns: Tensor[] = [];
  const { count } = contextOf(0).pictures;
  terms.forEach(({ term, weight }, i) => {
    const { loss, metrics } = term.build(seen, contextOf(i));
    if (term.balanced && factors.length > 0) {
      const factor = factors[raw.length]!;
      raw.push(loss);
      balanced.push(times(mul(loss, factor), weight));
    } else plain.push(times(loss, weight));
    columns.push(...term.metrics.map((name) => spread(metrics[name]!, count)));
  });
  const loss = total([...plain, ...balanced]);
  return {
    loss,
    metrics: concat([loss, ...columns]),
    parts: { plain: total(plain), balanced: raw },
  };
}

/** A number for all pictures as one for each. */
function spread(x: Tensor, count: number): Tensor {
  if (x.shape[0] === count) return x;
  return plus(x, constant([count, 1, 1, 1], () => new Float32Array(count)));
}

/** A gradient this much smaller than the others' says nothing yet: like a photo that is the picture. */
const SILENT = 1e-6;

/**
 * The factor that brings a term's gradient to the size of the others', once for all: the first ratio
 * of their RMS at which the term has a gradient to speak of.
 *
 * @param before the factor so far, [K,1,1,1]; 0 where there is none yet
 * @param others gradient of the other terms for the pictures
 * @param own gradient of the term
 */
export function balance(before: Tensor, others: Tensor, own: Tensor): Tensor {
  const rms = (x: Tensor) => sqrt(affine(meanOfSquares(x, [1, 2, 3]), 1, 1e-30));
  const [theirs, its] = [rms(others), rms(own)];
  const ratio = div(theirs, clampMin(its, 1e-20));
  const speaks = notLess(its, affine(theirs, SILENT));
  const missing = affine(notLess(before, affine(before, 0, 1e-30)), -1, 1);
  return plus(before, mul(mul(ratio, speaks), missing));
}
