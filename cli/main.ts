/** The command line program. */
import { CODE_VERSION } from "../base/code_version.ts";
import { UserError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { activationsCommand } from "./activations.ts";
import { atlasPlanCommand } from "./atlas/plan.ts";
import { atlasRunCommand } from "./atlas/run.ts";
import { atlasGatherCommand } from "./atlas/gather.ts";
import { atlasK8sCommand } from "./atlas/k8s.ts";
import { atlasSbatchCommand } from "./atlas/sbatch.ts";
import { atlasStatusCommand } from "./atlas/status.ts";
import { benchCommand } from "./bench.ts";
import { compareCommand } from "./compare.ts";
import { completionsCommand } from "./completions.ts";
import { demoCommand } from "./demo.ts";
import { doctorCommand } from "./doctor.ts";
import { facetsCommand } from "./facets.ts";
import { withHint } from "./shared/hints.ts";
import { Interrupted } from "./shared/interruption.ts";
import { layersCommand } from "./layers.ts";
import { type Command, ENVIRONMENT, help, parse, UsageError, voiceOf } from "./shared/options.ts";
import { modelsCommand } from "./models.ts";
import { presetsCommand } from "./presets.ts";
import { complain, print, speak } from "./shared/progress.ts";
import { serveLive } from "./shared/report_page.ts";
import { qualityCommand } from "./quality.ts";
import { reportCommand } from "./report.ts";
import { rerunCommand } from "./rerun.ts";
import { resumeCommand } from "./resume.ts";
import { serveCommand } from "./page/serve.ts";
import { webCommand } from "./page/web.ts";
import { schemaCommand } from "./schema.ts";
import { tuneCommand } from "./tune.ts";
import { VERSION } from "../base/version.ts";
import { visualizeCommand } from "./visualize.ts";
import { weightsConvertCommand } from "./weights/convert.ts";
import { weightsFetchCommand } from "./weights/fetch.ts";
import { weightsInspectCommand } from "./weights/inspect.ts";

const PROGRAM = "mindseye";

const COMMANDS: Readonly<Record<string, Command>> = {
  visualize: visualizeCommand,
  facets: facetsCommand,
  activations: activationsCommand,
  demo: demoCommand,
  resume: resumeCommand,
  rerun: rerunCommand,
  report: reportCommand,
  serve: serveCommand,
  web: webCommand,
  compare: compareCommand,
  layers: layersCommand,
  models: modelsCommand,
  "weights fetch": weightsFetchCommand,
  "weights inspect": weightsInspectCommand,
  "weights convert": weightsConvertCommand,
  presets: presetsCommand,
  schema: schemaCommand,
  "atlas plan": atlasPlanCommand,
  "atlas run": atlasRunCommand,
  "atlas status": atlasStatusCommand,
  "atlas gather": atlasGatherCommand,
  "atlas sbatch": atlasSbatchCommand,
  "atlas k8s": atlasK8sCommand,
  quality: qualityCommand,
  bench: benchCommand,
  tune: tuneCommand,
  doctor: doctorCommand,
  completions: completionsCommand(PROGRAM, () => COMMANDS),
};

function overview(): string {
  return [
    `${PROGRAM} ${VERSION}: what a layer of a convolutional network has learned to see`,
    "",
    `Usage: ${PROGRAM} COMMAND [options]`,
    "",
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(17)}${summary}`),
    "",
    "Environment variables:",
    ...Object.entries(ENVIRONMENT).map(([name, text]) => `  ${name.padEnd(23)}${text}`),
    "",
    `${PROGRAM} COMMAND --help tells more.`,
  ].join("\n");
}

/** The command's name, of one word or two, and what follows it. */
function commandOf(
  [first, second, ...rest]: string[],
): { name: string | undefined; rest: string[] } {
  const both = `${first} ${second}`;
  if (Object.hasOwn(COMMANDS, both)) return { name: both, rest };
  return { name: first, rest: second === undefined ? [] : [second, ...rest] };
}

/**
 * Runs the program.
 *
 * @returns the exit code: 0, 1 when something cannot be done, 2 when the command line is wrong, 130 and
 * 143 after Ctrl-C and SIGTERM
 */
export async function main(args: string[]): Promise<number> {
  const { name, rest: given } = commandOf(args);
  try {
    if (name === undefined) throw new UsageError(overview());
    if (name === "--help" || name === "-h" || name === "help") print(overview());
    else if (name === "--version" || name === "-V") {
      print(`${PROGRAM} ${VERSION} (code ${CODE_VERSION}, Deno ${Deno.version.deno})`);
    } else {
      const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name]! : undefined;
      if (!command) {
        const close = nearest(name, Object.keys(COMMANDS), 2).join(" or ");
        throw new UsageError(
          `no command "${name}"; did you mean ${close}? All: ${Object.keys(COMMANDS).join(", ")}`,
        );
      }
      const parsed = parse(name, command, given);
      if (parsed.flag("help")) print(help(PROGRAM, name, command));
      else {
        const { voice, rest } = voiceOf(command, parsed);
        speak(voice);
        await using _page = voice.port === undefined ? undefined : await serveLive(voice.port);
        await command.run(rest);
      }
    }
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      complain(error.message);
      return 2;
    }
    if (error instanceof Interrupted) return error.code;
    if (error instanceof UserError) {
      complain(`error: ${withHint(error)}`);
      return 1;
    }
    if (error instanceof Deno.errors.NotCapable) {
      complain(`error: ${error.message}; what a command needs stands at the end of its --help`);
      return 1;
    }
    throw error;
  }
}

/** Mesa complains on stderr when this is not set, though it has no use for it here. */
function quietMesa(): void {
  if (Deno.build.os === "linux" && !Deno.env.get("XDG_RUNTIME_DIR")) {
    Deno.env.set("XDG_RUNTIME_DIR", "/tmp");
  }
}

if (import.meta.main) {
  quietMesa();
  Deno.exit(await main(Deno.args));
}
