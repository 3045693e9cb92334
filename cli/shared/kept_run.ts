/** A run on the command line of which nothing is lost, whatever ends it. */
import { join } from "node:path";
import { shellCommand } from "../../base/shell_command.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { GpuKeeper } from "../../kernels/runtime/keeper.ts";
import type { Grown, Listener } from "../../vis/events.ts";
import type { SourceImage } from "../../vis/photos/images.ts";
import { headOf } from "../../vis/report/record.ts";
import { Report } from "../../vis/report/report.ts";
import type { KeptRun, RunFolder } from "../../vis/report/run_folder.ts";
import { Interrupted, Interruption } from "./interruption.ts";
import type { OptionSpec } from "./options.ts";
import { say } from "./progress.ts";
import { sharedAgain } from "./sharing.ts";
import { beginRecord, leaveReport } from "./report_page.ts";

/** Options for runs that are kept. */
export const KEEP_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  force: { type: "boolean", help: "Replace a run that is in the folder" },
};

/** Seconds after which a run's state is kept again. */
const STATE_EVERY = 60;

/** What a run is given. */
export interface RunHow {
  /** To be told everything. */
  readonly tell: Listener;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** How often states are kept. */
  readonly stateEvery: number;
  /** What was kept of it before. */
  readonly kept: KeptRun;
}

/** What to keep. */
export interface KeptRunOptions<Result extends Grown> {
  readonly keeper: GpuKeeper;
  readonly folder: RunFolder;
  /** What stands above the report. */
  readonly title: string;
  /** The run's images. */
  readonly images: readonly SourceImage[];
  /** Side of its pictures. */
  readonly size: number;
  /** Side of films, where such are to be left. */
  readonly film?: number | undefined;
  /** Shows how the run goes on. */
  readonly show: Listener;
  /** What is known of it before it begins. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** Begins it, or goes on with it. */
  readonly run: (gpu: Gpu, how: RunHow) => Promise<Result>;
}

/**
 * Runs, writes the report and keeps states, so that `resume` goes on after any end.
 *
 * @returns what came of it, the file to look at, and what to call when all is said that is to be said of that
 * @throws {UserError} when the folder can no longer be written.
 */
export async function keptRun<Result extends Grown>(
  { keeper, folder, title, images, size, film, show, manifest, run }: KeptRunOptions<Result>,
): Promise<{ result: Result; shown: string; end: () => void }> {
  const again = sharedAgain() ?? shellCommand(["mindseye", "resume", folder.path]);
  using interruption = new Interruption(`go on with: ${again}`);
  const { signal } = interruption;
  const makeReport = () => new Report({ folder: folder.path, size, images, title, film });
  let report = makeReport();
  using record = beginRecord(folder, images, { title, ...headOf(manifest) });
  // After the loss of a GPU as after that of a process: from the last state.
  const goOn = async (gpu: Gpu): Promise<Result> => {
    const kept = folder.kept();
    if (kept.state) say(`going on after iteration ${lastIteration(kept)}`);
    report = makeReport();
    const tell: Listener = async (event) => {
      if (event.kind === "ready") interruption.growing();
      await show(event);
      folder.check();
      await report.take(event);
      if (event.kind === "started") kept.events.forEach((before) => report.takeAgain(before));
      await record.take(event);
      folder.record(event);
      if (event.kind === "iterations" && folder.askedToStop) interruption.asked();
    };
    return await run(gpu, { kept, signal, stateEvery: STATE_EVERY, tell });
  };
  let result: Result;
  try {
    folder.writeManifest("running", manifest);
    result = await keeper.use(goOn);
  } catch (error) {
    // What cannot be done at all leaves no run behind.
    if (!folder.abandon()) say(`the run up to its last state is kept; go on with: ${again}`);
    throw error;
  }
  const findings = await report.finish(result);
  folder.writeManifest(result.aborted ? "interrupted" : "finished", { ...manifest, ...findings });
  const page = await leaveReport(folder.path, title);
  if (!result.aborted) folder.finish();
  const { code } = interruption;
  return {
    result,
    shown: page ?? join(folder.path, "sheet.svg"),
    end() {
      if (result.aborted) say(`ended after iteration ${result.iterations}; go on with: ${again}`);
      if (code !== undefined) throw new Interrupted(code);
    },
  };
}

/** The last iteration that a run told of. */
function lastIteration({ events }: KeptRun): number {
  const last = events.findLast((event) => event.kind === "iterations");
  return last?.results.at(-1)?.iteration ?? 0;
}
