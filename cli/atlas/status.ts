/** `atlas status`: how far an atlas is, and what is left. */
import { Outcomes } from "../../atlas/ledger.ts";
import type { Arguments, Command } from "../shared/options.ts";
import { print } from "../shared/progress.ts";
import { readAtlas } from "./atlas_folder.ts";
import { describeCost, describePlan } from "./tell_cost.ts";

/** The command. */
export const atlasStatusCommand: Command = {
  summary: "Say how far an atlas is, what failed, and what the rest will cost.",
  permissions: "--allow-read",
  usage: "ATLAS",
  positionals: ["ATLAS, the folder of the atlas"],
  options: {},
  run(args: Arguments) {
    const [folder] = args.positionals as [string];
    const atlas = readAtlas(folder);
    const outcomes = new Outcomes(folder);
    outcomes.refresh();
    print(describePlan(atlas));
    print(describeCost(atlas, outcomes.known));
    for (const { name } of atlas.jobs) {
      const failed = outcomes.known.get(name)?.failed;
      if (failed !== undefined) print(`failed: ${name}: ${failed}`);
    }
    return Promise.resolve();
  },
};
