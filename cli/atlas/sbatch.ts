/** `atlas sbatch`: a script that has Slurm do an atlas. */
import { join, resolve } from "node:path";
import { shellCommand } from "../../base/shell_command.ts";
import { type Arguments, type Command, UsageError } from "../shared/options.ts";
import { print } from "../shared/progress.ts";
import { readAtlas } from "./atlas_folder.ts";
import { PROGRAM_OPTION, programWords } from "./program.ts";

/** The command. */
export const atlasSbatchCommand: Command = {
  summary: "Write a Slurm array script for an atlas: its elements take jobs until their time ends.",
  permissions: "--allow-read",
  usage: "ATLAS [options] > atlas.sh",
  positionals: ["ATLAS, the folder of the atlas, on a file system that all nodes see"],
  options: {
    elements: { type: "string", value: "N", help: "Elements of the array (4)" },
    time: { type: "string", value: "TIME", help: "Time of an element, as Slurm has it (01:00:00)" },
    grace: {
      type: "string",
      value: "SECONDS",
      help: "How long before the end of its time an element is told to save (60)",
    },
    sbatch: {
      type: "string",
      multiple: true,
      value: "OPTION",
      help: "Another option of sbatch, such as --sbatch=--gpus-per-task=1; again for more",
    },
    program: PROGRAM_OPTION,
    patience: {
      type: "string",
      value: "SECONDS",
      help: "As of atlas run",
    },
  },
  notes: `Submit it with: sbatch atlas.sh

Every element is one process on one device and takes one job of the atlas after the other. When its
time ends it saves and puts itself into the queue again, until nothing is left; so a short time finds a
place sooner and loses nothing. A node that fails or is drained, a job that is requeued or cancelled:
what it had is gone on with by other elements. The same script may be submitted again at any time.`,

  run(args: Arguments) {
    const [folder] = args.positionals as [string];
    readAtlas(folder);
    const elements = args.integer("elements", { min: 1, max: 100_000 }) ?? 4;
    const time = args.text("time") ?? "01:00:00";
    if (!/^(\d+-)?\d+(:\d+){0,2}$/.test(time)) {
      throw new UsageError(
        `--time: expected a time as Slurm has it, such as 01:30:00, got "${time}"`,
      );
    }
    print(sbatchScript({
      atlas: resolve(folder),
      elements,
      time,
      grace: args.integer("grace", { min: 1, max: 65535 }),
      options: args.list("sbatch"),
      program: programWords(args.text("program")),
      patience: args.integer("patience", { min: 1, max: 86400 }),
    }));
    return Promise.resolve();
  },
};

/** What a script is to be. */
export interface SbatchOptions {
  /** The atlas, from the root. */
  readonly atlas: string;
  readonly elements: number;
  readonly time: string;
  /** Seconds before the end of its time at which an element is told to save (60). */
  readonly grace?: number | undefined;
  /** More options of sbatch. */
  readonly options: readonly string[];
  /** How the program is started. */
  readonly program: readonly string[];
  readonly patience?: number | undefined;
}

/** The script. */
export function sbatchScript(
  { atlas, elements, time, grace = 60, options, program, patience }: SbatchOptions,
): string {
  for (const option of options) {
    if (!/^--?[^\s]/.test(option) || /[\r\n]/.test(option)) {
      throw new UsageError(
        `--sbatch: expected an option of sbatch, such as --partition=gpu, got "${option}"`,
      );
    }
  }
  const own = [
    "--job-name=atlas",
    `--array=0-${elements - 1}`,
    `--time=${time}`,
    `--signal=B:USR1@${grace}`,
    "--requeue",
    "--open-mode=append",
    `--output=${join(atlas, "slurm-%A_%a.log").replaceAll(" ", "\\ ")}`,
  ];
  const run = [
    ...[...program, "atlas", "run", atlas],
    ...(patience === undefined ? [] : ["--patience", `${patience}`]),
  ];
  return `#!/bin/sh
${[...own, ...options].map((option) => `#SBATCH ${option}`).join("\n")}

# Takes jobs of the atlas until none is left. Before its time ends Slurm tells this shell (USR1): the
# program saves what it is at, and the element goes into the queue again. What else ends it, such as
# scancel or a drained node, is Slurm's or a person's wish: what it had is taken over by others.
again=
trap 'again=yes; kill -TERM "$worker"' USR1
trap 'kill -TERM "$worker"' TERM
${shellCommand(run)} &
worker=$!
# A signal ends a wait, not the program.
while :; do
  wait "$worker"
  code=$?
  kill -0 "$worker" 2>/dev/null || break
done
if [ -n "$again" ] && [ "$code" -ne 0 ]; then
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}"
fi
exit "$code"`;
}
