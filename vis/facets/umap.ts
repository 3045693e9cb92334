/** UMAP, from the library `umap-js`, seeded. */

import { UMAP } from "umap-js";
import { Random } from "../../base/random.ts";
import { finish, type Steps } from "./steps.ts";

/** What `umap` needs to know. */
export interface UmapOptions {
  /** Number of points. */
  n: number;
  /** Numbers per point. */
  dimensions: number;
  /** Neighbours that a point is tied to, at most n - 1; 15 by default. */
  neighbours?: number | undefined;
  /** Iterations; by default the library chooses by the number of points (200 to 500). */
  iterations?: number | undefined;
  /** The same seed gives the same plane. */
  seed: number;
}

/** Iterations after which it is said how far it is. */
const TELL_EVERY = 20;

/** Fewer points than this have no neighbourhoods to speak of. */
const FEWEST = 4;

/**
 * Lays points out in a plane by UMAP. With fewer than four points, and with points that are all
 * equal, there is nothing to arrange: the first two dimensions come back.
 *
 * Source: McInnes, Healy and Melville, "UMAP: uniform manifold approximation and projection" (2018).
 *
 * @param points [n, dimensions], finite.
 * @returns [n, 2], centred.
 */
export function umap(points: Float64Array, options: UmapOptions): Float64Array {
  return finish(umapSteps(points, options));
}

/** {@linkcode umap} in steps. */
export function* umapSteps(
  points: Float64Array,
  { n, dimensions, neighbours = 15, iterations, seed }: UmapOptions,
): Steps<Float64Array> {
  const rows = Array.from(
    { length: n },
    (_, i) => Array.from(points.subarray(i * dimensions, (i + 1) * dimensions)),
  );
  const equal = rows.every((row) => row.every((value, d) => value === rows[0]![d]));
  const plane = n < FEWEST || equal ? rows : yield* arranged(
    new UMAP({
      nComponents: 2,
      nNeighbors: Math.min(neighbours, n - 1),
      ...(iterations === undefined ? {} : { nEpochs: iterations }),
      random: generator(seed),
    }),
    rows,
  );
  const means = [0, 1].map((axis) => plane.reduce((sum, row) => sum + (row[axis] ?? 0) / n, 0));
  return Float64Array.from(
    { length: 2 * n },
    (_, j) => (plane[j >> 1]![j % 2] ?? 0) - means[j % 2]!,
  );
}

/** What the library's `fit` does, in steps. */
function* arranged(map: UMAP, rows: number[][]): Steps<number[][]> {
  const total = map.initializeFit(rows);
  for (let done = 0; done < total; done++) {
    if (done % TELL_EVERY === 0) yield { stage: "embedding", done, total };
    map.step();
  }
  yield { stage: "embedding", done: total, total };
  return map.getEmbedding();
}

function generator(seed: number): () => number {
  const random = new Random(seed);
  return () => random.uniform();
}
