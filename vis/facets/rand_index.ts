/** How alike two clusterings are. */

/**
 * The adjusted Rand index: 1 when both clusterings group the items alike (whatever the numbers of
 * the groups), about 0 when they agree no more than by chance, below 0 when less than that.
 *
 * Source: Hubert and Arabie, "Comparing partitions", Journal of Classification 2 (1985).
 *
 * @param a Group of each item.
 * @param b Group of each item in the other clustering.
 * @throws {RangeError} when the lengths differ.
 */
export function adjustedRandIndex(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) {
    throw new RangeError(`adjustedRandIndex: ${a.length} labels against ${b.length}`);
  }
  const both = new Map<string, number>();
  const inA = new Map<number, number>();
  const inB = new Map<number, number>();
  for (let i = 0; i < a.length; i++) {
    const [groupA, groupB] = [a[i]!, b[i]!];
    const key = `${groupA} ${groupB}`;
    both.set(key, (both.get(key) ?? 0) + 1);
    inA.set(groupA, (inA.get(groupA) ?? 0) + 1);
    inB.set(groupB, (inB.get(groupB) ?? 0) + 1);
  }
  const pairs = (n: number) => n * (n - 1) / 2;
  const pairsIn = (counts: Map<unknown, number>) =>
    [...counts.values()].reduce((sum, count) => sum + pairs(count), 0);
  const [together, pairsA, pairsB] = [pairsIn(both), pairsIn(inA), pairsIn(inB)];
  const expected = pairsA * pairsB / Math.max(1, pairs(a.length));
  const most = (pairsA + pairsB) / 2;
  return most === expected ? 1 : (together - expected) / (most - expected);
}
