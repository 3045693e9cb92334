/** An atlas on the command line: planned, run by several processes that die, and the same in the end. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseWanted } from "../../atlas/plan.ts";
import { UserError } from "../../base/errors.ts";
import { writePlan } from "../../cli/atlas/atlas_folder.ts";
import { findPlan, PLAN_OPTIONS } from "../../cli/atlas/find_plan.ts";
import { UsageError } from "../../cli/shared/options.ts";
import { begin, mindseye, outcomeOf } from "../cli/mindseye.ts";
import { exists, inFolder, until } from "../cli/run_files.ts";
import { drawPhotos } from "../draw_photos.ts";
import { resultsOf } from "./results.ts";

const PLAN = {
  folders: ["drawings"],
  networks: [{ model: "motifs", layers: ["features.12"] }],
  objectives: [{ facets: 2, embedding: "pca" }, { channels: "2-3", photos: true }],
  presets: [{ preset: "soft", size: 32, parameters: { iterations: 30 }, "save-every": 5 }],
  "no-tune": true,
};

/** Plans without a process. */
async function plan(wanted: unknown, file: string, out: string, shard?: number): Promise<void> {
  writePlan(out, await findPlan(parseWanted(wanted, file, PLAN_OPTIONS), { file, out, shard }));
}

/** Names of the photos that each picture is made of. */
function photosOf(run: string): string[][] {
  const manifest = JSON.parse(Deno.readTextFileSync(join(run, "manifest.json")));
  const pictures: { chosen?: { image: string }[]; photos?: { image: string }[] }[] =
    manifest.facets ?? manifest.pictures;
  return pictures.map(({ chosen, photos }) => (chosen ?? photos!).map(({ image }) => image));
}

const jobsOf = (atlas: string) =>
  Deno.readTextFileSync(join(atlas, "jobs.jsonl")).trim().split("\n").map((line) =>
    JSON.parse(line)
  );

Deno.test("an atlas is run by some processes that die, and is what one of them makes alone", async () => {
  await inFolder(async (folder) => {
    await drawPhotos(join(folder, "drawings"), { count: 10, size: 32 });
    const file = join(folder, "atlas.json");
    Deno.writeTextFileSync(file, JSON.stringify(PLAN));
    const [alone, shared] = [join(folder, "alone"), join(folder, "shared")];
    const planned = await mindseye(["atlas", "plan", file, "--out", alone]);
    assert.equal(planned.code, 0, planned.err);
    assert.match(planned.out, /^3 jobs: 2 runs of 4 pictures, and 1 looks at photos/);
    assert.match(planned.out, /not known before/);
    const done = await mindseye(["atlas", "run", alone]);
    assert.equal(done.code, 0, done.err);
    assert.match(done.out, /3 of 3 jobs done/);
    const expected = resultsOf(join(alone, "runs"));
    assert.ok([...expected.keys()].filter((name) => name.endsWith("final.png")).length === 4);
    const copies = resultsOf(join(alone, "small"));
    assert.ok([...copies.keys()].filter((name) => name.endsWith(".webp")).length === 4);

    await plan(PLAN, file, shared);
    assert.deepEqual(jobsOf(shared), jobsOf(alone));
    const run = ["atlas", "run", shared, "--patience", "2"];
    const inTheMiddle = () =>
      exists(join(shared, "work")) &&
      [...Deno.readDirSync(join(shared, "work"))].some(({ name }) =>
        exists(join(shared, "work", name, ".run", "state.safetensors"))
      );
    const killed = begin(run);
    await until(inTheMiddle);
    killed.kill("SIGKILL");
    await outcomeOf(killed);
    const ended = begin(run);
    const waits = begin(run);
    await until(() => [...Deno.readDirSync(join(shared, "workers"))].length >= 9);
    await until(inTheMiddle);
    ended.kill("SIGTERM");
    const code = (await outcomeOf(ended)).code;
    assert.ok(code === 143 || code === 0, `exit code ${code}`);
    const last = await outcomeOf(waits);
    assert.equal(last.code, 0, last.err);
    assert.deepEqual(resultsOf(join(shared, "runs")), expected);
    assert.deepEqual(resultsOf(join(shared, "small")), copies);
    assert.deepEqual([...Deno.readDirSync(join(shared, "work"))], []);

    // A folder in parts, of which none is held: the same photos are chosen.
    const parts = join(folder, "parts");
    await plan(PLAN, file, parts, 4);
    assert.equal(jobsOf(parts).length, 3 + 2);
    const inParts = await mindseye(["atlas", "run", parts]);
    assert.equal(inParts.code, 0, inParts.err);
    for (const job of jobsOf(parts).filter(({ kind }) => kind === "grow")) {
      const [whole, part] = [alone, parts].map((atlas) => photosOf(join(atlas, "runs", job.name)));
      assert.ok(whole!.flat().length >= 4);
      assert.deepEqual(part, whole);
      const table = join(parts, "runs", job.name, "photos.csv");
      assert.equal(exists(table), job.objective === 0);
      if (exists(table)) assert.equal(Deno.readTextFileSync(table).trim().split("\n").length, 11);
    }

    // More is planned; what is done stays done. What cannot be done is told, and tried again when asked.
    const [drawing, photo] = [join(folder, "drawings", "image_001.png"), join(folder, "photo.png")];
    await Deno.copyFile(drawing, photo);
    await plan({ ...PLAN, objectives: [...PLAN.objectives, { like: "photo.png" }] }, file, shared);
    await Deno.remove(photo);
    const failed = await mindseye([...run, "--leave"]);
    assert.equal(failed.code, 1);
    assert.match(failed.err, /1 job failed, such as .*like_photo.*photo\.png/);
    const status = await mindseye(["atlas", "status", shared]);
    assert.match(status.out, /3 of 4 jobs done.*; 1 failed\nfailed: .*\n$/);
    await Deno.copyFile(drawing, photo);
    const retried = await mindseye([...run, "--retry"]);
    assert.equal(retried.code, 0, retried.err);
    assert.match(retried.out, /4 of 4 jobs done/);
  });
});

