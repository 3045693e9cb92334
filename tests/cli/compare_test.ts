/** Runs side by side. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { encodePng } from "../../vis/photos/png.ts";
import { mindseye } from "./mindseye.ts";
import { exists, inFolder } from "./run_files.ts";

/** A folder as a run of two channels leaves it, or would have left it. */
async function runAt(
  folder: string,
  { status = "finished", folders = ["channel_03", "channel_08"], ...others }: {
    status?: string;
    folders?: string[];
    seed?: number;
    config?: unknown;
  },
): Promise<void> {
  const metrics = { before: { loss: 1, activation: 0.5 }, after: { loss: -1, activation: 2 } };
  const pictures = folders.map((inside, i) => ({
    ...{ name: `channel <${i}>`, folder: inside, ...metrics },
  }));
  await Deno.mkdir(folder, { recursive: true });
  for (const inside of folders) {
    await Deno.mkdir(join(folder, inside), { recursive: true });
    const png = await encodePng(new Uint8Array(4 * 64).fill(200), 8, 8);
    await Deno.writeFile(join(folder, inside, "final.png"), png);
  }
  const manifest = { format: 1, status, model: "motifs", pictures, ...others };
  await Deno.writeTextFile(join(folder, "manifest.json"), JSON.stringify(manifest));
}

Deno.test("runs are compared in a table and on a sheet", () =>
  inFolder(async (folder) => {
    const [a, b, out] = ["a", "b", "out"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await runAt(a, { seed: 1 });
    await runAt(b, { seed: 2, status: "interrupted", folders: ["channel_03", "../a/channel_08"] });
    await Deno.remove(join(a, "channel_08", "final.png"));
    const { code, out: said, err } = await mindseye(["compare", a, b, "--out", out]);
    assert.equal(code, 0, err);
    assert.match(said, /^what differs +a +b$/m);
    assert.match(said, /^seed +1 +2$/m);
    assert.doesNotMatch(said, /^model/m);
    assert.match(said, /^channel <0> +activation 0.5 → 2 +activation 0.5 → 2$/m);
    assert.match(err, /^b is not finished/m);
    assert.match(err, /channel_08.final\.png is left out/);
    const sheet = await Deno.readTextFile(join(out, "compare.svg"));
    // Of four pictures one is gone, and one is said to be outside of its run.
    assert.equal(sheet.match(/<image /g)!.length, 2);
    assert.ok(sheet.includes("<title>b: activation 0.5 → 2</title>"));
    assert.ok(sheet.includes("channel &lt;1&gt;"));
  }));

Deno.test("what cannot be compared is said", () =>
  inFolder(async (folder) => {
    const run = join(folder, "run");
    await runAt(run, {});
    const out = join(folder, "out");
    const none = await mindseye(["compare", run, folder + "/nowhere", "--out", out]);
    assert.equal(none.code, 1);
    assert.match(none.err, /nowhere holds no run: there is no manifest\.json/);
    const one = await mindseye(["compare", run, "--out", out]);
    assert.equal(one.code, 2);
    assert.match(one.err, /expected two runs or more/);
    assert.ok(!exists(out));
    await Deno.writeTextFile(join(run, "channel_08", "final.png"), "no picture");
    const damaged = await mindseye(["compare", run, run, "--out", out]);
    assert.equal(damaged.code, 1);
    assert.match(damaged.err, /final\.png is no square PNG/);
    assert.doesNotMatch(damaged.err, /^\s+at /m);
  }));
