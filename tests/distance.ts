/** How far apart two arrays are. A NaN makes each of these NaN, which no bound admits. */

function differences(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  if (a.length !== b.length) throw new Error(`lengths differ: ${a.length} and ${b.length}`);
  return Float64Array.from(a, (v, i) => v - b[i]!);
}

/** Σ a·b in double precision. */
export function dotProduct(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

/** ‖a − b‖₂/‖b‖₂ */
export function relativeL2(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const d = differences(a, b);
  return Math.sqrt(dotProduct(d, d) / dotProduct(b, b));
}

/** √mean((a − b)²) */
export function rmsDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const d = differences(a, b);
  return Math.sqrt(dotProduct(d, d) / d.length);
}

/** The largest |a|. */
export function largest(a: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]!));
  return most;
}
