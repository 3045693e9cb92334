/** `rerun`: repeats a run from its manifest. */
import { resolve } from "node:path";
import { freeFolder, runsIn } from "./shared/past_runs.ts";
import { FILM_OPTION, filmValue } from "./shared/film.ts";
import { Arguments, type Command } from "./shared/options.ts";
import { visualizeCommand } from "./visualize.ts";

/** The command. */
export const rerunCommand: Command = {
  summary: "Repeat a run from its manifest, in another folder.",
  permissions: "--allow-read --allow-write=OUT,CACHE",
  usage: "RUN [--out FOLDER]",
  tells: true,
  positionals: ["RUN, the folder of the run or its manifest.json"],
  options: {
    out: {
      type: "string",
      short: "o",
      value: "FOLDER",
      help: "Where to write (default: RUN-again)",
    },
    film: FILM_OPTION,
    force: { type: "boolean", help: "Replace a run that is in that folder" },
  },
  notes: `To change something of it, give the manifest to visualize as a config:
  mindseye visualize --config RUN/manifest.json --seed 1`,

  async run(args: Arguments) {
    const [given] = args.positionals as [string];
    const out = args.text("out");
    const wanted = out === undefined ? undefined : resolve(out);
    const { manifests: [config], folder } = runsIn(resolve(given));
    await visualizeCommand.run(
      new Arguments([], {
        config,
        out: wanted ?? freeFolder(`${folder}-again`),
        force: args.flag("force"),
        ...filmValue(args),
      }),
    );
  },
};
