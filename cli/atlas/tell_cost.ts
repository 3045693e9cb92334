/** How far an atlas is and what it costs, in a few lines. */
import { costOf } from "../../atlas/cost.ts";
import type { Outcome } from "../../atlas/ledger.ts";
import { megabytes } from "../../base/megabytes.ts";
import type { Atlas } from "./atlas_folder.ts";

/** Hours, minutes or seconds. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  if (seconds < 7200) return `${(seconds / 60).toFixed(0)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** What an atlas consists of. */
export function describePlan({ plan, jobs }: Atlas): string {
  const grows = jobs.filter((job) => job.kind === "grow");
  const pictures = grows.reduce((sum, { pictures }) => sum + pictures, 0);
  const layers = plan.networks.reduce((sum, { layers }) => sum + layers.length, 0);
  return `${jobs.length} jobs: ${grows.length} runs of ${pictures} pictures, and ` +
    `${jobs.length - grows.length} looks at photos (folders ${plan.folders.length}, networks ` +
    `${plan.networks.length}, layers ${layers}, objectives ${plan.objectives.length}, presets ` +
    `${plan.presets.length})`;
}

/** How much is done and what is left, by what was measured on each adapter. */
export function describeCost(
  { plan, jobs }: Atlas,
  outcomes: ReadonlyMap<string, Outcome>,
): string {
  const all = costOf(plan, jobs, outcomes);
  const lines = [
    `${all.done} of ${all.jobs} jobs done in ${duration(all.seconds)} of device time, ` +
    `${megabytes(all.bytes)}` + (all.failed > 0 ? `; ${all.failed} failed` : ""),
  ];
  if (all.done + all.failed === all.jobs) return lines[0]!;
  const adapters = new Set(
    [...outcomes.values()].flatMap(({ adapter }) => adapter === undefined ? [] : [adapter]),
  );
  for (const adapter of adapters) {
    const of = new Map([...outcomes].filter(([, each]) => each.adapter === adapter));
    const { left } = costOf(
      plan,
      jobs.filter(({ name }) => !outcomes.has(name) || of.has(name)),
      of,
    );
    lines.push(
      left
        ? `left: ${duration(left.seconds)} and ${megabytes(left.bytes)}, by what was measured on ` +
          adapter
        : `left: not known yet for ${adapter}; one run and one look must be done there`,
    );
  }
  if (adapters.size === 0) lines.push("left: not known before one run and one look are done");
  return lines.join("\n");
}
