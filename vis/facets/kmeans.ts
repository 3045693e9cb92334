/** k-means clustering. */

import { Random } from "../../base/random.ts";

/** Groups found by `kmeans`, largest first. */
export interface Clusters {
  /** [n] group of each point, 0..clusters-1. */
  labels: Int32Array;
  /** [clusters, dimensions] mean of each group. */
  centres: Float64Array;
  /** [clusters] number of points in each group. */
  sizes: Int32Array;
  /** Sum over the points of the squared distance to their centre. */
  inertia: number;
}

/** What `kmeans` needs to know. */
export interface KmeansOptions {
  /** Number of points. */
  n: number;
  /** Numbers per point. */
  dimensions: number;
  /** Groups wanted. */
  clusters: number;
  /** The same seed gives the same groups. */
  seed: number;
  /** Independent starts, of which the one with the least inertia is kept; 10 by default. */
  restarts?: number;
  /** Most rounds of one start; 300 by default. */
  iterations?: number;
}

/**
 * Lloyd's k-means from k-means++ starts. Groups are numbered by size, largest first, equal sizes by
 * their centre's coordinates, so that the numbers do not depend on the start. No group is empty when
 * there are at least `clusters` different points.
 *
 * Source: Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
 *
 * @param points [n, dimensions], finite.
 * @throws {RangeError} when there are fewer points than clusters.
 */
export function kmeans(
  points: ArrayLike<number>,
  { n, dimensions, clusters, seed, restarts = 10, iterations = 300 }: KmeansOptions,
): Clusters {
  if (clusters < 1 || n < clusters) {
    throw new RangeError(`kmeans: ${n} points cannot make ${clusters} clusters`);
  }
  if (points.length !== n * dimensions) {
    throw new RangeError(`kmeans: ${n}x${dimensions} points expected, got ${points.length} values`);
  }
  const random = new Random(seed);
  const problem: Problem = { points, n, dimensions, clusters };
  let best: Clusters | undefined;
  for (let start = 0; start < restarts; start++) {
    const found = improve(problem, spreadOut(problem, random), iterations);
    if (!best || found.inertia < best.inertia) best = found;
  }
  return inOrder(problem, best!);
}

interface Problem {
  points: ArrayLike<number>;
  n: number;
  dimensions: number;
  clusters: number;
}

function squaredDistance(
  { points, dimensions }: Problem,
  point: number,
  centres: Float64Array,
  centre: number,
): number {
  let sum = 0;
  for (let d = 0; d < dimensions; d++) {
    sum += (points[point * dimensions + d]! - centres[centre * dimensions + d]!) ** 2;
  }
  return sum;
}

function putCentreOnPoint(
  { points, dimensions }: Problem,
  centres: Float64Array,
  centre: number,
  point: number,
): void {
  for (let d = 0; d < dimensions; d++) {
    centres[centre * dimensions + d] = points[point * dimensions + d]!;
  }
}

/** k-means++: each next centre is a point drawn with probability ~ its squared distance to the rest. */
function spreadOut(problem: Problem, random: Random): Float64Array {
  const { n, dimensions, clusters } = problem;
  const centres = new Float64Array(clusters * dimensions);
  const nearest = new Float64Array(n).fill(Infinity);
  let chosen = random.integer(n);
  for (let centre = 0; centre < clusters; centre++) {
    putCentreOnPoint(problem, centres, centre, chosen);
    let total = 0;
    for (let i = 0; i < n; i++) {
      nearest[i] = Math.min(nearest[i]!, squaredDistance(problem, i, centres, centre));
      total += nearest[i]!;
    }
    let left = random.uniform(0, total);
    // Rounding may leave a rest, and all may be 0 (points equal): then the last point stands.
    chosen = nearest.findIndex((distance) => (left -= distance) < 0);
    if (chosen < 0) chosen = n - 1;
  }
  return centres;
}

/** Lloyd's rounds: assign each point to its nearest centre, move centres to their means. */
function improve(problem: Problem, centres: Float64Array, iterations: number): Clusters {
  const { points, n, dimensions, clusters } = problem;
  const labels = new Int32Array(n).fill(-1);
  const distances = new Float64Array(n);
  const sizes = new Int32Array(clusters);
  for (let round = 0; round < iterations; round++) {
    let moved = false;
    for (let i = 0; i < n; i++) {
      let label = 0;
      distances[i] = Infinity;
      for (let k = 0; k < clusters; k++) {
        const distance = squaredDistance(problem, i, centres, k);
        if (distance < distances[i]!) {
          distances[i] = distance;
          label = k;
        }
      }
      if (labels[i] !== label) moved = true;
      labels[i] = label;
    }
    sizes.fill(0);
    for (const label of labels) sizes[label]!++;
    // An emptied group takes over the point that is worst off where it is.
    for (let k = 0; k < clusters; k++) {
      if (sizes[k]! > 0) continue;
      const farthest = indexOfLargest(distances);
      if (distances[farthest] === 0) continue;
      sizes[labels[farthest]!]!--;
      sizes[k] = 1;
      labels[farthest] = k;
      distances[farthest] = 0;
      moved = true;
    }
    if (!moved) break;
    for (let k = 0; k < clusters; k++) {
      if (sizes[k]! > 0) centres.fill(0, k * dimensions, (k + 1) * dimensions);
    }
    for (let i = 0; i < n; i++) {
      const label = labels[i]!;
      for (let d = 0; d < dimensions; d++) {
        centres[label * dimensions + d]! += points[i * dimensions + d]! / sizes[label]!;
      }
    }
  }
  let inertia = 0;
  for (let i = 0; i < n; i++) inertia += squaredDistance(problem, i, centres, labels[i]!);
  return { labels, centres, sizes, inertia };
}

function indexOfLargest(values: Float64Array): number {
  let at = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[at]!) at = i;
  return at;
}

function inOrder({ dimensions, clusters }: Problem, found: Clusters): Clusters {
  const centreOf = (k: number) => found.centres.subarray(k * dimensions, (k + 1) * dimensions);
  const order = Array.from({ length: clusters }, (_, k) => k).sort((a, b) => {
    if (found.sizes[a] !== found.sizes[b]) return found.sizes[b]! - found.sizes[a]!;
    const d = centreOf(a).findIndex((value, i) => value !== centreOf(b)[i]);
    return d < 0 ? a - b : centreOf(a)[d]! - centreOf(b)[d]!;
  });
  const centres = new Float64Array(clusters * dimensions);
  order.forEach((from, to) => centres.set(centreOf(from), to * dimensions));
  return {
    labels: found.labels.map((label) => order.indexOf(label)),
    centres,
    sizes: Int32Array.from(order, (k) => found.sizes[k]!),
    inertia: found.inertia,
  };
}
