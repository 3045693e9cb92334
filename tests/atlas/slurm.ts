/**
 * An atlas done by a real Slurm of two nodes on one machine, while nodes are drained and elements are
 * killed, requeued, cancelled and out of time; then compared, byte by byte, with what one process makes
 * alone. Needs root, slurm-wlm and munge, and ../shared. Not among the tests: it takes minutes.
 *
 * usage: slurm.ts [FOLDER]
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Outcomes } from "../../atlas/ledger.ts";
import { readAtlas } from "../../cli/atlas/atlas_folder.ts";
import { mindseye, ROOT } from "../cli/mindseye.ts";
import { drawPhotos } from "../draw_photos.ts";
import { resultsOf } from "./results.ts";
import { NODES, noSlurm, Slurm } from "./slurm_nodes.ts";

const SHARED = join(ROOT, "..", "shared");

/** 24 runs: drawings and photos of ants, four networks, six layers, facets and channels. */
const plan = (shared: string) => ({
  folders: ["drawings", { path: join(shared, "images", "ants"), limit: 12 }],
  networks: [
    { model: "motifs", layers: ["features.12", "features.20"] },
    ...[
      ["squeezenet1_1", "features.7", "features.12"],
      ["resnet18", "layer2"],
      ["cifar10_resnet20", "layer3"],
    ].map(([model, ...layers]) => ({
      model,
      weights: join(shared, "weights", `${model}.safetensors`),
      layers,
    })),
  ],
  objectives: [{ facets: 2 }, { channels: "3,7", photos: true }],
  presets: [{ preset: "soft", size: 64, parameters: { iterations: 60 }, "save-every": 10 }],
  "no-tune": true,
});

const started = performance.now();

function tell(text: string): void {
  // deno-lint-ignore no-console
  console.log(`${((performance.now() - started) / 1e3).toFixed(0).padStart(4)} s  ${text}`);
}

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, 1e3 * seconds));

async function ask(args: string[]): Promise<string> {
  const { code, out, err } = await mindseye(args);
  assert.equal(code, 0, err);
  return out.trim();
}

async function main(folder: string): Promise<void> {
  const reason = noSlurm();
  if (reason !== undefined) throw new Error(`there is no Slurm: ${reason}`);
  const [alone, shared, file] = ["alone", "shared", "atlas.json"].map((name) =>
    join(folder, name)
  ) as [
    ...[string, string, string],
  ];
  await drawPhotos(join(folder, "drawings"), { count: 12, size: 64 });
  await Deno.writeTextFile(file, JSON.stringify(plan(SHARED)));
  tell((await ask(["atlas", "plan", file, "--out", alone])).split("\n")[0]!);
  await ask(["atlas", "plan", file, "--out", shared]);
  const { jobs } = readAtlas(shared);
  assert.equal(jobs.filter(({ kind }) => kind === "grow").length, 24);

  const before = performance.now();
  tell(await ask(["atlas", "run", alone]));
  tell(`alone: ${((performance.now() - before) / 1e3).toFixed(1)} s`);

  await using slurm = await Slurm.start(join(folder, "slurm"));
  const script = join(folder, "atlas.sh");
  const options = ["--elements", "4", "--time", "2", "--grace", "30", "--patience", "5"];
  await Deno.writeTextFile(script, await ask(["atlas", "sbatch", shared, ...options]) + "\n");
  const number = /\d+$/.exec(await slurm.run("sbatch", [script]))![0];
  tell(`submitted array ${number}`);

  const outcomes = new Outcomes(shared);
  const element = (i: number) => `${number}_${i}`;
  const running = async () =>
    (await slurm.run("squeue", ["-h", "-t", "R", "-o", "%K %N"])).split("\n").filter((line) =>
      line
    );
  /** Each once that so many jobs are done. */
  const events: [done: number, what: string, act: () => Promise<unknown>][] = [
    [3, "element 0 is requeued", () => slurm.run("scontrol", ["requeue", element(0)])],
    [7, `${NODES[1]} is drained, what runs there is requeued`, async () => {
      await slurm.run("scontrol", [
        "update",
        `nodename=${NODES[1]}`,
        "state=drain",
        "reason=trial",
      ]);
      const there = (await running()).find((line) => line.endsWith(NODES[1]));
      if (there) await slurm.run("scontrol", ["requeue", element(Number(there.split(" ")[0]))]);
    }],
    [11, `${NODES[1]} is there again`, async () => {
      await slurm.run("scontrol", ["update", `nodename=${NODES[1]}`, "state=resume"]);
    }],
    [14, "a running element's processes are killed (kill -9)", async () => {
      const [first] = await running();
      const which = element(Number(first?.split(" ")[0] ?? 0));
      await slurm.run("scancel", ["--signal=KILL", "--full", which]);
    }],
    [18, "a running element is cancelled", async () => {
      const [first] = await running();
      await slurm.run("scancel", [element(Number(first?.split(" ")[0] ?? 0))]);
    }],
  ];
  const begun = performance.now();
  for (;;) {
    await pause(0.5);
    outcomes.refresh();
    const done = outcomes.known.size;
    while (events.length > 0 && done >= events[0]![0]) {
      const [, what, act] = events.shift()!;
      tell(`${done} done: ${what}`);
      await act().catch((error) => tell(`  (${error.message})`));
    }
    const queue = await slurm.run("squeue", ["-h", "-r", "-o", "%K:%T:%r"]);
    if (queue === "") {
      if (done === jobs.length) break;
      // All elements are gone: cancelled, killed. The same script goes on.
      tell(`${done} done, no element left: submitted again`);
      await slurm.run("sbatch", [script]);
    }
    if (performance.now() - begun > 20 * 60e3) throw new Error(`not done: ${done}; ${queue}`);
  }
  tell(`Slurm: ${((performance.now() - begun) / 1e3).toFixed(0)} s`);
  tell(await ask(["atlas", "status", shared]));

  outcomes.refresh();
  const claims = [...Deno.readDirSync(join(shared, "claims"))].map(({ name }) => name);
  const over = claims.filter((name) => !name.endsWith(".1"));
  tell(
    `${over.length} jobs taken over from workers that ended; ${outcomes.twice.length} done twice`,
  );
  for (const { name } of Deno.readDirSync(shared)) {
    if (name.startsWith("slurm-")) {
      const log = Deno.readTextFileSync(join(shared, name));
      const requeued = log.match(/DUE TO|ended after|stopped;/g)?.length ?? 0;
      tell(`${name}: ${requeued} ends in the middle`);
    }
  }
  const [expected, got] = [alone, shared].map((atlas) => resultsOf(join(atlas, "runs"))) as [
    ...[Map<string, string>, Map<string, string>],
  ];
  assert.ok(expected.size > 24 * 10);
  assert.deepEqual(got, expected);
  tell(`${got.size} files of 24 runs are the same, byte by byte`);
}

const given = Deno.args[0];
const folder = given ?? await Deno.makeTempDir();
try {
  await main(folder);
} finally {
  if (given === undefined) await Deno.remove(folder, { recursive: true });
}