Deno.test("plans that make no sense are refused in a line", async () => {
  await inFolder(async (folder) => {
    await drawPhotos(join(folder, "drawings"), { count: 4, size: 16 });
    const file = join(folder, "atlas.json");
    const cases: readonly (readonly [change: Record<string, unknown>, error: RegExp])[] = [
      [{ networks: [] }, /"networks": expected a list of at least one, got \[\]/],
      [{ netwroks: [] }, /there is no "netwroks" in a plan; nearest: networks/],
      [{ folders: [{ paths: "x" }] }, /folder 1: expected "PATH" or/],
      [{ folders: ["nowhere"] }, /there is no folder .*nowhere/],
      [{ networks: [{ model: "motifs", layers: ["features.99"] }] }, /no module "features\.99"/],
      [{ networks: [{ model: "motifs" }] }, /"layers" of network 1: expected a list of names/],
      [{ objectives: [{ facettes: 2 }] }, /there is no "facettes"; nearest: facets/],
      [{ objectives: [{ channels: "500" }] }, /the layer has \d+, .*there is no 500/],
      [{ objectives: [{ facets: 2, photos: false }] }, /objective 1: facets are of photos/],
      [{ objectives: [{ facets: 0 }] }, /facets: expected a whole number/],
      [{ presets: ["defualt"] }, /defualt/],
      [{ presets: [{ parameters: { iteratoins: 4 } }] }, /iteratoins/],
      [{ presets: ["soft", "soft"] }, /asks twice for/],
      [{ folders: [{ path: "drawings", each: true }] }, /there are no folders in/],
    ];
    for (const [change, error] of cases) {
      await assert.rejects(plan({ ...PLAN, ...change }, file, join(folder, "out")), (thrown) => {
        assert.ok(thrown instanceof UserError || thrown instanceof UsageError, `${thrown}`);
        assert.match(thrown.message, error);
        return true;
      });
    }
    assert.ok(!exists(join(folder, "out")));
    Deno.writeTextFileSync(file, "no JSON");
    const wrong = await mindseye(["atlas", "plan", file, "--out", join(folder, "out")]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /^error: .*atlas\.json cannot be read as a plan: [^\n]*\n$/);
    const none = await mindseye(["atlas", "run", join(folder, "out")]);
    assert.match(none.err, /holds no atlas: there is no plan\.json/);
  });
});
