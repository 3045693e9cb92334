/** `resume`: goes on with a run that did not come to its end. */
import { resolve } from "node:path";
import { runsIn } from "./shared/past_runs.ts";
import { FILM_OPTION, filmValue } from "./shared/film.ts";
import { Arguments, type Command } from "./shared/options.ts";
import { visualizeCommand } from "./visualize.ts";

/** The command. */
export const resumeCommand: Command = {
  summary: "Go on with a run that was interrupted, whatever ended it.",
  permissions: "--allow-read --allow-write=OUT,CACHE",
  usage: "RUN",
  tells: true,
  positionals: ["RUN, the folder of the run"],
  options: { film: FILM_OPTION },
  notes:
    `Goes on from the last state that was kept (at most a minute before the end) and ends in the
same pictures, byte by byte, as a run never interrupted, on the same adapter and driver. The photos
and the weights must be where they were, seen from the folder in which the run was begun. What is
finished already stays as it is.`,

  async run(args: Arguments) {
    const [given] = args.positionals as [string];
    const { manifests: [config], folder } = runsIn(resolve(given));
    await visualizeCommand.run(
      new Arguments([], { config, out: folder, resume: true, ...filmValue(args) }),
    );
  },
};
