/** Which photos answer most to a wish. */

/** A photo and what it answers. */
export interface Answer {
  /** Its number. */
  readonly image: number;
  /** What it answers. */
  readonly answer: number;
}

/**
 * The photos that answer most to each wish, best first, equal ones by their number. Of several
 * pictures of one wish the first gets the best photo, the second the next, and so on in turns.
 *
 * @param answers [n,K]
 * @param names what the wishes are called; those of the same name are one wish
 * @param most photos for each
 */
export function bestPhotos(
  answers: Float32Array,
  names: readonly string[],
  most: number,
): Answer[][] {
  const n = answers.length / names.length;
  return names.map((name, k) => {
    const copies = names.filter((other) => other === name).length;
    const mine = names.slice(0, k).filter((other) => other === name).length;
    const column = Array.from({ length: n }, (_, image) => {
      return { image, answer: answers[image * names.length + k]! };
    });
    column.sort((a, b) => b.answer - a.answer || a.image - b.image);
    const turns = column.filter((_, i) => i % copies === mine);
    return (turns.length > 0 ? turns : column).slice(0, most);
  });
}

/** Weights, which sum to 1, of photos by their answers: in proportion where these are positive. */
export function answerWeights(best: readonly Answer[]): number[] {
  const positive = best.map(({ answer }) => Math.max(answer, 0));
  const total = positive.reduce((a, b) => a + b, 0);
  return positive.map((answer) => total > 0 ? answer / total : 1 / best.length);
}
