/** Where facets are looked for: the plane, or the space, in which images are grouped. */

import { finish, type Steps } from "./steps.ts";
import { tsneSteps } from "./tsne.ts";

/**
 * The embeddings and what each is.
 *
 * `tsne` is the paper's. `none` groups the principal components themselves; whatever is drawn then
 * shows their first two.
 */
export const EMBEDDINGS = {
  tsne: "t-SNE of the principal components, in the plane",
  umap: "UMAP of the principal components, in the plane",
  pca: "the first two principal components",
  none: "all principal components, without a plane",
} as const;

/** The name of an embedding. */
export type Embedding = keyof typeof EMBEDDINGS;

/** How to embed. */
export interface EmbeddingOptions {
  /** `tsne` by default. */
  embedding?: Embedding | undefined;
  /**
   * About how many neighbours count: t-SNE's perplexity (30 by default, at most (n - 1) / 3), or
   * UMAP's number of neighbours (15 by default, at most n - 1).
   */
  perplexity?: number | undefined;
  /** Most iterations: of t-SNE (1000 by default) or UMAP (200 to 500 by the number of points). */
  iterations?: number | undefined;
}

/** Lays [n, dimensions] points out in a plane, [n, 2]. */
export type Arrange = (
  points: Float64Array,
  how: {
    n: number;
    dimensions: number;
    perplexity: number | undefined;
    iterations: number | undefined;
    seed: number;
  },
) => Steps<Float64Array>;

/** What arranges points for an embedding. UMAP's library is large and is loaded when it is asked for. */
export async function arrangerOf(embedding: Embedding | undefined): Promise<Arrange> {
  if (embedding !== "umap") return tsneSteps;
  const { umapSteps } = await import("./umap.ts");
  return (points, { perplexity, ...how }) => umapSteps(points, { ...how, neighbours: perplexity });
}

/** Points in the space where they are grouped. */
export interface Embedded {
  /** [n, dimensions] */
  points: Float64Array;
  /** 2, but for `none`. */
  dimensions: number;
}

/**
 * Most points that t-SNE and UMAP arrange: all pairs of 4000 take t-SNE half a minute. In a larger
 * folder, as many are drawn evenly, and each of the others goes where its nearest ones are.
 */
const MOST_ARRANGED = 4000;

/** Nearest arranged points that decide where another goes. */
const GUIDES = 5;

/** What `embed` needs to know. */
export interface EmbedOptions extends EmbeddingOptions {
  /** Number of points. */
  n: number;
  /** Numbers per point. */
  components: number;
  /** Seeds the embedding. */
  seed: number;
  /** {@linkcode arrangerOf} the embedding. */
  arrange: Arrange;
  /** Most points that are arranged. */
  most?: number;
}

/**
 * Principal components to the space in which facets are looked for.
 *
 * @param scores [n, components], most important first.
 */
export function embed(scores: Float64Array, options: EmbedOptions): Embedded {
  return finish(embedSteps(scores, options));
}

/** {@linkcode embed} in steps. */
export function* embedSteps(
  scores: Float64Array,
  { n, components, seed, embedding, perplexity, iterations, arrange, most = MOST_ARRANGED }:
    EmbedOptions,
): Steps<Embedded> {
  if (embedding === "none" && components > 0) return { points: scores, dimensions: components };
  if (embedding === "pca" || embedding === "none") {
    const points = Float64Array.from(
      { length: 2 * n },
      (_, j) => j % 2 < components ? scores[(j >> 1) * components + j % 2]! : 0,
    );
    return { points, dimensions: 2 };
  }
  const arranged = (some: Float64Array, count: number) =>
    arrange(some, { n: count, dimensions: components, perplexity, iterations, seed });
  if (n <= most) return { points: yield* arranged(scores, n), dimensions: 2 };
  const some = evenly(n, most);
  const known = pickRows(scores, components, some);
  const plane = yield* arranged(known, some.length);
  return { points: placeRest(scores, components, some, known, plane), dimensions: 2 };
}

/** `most` of the numbers 0..n-1 at even steps, or all if there are fewer. */
export function evenly(n: number, most: number): number[] {
  const count = Math.min(n, most);
  return Array.from({ length: count }, (_, i) => Math.floor(i * n / count));
}

/** Some rows of [n, columns] numbers. */
export function pickRows(
  values: Float64Array,
  columns: number,
  rows: readonly number[],
): Float64Array {
  const picked = new Float64Array(rows.length * columns);
  rows.forEach((row, i) =>
    picked.set(values.subarray(row * columns, (row + 1) * columns), i * columns)
  );
  return picked;
}

/** Puts each point that was not arranged where its nearest ones are. */
function placeRest(
  scores: Float64Array,
  components: number,
  arranged: readonly number[],
  known: Float64Array,
  plane: Float64Array,
): Float64Array {
  const n = scores.length / components;
  const points = new Float64Array(2 * n);
  const done = new Uint8Array(n);
  arranged.forEach((row, i) => {
    points.set(plane.subarray(2 * i, 2 * i + 2), 2 * row);
    done[row] = 1;
  });
  const place = guided(known, components, plane);
  for (let i = 0; i < n; i++) if (!done[i]) points.set(place(scores, i), 2 * i);
  return points;
}

/**
 * Says where in the plane a point goes that was not arranged: the mean of its nearest ones, weighted by
 * 1 / distance.
 *
 * @param known [k, components] points that were arranged
 * @param plane [k, 2] where they are
 */
function guided(known: Float64Array, components: number, plane: Float64Array): Placer {
  return (scores, i) => {
    const point = [0, 0] as [number, number];
    const nearest: { distance: number; at: number }[] = [];
    for (let j = 0; j < known.length / components; j++) {
      let square = 0;
      for (let d = 0; d < components; d++) {
        square += (scores[i * components + d]! - known[j * components + d]!) ** 2;
      }
      if (nearest.length === GUIDES && square >= nearest.at(-1)!.distance) continue;
      nearest.push({ distance: square, at: j });
      nearest.sort((a, b) => a.distance - b.distance);
      nearest.length = Math.min(nearest.length, GUIDES);
    }
    let total = 0;
    for (const { distance, at } of nearest) {
      const weight = 1 / (Math.sqrt(distance) + 1e-12);
      total += weight;
      for (const axis of [0, 1] as const) point[axis] += weight * plane[2 * at + axis]!;
    }
    return point.map((value) => value / total);
  };
}

/** Where row i of scores, [n, components], goes among points that are embedded. */
export type Placer = (scores: Float64Array, i: number) => readonly number[];

/**
 * Places other points among those that {@linkcode embed} embedded.
 *
 * @param known [k, components] the scores of these
 */
export function placer(
  known: Float64Array,
  components: number,
  { points, dimensions }: Embedded,
  embedding: Embedding = "tsne",
): Placer {
  if (embedding === "tsne" || embedding === "umap") return guided(known, components, points);
  return (scores, i) =>
    Array.from({ length: dimensions }, (_, d) => d < components ? scores[i * components + d]! : 0);
}
