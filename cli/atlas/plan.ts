/** `atlas plan`: what an atlas is to hold, as a list of jobs. */
import { Outcomes } from "../../atlas/ledger.ts";
import { parseWanted } from "../../atlas/plan.ts";
import { UserError } from "../../base/errors.ts";
import { unfitToRead } from "../../base/regular_file.ts";
import type { Arguments, Command } from "../shared/options.ts";
import { print } from "../shared/progress.ts";
import { writePlan } from "./atlas_folder.ts";
import { findPlan, PLAN_OPTIONS } from "./find_plan.ts";
import { runAtlas } from "./run.ts";
import { describeCost, describePlan } from "./tell_cost.ts";

/** A plan of more bytes is none. */
const MOST_BYTES = 2 ** 24;

/** The command. */
export const atlasPlanCommand: Command = {
  summary: "Plan an atlas: folders × networks × layers × objectives × presets as a list of jobs.",
  permissions: "--allow-read --allow-write=OUT,CACHE",
  usage: "PLAN.json [--out FOLDER]",
  positionals: ["PLAN.json, what the atlas is to hold"],
  options: {
    out: { type: "string", short: "o", value: "FOLDER", help: "The atlas (generated/atlas)" },
    measure: {
      type: "boolean",
      help: "Do the first run, and the looks at photos it needs, to tell what all will cost",
    },
    shard: { type: "string", value: "N", help: "Photos that one job looks at, at most (4096)" },
  },
  notes: `A plan, its paths as seen from its file:
  {
    "folders": ["photos/ants", {"path": "photos/classes", "each": true, "limit": 300}],
    "networks": [{"model": "squeezenet1_1", "weights": "squeezenet1_1.safetensors",
                  "layers": ["features.7", "features.12"]}],
    "objectives": [{"facets": 3}, {"channels": "all", "photos": true}],
    "presets": ["default", {"preset": "soft", "size": 224, "parameters": {"iterations": 100}}]
  }

Objectives and presets are parts of a run's config: any options of visualize. With "photos", each
folder's are shown to a wish; channels "all" are some jobs of 8 each ("each": 8). What stands beside
these lists, such as "seed", is for all jobs.

A job's name ends in a digest of all that its pictures depend on: planned again, with more in it, what
is done stays done.`,

  async run(args: Arguments) {
    const [file] = args.positionals as [string];
    const out = args.text("out") ?? "generated/atlas";
    let json: unknown;
    try {
      const unfit = unfitToRead(file, MOST_BYTES);
      if (unfit) throw new Error(unfit);
      json = JSON.parse(Deno.readTextFileSync(file));
    } catch (error) {
      throw new UserError(`${file} cannot be read as a plan: ${(error as Error).message}`);
    }
    const wanted = parseWanted(json, file, PLAN_OPTIONS);
    const shard = args.integer("shard", { min: 1, max: 1e6 });
    const plan = await findPlan(wanted, { file, out, shard });
    const jobs = writePlan(out, plan);
    const atlas = { folder: out, plan, jobs };
    print(describePlan(atlas));
    const outcomes = new Outcomes(out);
    if (args.flag("measure")) {
      const first = jobs.find(({ kind }) => kind === "grow")!;
      const needs = "needs" in first ? first.needs ?? [] : [];
      const some = jobs.filter((job) => job === first || needs.includes(job.name));
      await runAtlas(atlas, some, { gpu: {} });
    }
    outcomes.refresh();
    print(describeCost(atlas, outcomes.known));
  },
};
