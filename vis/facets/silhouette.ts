/** How well points sit in their groups. */

/** What `silhouette` needs to know. */
export interface SilhouetteOptions {
  /** Number of points. */
  n: number;
  /** Numbers per point. */
  dimensions: number;
  /** Number of groups; some may be empty. */
  clusters: number;
}

/**
 * The mean silhouette: (b - a) / max(a, b) averaged over the points, a being a point's mean distance
 * to the others of its group and b that to the nearest other group. 1: groups far apart, 0: they
 * touch, below 0: points sit in the wrong one. A point alone in its group counts 0; one group or
 * points that are all equal give 0.
 *
 * Source: Rousseeuw, "Silhouettes", Journal of Computational and Applied Mathematics 20 (1987).
 *
 * @param points [n, dimensions]
 * @param labels [n] group of each point, 0..clusters-1
 * @throws {RangeError} when the lengths do not fit.
 */
export function silhouette(
  points: ArrayLike<number>,
  labels: ArrayLike<number>,
  { n, dimensions, clusters }: SilhouetteOptions,
): number {
  if (points.length !== n * dimensions || labels.length !== n) {
    throw new RangeError(
      `silhouette: ${n}x${dimensions} points and ${n} labels expected, got ${points.length} ` +
        `values and ${labels.length} labels`,
    );
  }
  const sizes = new Int32Array(clusters);
  for (let i = 0; i < n; i++) sizes[labels[i]!]!++;
  // sums[i, k]: the distances from point i to all of group k; each pair is looked at once.
  const sums = new Float64Array(n * clusters);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let square = 0;
      for (let d = 0; d < dimensions; d++) {
        square += (points[i * dimensions + d]! - points[j * dimensions + d]!) ** 2;
      }
      const distance = Math.sqrt(square);
      sums[i * clusters + labels[j]!]! += distance;
      sums[j * clusters + labels[i]!]! += distance;
    }
  }
  let total = 0;
  for (let i = 0; i < n; i++) {
    const own = labels[i]!;
    if (sizes[own]! < 2) continue;
    const within = sums[i * clusters + own]! / (sizes[own]! - 1);
    let beside = Infinity;
    for (let k = 0; k < clusters; k++) {
      if (k === own || sizes[k] === 0) continue;
      beside = Math.min(beside, sums[i * clusters + k]! / sizes[k]!);
    }
    const larger = Math.max(within, beside);
    if (larger > 0 && beside < Infinity) total += (beside - within) / larger;
  }
  return n > 0 ? total / n : 0;
}
