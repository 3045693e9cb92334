/**
 * Long work without a GPU, in steps: between two of them it says how far it is, and whoever does it may
 * do something else, such as draw that or answer a page.
 */

/** A part of the work that people are told of. */
export type Stage = "components" | "embedding" | "grouping" | "judging";

/** How far a stage is. */
export interface Step {
  /** What is being done. */
  readonly stage: Stage;
  /** How much of it is done. */
  readonly done: number;
  /** How much there is to do, at most. */
  readonly total: number;
}

/** Work that stops to say how far it is. */
export type Steps<T> = Generator<Step, T, void>;

/** Does all the work at once. */
export function finish<T>(steps: Steps<T>, onStep: (step: Step) => void = () => {}): T {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
    onStep(next.value);
  }
}
