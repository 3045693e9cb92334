/** The script that `atlas sbatch` writes, given to a real Slurm; more is tried by `deno task atlas:slurm`. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Outcomes } from "../../atlas/ledger.ts";
import { parseWanted } from "../../atlas/plan.ts";
import { writePlan } from "../../cli/atlas/atlas_folder.ts";
import { findPlan, PLAN_OPTIONS } from "../../cli/atlas/find_plan.ts";
import { mindseye } from "../cli/mindseye.ts";
import { exists, inFolder } from "../cli/run_files.ts";
import { resultsOf } from "./results.ts";
import { noSlurm, Slurm } from "./slurm_nodes.ts";

const PLAN = {
  networks: [{ model: "motifs", layers: ["features.12"] }],
  objectives: ["0", "1", "2", "3"].map((channels) => ({ channels })),
  presets: [{ preset: "noise", size: 32, parameters: { iterations: 60 }, "save-every": 5 }],
  "no-tune": true,
};

const reason = noSlurm();
// deno-lint-ignore no-console
if (reason !== undefined) console.log(`SKIPPED: an atlas by Slurm: ${reason}`);

Deno.test({
  name: "Slurm does an atlas of four runs, one element requeued in the middle",
  ignore: reason !== undefined,
  async fn() {
    await inFolder(async (folder) => {
      const [alone, shared] = [join(folder, "alone"), join(folder, "shared")];
      const file = join(folder, "atlas.json");
      for (const out of [alone, shared]) {
        writePlan(out, await findPlan(parseWanted(PLAN, file, PLAN_OPTIONS), { file, out }));
      }
      await using slurm = await Slurm.start(join(folder, "slurm"));
      const { out } = await mindseye(["atlas", "sbatch", shared, "--elements", "2"]);
      Deno.writeTextFileSync(join(folder, "atlas.sh"), out);
      const submitted = await slurm.run("sbatch", [join(folder, "atlas.sh")]);
      const number = /\d+$/.exec(submitted)![0];
      const single = mindseye(["atlas", "run", alone]);
      const begun = () =>
        exists(join(shared, "work")) &&
        [...Deno.readDirSync(join(shared, "work"))].some(({ name }) =>
          exists(join(shared, "work", name, ".run", "state.safetensors"))
        );
      const outcomes = new Outcomes(shared);
      let requeued = false;
      for (let tries = 0; tries < 600 && outcomes.known.size < 4; tries++) {
        if (!requeued && begun()) {
          await slurm.run("scontrol", ["requeue", `${number}_0`]);
          requeued = true;
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
        outcomes.refresh();
      }
      assert.equal((await single).code, 0);
      assert.equal(outcomes.known.size, 4);
      assert.deepEqual(outcomes.twice, []);
      assert.ok(requeued);
      assert.deepEqual(resultsOf(join(shared, "runs")), resultsOf(join(alone, "runs")));
    });
  },
});
