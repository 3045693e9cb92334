/** Works through a list of jobs beside others who do the same. */
import type { Claim, Ledger, Outcome } from "./ledger.ts";

/** Something to do. */
export interface Task {
  /** What it is known by. */
  readonly name: string;
  /** Names of tasks that must be done before. */
  readonly needs?: readonly string[] | undefined;
}

/** How to work. */
export interface WorkOptions<T extends Task> {
  readonly ledger: Ledger;
  readonly tasks: readonly T[];
  /** Does one; what fails for good says why. Nothing comes of one that others took over meanwhile. */
  readonly run: (task: T, claim: Claim) => Promise<Omit<Outcome, "job"> | undefined>;
  /** Told after each that came to an end here. */
  readonly onDone?: ((task: T, outcome: Outcome, left: number) => void) | undefined;
  /** Told when there is nothing to do but to wait for others. */
  readonly onWait?: ((left: number) => void) | undefined;
  /** Whether to end instead of waiting for others' work. */
  readonly leave?: boolean | undefined;
  /** Ends it between two tasks. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds to wait before looking again what others did (1000). */
  readonly poll?: number | undefined;
}

/** What a worker did, and what is left. */
export interface Worked {
  readonly done: number;
  readonly failed: number;
  readonly left: number;
}

/** Failures one after the other after which something else must be wrong. */
const MOST_FAILURES = 3;

/** A worker has failed at all it tried: the disk is full, say. */
export class WorkFailedError extends Error {}

/**
 * Does tasks until all are done, by this worker or by others. Of two tasks that nobody has, the next in
 * the list comes first; where somebody else was before us we go on elsewhere in the list.
 *
 * @throws {WorkFailedError} when one task after the other fails.
 */
export async function work<T extends Task>(
  { ledger, tasks, run, onDone, onWait, leave = false, signal, poll = 1000 }: WorkOptions<T>,
): Promise<Worked> {
  const { outcomes } = ledger;
  const known = new Set(tasks.map(({ name }) => name));
  /** What others have, as far as we know. */
  const taken = new Set<string>();
  const worked = { done: 0, failed: 0 };
  let failures = 0;

  const isOpen = ({ name }: T) => !outcomes.known.has(name);
  const isReady = ({ needs = [] }: T) =>
    needs.every((name) => {
      const outcome = outcomes.known.get(name);
      return outcome ? outcome.failed === undefined : !known.has(name);
    });
  /** What can never be done, as something it needs failed. */
  const isBlocked = ({ needs = [] }: T) =>
    needs.some((name) => outcomes.known.get(name)?.failed !== undefined);

  const doIt = async (task: T, claim: Claim) => {
    const started = performance.now();
    const result = await run(task, claim);
    if (!result) {
      taken.add(task.name);
      return;
    }
    const outcome: Outcome = {
      job: task.name,
      ...result,
      overhead: Math.max(0, (performance.now() - started) / 1e3 - result.seconds),
    };
    ledger.tell(outcome);
    outcomes.take(outcome);
    taken.delete(task.name);
    if (outcome.failed === undefined) worked.done++;
    else worked.failed++;
    failures = outcome.failed === undefined ? 0 : failures + 1;
    onDone?.(task, outcome, tasks.length - outcomes.known.size);
    if (failures >= MOST_FAILURES) {
      throw new WorkFailedError(`${failures} jobs in a row failed; the last: ${outcome.failed}`);
    }
  };

  let at = 0;
  for (;;) {
    // One round through the list, from where we are.
    let claimed = 0;
    for (let looked = 0; looked < tasks.length && !signal?.aborted; looked++) {
      const task = tasks[at]!;
      at = (at + 1) % tasks.length;
      if (!isOpen(task) || taken.has(task.name) || !isReady(task)) continue;
      const claim = ledger.claim(task.name);
      if (claim) {
        claimed++;
        looked = 0;
        await doIt(task, claim);
        continue;
      }
      // Somebody is, or was, at work here: what they did is known then, and we go elsewhere.
      taken.add(task.name);
      outcomes.refresh();
      at = Math.floor(Math.random() * tasks.length);
      looked = 0;
    }
    if (signal?.aborted) break;
    outcomes.refresh();
    for (const name of taken) if (outcomes.known.has(name)) taken.delete(name);
    if (claimed > 0) continue;
    const left = tasks.filter((task) => isOpen(task) && !isBlocked(task));
    if (left.length === 0) break;
    // All that is left is others', or waits for what is others': perhaps one of them is gone.
    let over = false;
    for (const task of left) {
      if (!taken.has(task.name) || !isReady(task) || signal?.aborted) continue;
      const claim = isOpen(task) ? ledger.takeOver(task.name) : undefined;
      if (!claim) continue;
      over = true;
      await doIt(task, claim);
    }
    if (over || left.some((task) => !taken.has(task.name) && isReady(task))) continue;
    if (leave) break;
    onWait?.(left.length);
    await pause(poll, signal);
  }
  const left = tasks.filter(isOpen).length;
  return { ...worked, left };
}

/** Waits, but not after a signal. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  signal?.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
