/** The names most like one that a person typed. */

/** The candidates most like a name, the most alike first. */
export function nearest(name: string, candidates: Iterable<string>, count: number): string[] {
  return [...candidates]
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/**
 * Levenshtein's distance without regard to case, in which replacing a digit by a near one costs less
 * than a whole step: `layer5` is nearer to `layer4` than to `layer1`.
 */
function editDistance(a: string, b: string): number {
  const from = a.toLowerCase();
  const to = b.toLowerCase();
  let previous = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const current = [i];
    for (let j = 1; j <= to.length; j++) {
      current.push(Math.min(
        previous[j]! + 1,
        current[j - 1]! + 1,
        previous[j - 1]! + replacementCost(from[i - 1]!, to[j - 1]!),
      ));
    }
    previous = current;
  }
  return previous[to.length]!;
}

function replacementCost(a: string, b: string): number {
  if (a === b) return 0;
  return /\d/.test(a) && /\d/.test(b) ? 0.5 + Math.abs(Number(a) - Number(b)) / 20 : 1;
}
