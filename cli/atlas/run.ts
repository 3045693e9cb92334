/** `atlas run`: does the jobs of an atlas beside any number of others. */
import { Ledger } from "../../atlas/ledger.ts";
import type { Job } from "../../atlas/plan.ts";
import { work, WorkFailedError } from "../../atlas/work.ts";
import { UserError } from "../../base/errors.ts";
import { shellCommand } from "../../base/shell_command.ts";
import { GPU_OPTIONS } from "../shared/gpu.ts";
import { Interruption } from "../shared/interruption.ts";
import type { Arguments, Command } from "../shared/options.ts";
import { print, say } from "../shared/progress.ts";
import { Sharing } from "../shared/sharing.ts";
import { type Atlas, readAtlas } from "./atlas_folder.ts";
import { doJob } from "./do_job.ts";
import { describeCost, duration } from "./tell_cost.ts";

/** The command. */
export const atlasRunCommand: Command = {
  summary: "Do the jobs of an atlas, beside any number of others on any machines that share it.",
  permissions: "--allow-read --allow-write=OUT,CACHE",
  usage: "ATLAS [options]",
  positionals: ["ATLAS, the folder of the atlas"],
  options: {
    leave: {
      type: "boolean",
      help: "End when no job is free, instead of waiting for others' jobs",
    },
    retry: { type: "boolean", help: "Try again what failed" },
    patience: {
      type: "string",
      value: "SECONDS",
      help: "A worker without a pulse for so long is dead, and its job is taken over (60)",
    },
    ...GPU_OPTIONS,
  },
  notes:
    `Start it as often as you like: a process for each device. Each takes one job after the other; a job is
one process's at a time. What is ended by Ctrl-C, SIGTERM, kill -9 or a power cut is gone on with by
the others or by the next that is started, from its last state, to the same bytes.

All must see the folder, the photos and the weights under the same paths, or all of them moved alike.
Which device a process gets is said in docs/atlas.md.`,

  async run(args: Arguments) {
    const [folder] = args.positionals as [string];
    const atlas = readAtlas(folder);
    const gpu = Object.fromEntries(
      Object.keys(GPU_OPTIONS).filter((name) => args.flag(name)).map((name) => [name, true]),
    );
    await runAtlas(atlas, atlas.jobs, {
      gpu,
      leave: args.flag("leave"),
      retry: args.flag("retry"),
      patience: args.integer("patience", { min: 1, max: 86400 }),
    });
  },
};

/** How to run. */
export interface RunAtlasOptions {
  /** Options that are about the GPU. */
  readonly gpu: Readonly<Record<string, boolean>>;
  readonly leave?: boolean | undefined;
  readonly retry?: boolean | undefined;
  readonly patience?: number | undefined;
}

/**
 * Does some jobs of an atlas.
 *
 * @throws {UserError} when some of them failed.
 */
export async function runAtlas(
  atlas: Atlas,
  jobs: readonly Job[],
  { gpu, leave, retry, patience }: RunAtlasOptions,
): Promise<void> {
  const { folder } = atlas;
  using ledger = new Ledger(folder, { patience, retry });
  const again = shellCommand(["mindseye", "atlas", "run", folder]);
  using sharing = new Sharing(again);
  // A signal while photos are looked at, or while we wait, ends the program at once: what was done is
  // kept, and the others are told.
  using _ = new Interruption(`go on with: ${again}`);
  const leaving = () => ledger[Symbol.dispose]();
  globalThis.addEventListener("unload", leaving);
  let waits = false;
  try {
    await work({
      ledger,
      tasks: jobs,
      leave,
      run: (job, claim) => doJob(job, claim, { atlas, ledger, sharing, gpu }),
      onDone(job, { failed, seconds }, left) {
        waits = false;
        const what = failed === undefined ? duration(seconds) : `FAILED: ${failed}`;
        say(`${job.name}: ${what} (${left} left)`);
      },
      onWait(left) {
        if (!waits) say(`waiting for ${counted(left, "job")} that others have`);
        waits = true;
      },
    });
  } catch (error) {
    if (error instanceof WorkFailedError) throw new UserError(error.message);
    throw error;
  } finally {
    globalThis.removeEventListener("unload", leaving);
  }
  const { known } = ledger.outcomes;
  print(describeCost({ ...atlas, jobs }, known));
  const failed = jobs.filter(({ name }) => known.get(name)?.failed !== undefined);
  if (failed.length === 0) return;
  const [{ name }] = failed as [Job];
  throw new UserError(
    `${counted(failed.length, "job")} failed, such as ${name}: ${
      known.get(name)!.failed
    }; list them with: ` +
      `${shellCommand(["mindseye", "atlas", "status", folder])}`,
  );
}

/** `1 job`, `2 jobs`. */
function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
