/** What an atlas costs, told from the jobs that were measured. */
import type { Outcome } from "./ledger.ts";
import type { Job, Plan } from "./plan.ts";

/** What is known of some jobs. */
export interface Cost {
  readonly jobs: number;
  /** Those that are done, and those that cannot be done. */
  readonly done: number;
  readonly failed: number;
  /** Of those that are done. */
  readonly seconds: number;
  readonly bytes: number;
  /** Of those that are not, estimated; nothing where nothing like them was measured. */
  readonly left: { readonly seconds: number; readonly bytes: number } | undefined;
}

/** A sight costs this much besides its convolutions, a pixel: it is warped, blurred and stepped. */
const WORK_A_PIXEL = 2000;

/** Forward and backward. */
const PASSES = 3;

/** How much there is to compute for a job, in multiply-adds or thereabouts. */
export function workOf(plan: Plan, job: Job): number {
  const { layers } = plan.networks[job.network]!;
  const workTo = (names: readonly string[]) =>
    Math.max(...layers.filter(({ name }) => names.includes(name)).map(({ work }) => work));
  if (job.kind === "look") {
    return (job.photos[1] - job.photos[0]) * (workTo(job.layers) + WORK_A_PIXEL) * job.seen ** 2;
  }
  const { sights, seen } = plan.presets[job.preset]!;
  const pixels = seen[job.network]! ** 2;
  return job.pictures * sights * (PASSES * workTo([job.layer]) + WORK_A_PIXEL) * pixels;
}

/** Bytes of a run go with its pictures, those of a look with photos and layers. */
function sizeOf(job: Job): number {
  return job.kind === "grow" ? job.pictures : (job.photos[1] - job.photos[0]) * job.layers.length;
}

/**
 * What some jobs cost and will cost: what is not measured costs as much for its work as the others of
 * its kind did, those with the same preset and network before all, of several adapters together.
 */
export function costOf(
  plan: Plan,
  jobs: readonly Job[],
  outcomes: ReadonlyMap<string, Outcome>,
): Cost {
  const total = { done: 0, failed: 0, seconds: 0, bytes: 0 };
  const known = new Map<string, { seconds: number; work: number; bytes: number; size: number }>();
  const keysOf = ({ kind, network, preset }: Job) => [
    ...[`${kind} ${network} ${preset}`, `${kind} ${preset}`, kind],
  ];
  for (const job of jobs) {
    const outcome = outcomes.get(job.name);
    if (!outcome) continue;
    if (outcome.failed !== undefined) {
      total.failed++;
      continue;
    }
    const { seconds, bytes = 0 } = outcome;
    total.done++;
    total.seconds += seconds;
    total.bytes += bytes;
    for (const key of keysOf(job)) {
      const sum = known.get(key) ?? { seconds: 0, work: 0, bytes: 0, size: 0 };
      sum.seconds += seconds;
      sum.work += workOf(plan, job);
      sum.bytes += bytes;
      sum.size += sizeOf(job);
      known.set(key, sum);
    }
  }
  let left: { seconds: number; bytes: number } | undefined = { seconds: 0, bytes: 0 };
  for (const job of jobs) {
    if (outcomes.has(job.name)) continue;
    const like = keysOf(job).map((key) => known.get(key)).find((sum) => sum !== undefined);
    if (!like || !left) {
      left = undefined;
      continue;
    }
    left.seconds += workOf(plan, job) * like.seconds / like.work;
    left.bytes += sizeOf(job) * like.bytes / like.size;
  }
  return { jobs: jobs.length, ...total, left };
}
