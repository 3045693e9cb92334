/** Runs that are ended from outside: nothing is lost, and they go on to the same bytes. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { RunFolder } from "../../vis/report/run_folder.ts";
import { begin, mindseye, outcomeOf } from "./mindseye.ts";
import { exists, filesOf, inFolder, until, viewOf } from "./run_files.ts";

/** A run of some seconds; its states are kept as pictures are saved. */
const RUN = [
  ...["visualize", "--model", "motifs", "--layer", "features.20", "--size", "96"],
  ...["--channels", "8,11", "--preset", "noise", "--iterations", "60", "--save-every", "15"],
  ...["--film", "gif"],
];

// deno-lint-ignore no-explicit-any
const manifestOf = (folder: string): any =>
  JSON.parse(Deno.readTextFileSync(join(folder, "manifest.json")));

const stateOf = (folder: string) => join(folder, ".run", "state.safetensors");

Deno.test("a run that is killed, interrupted or ended goes on to the same bytes", async (t) => {
  await inFolder(async (folder) => {
    const whole = join(folder, "whole");
    assert.equal((await mindseye([...RUN, "--out", whole])).code, 0);
    const expected = filesOf(whole);
    assert.ok(expected.size > 12, [...expected.keys()].join());
    assert.equal(manifestOf(whole).status, "finished");
    assert.ok(!exists(join(whole, ".run")));

    await t.step("kill -9, twice in one run", async () => {
      const out = join(folder, "killed");
      for (const args of [[...RUN, "--out", out], ["resume", out]]) {
        const child = begin(args);
        const before = exists(stateOf(out)) ? Deno.statSync(stateOf(out)).mtime!.getTime() : 0;
        await until(() =>
          exists(stateOf(out)) && Deno.statSync(stateOf(out)).mtime!.getTime() > before
        );
        child.kill("SIGKILL");
        await outcomeOf(child);
        assert.equal(manifestOf(out).status, "running");
      }
      // What a kill in the middle of a write leaves.
      const half = [join(out, "losses.csv"), join(out, "channel_08", "final.png")]
        .map((path) => `${path}.123-0a1b2c3d.part`);
      for (const path of half) Deno.writeTextFileSync(path, "half");
      const resumed = await mindseye(["resume", out]);
      assert.equal(resumed.code, 0, resumed.err);
      assert.match(resumed.err, /going on after iteration (30|45)/);
      assert.deepEqual(filesOf(out), expected);
      assert.deepEqual(viewOf(out), viewOf(whole));
      assert.ok(exists(join(out, "report.html")));
      assert.match((await mindseye(["resume", out])).err, /killed is finished/);
      assert.deepEqual(filesOf(out), expected);
    });

    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      await t.step(`${signal}, from another folder`, async () => {
        const out = join(folder, signal);
        const child = begin([...RUN, "--out", out]);
        await until(() => exists(stateOf(out)));
        child.kill(signal);
        const ended = await outcomeOf(child);
        assert.equal(ended.code, code, ended.err);
        assert.match(ended.err, /ended after iteration \d+; go on with: mindseye resume/);
        assert.doesNotMatch(ended.err, /^\s+at /m);
        const manifest = manifestOf(out);
        assert.equal(manifest.status, "interrupted");
        assert.ok(manifest.ended_after < 60);
        assert.ok(exists(join(out, "overview.png")) && exists(join(out, "losses.csv")));
        if (signal === "SIGTERM") return; // the same is kept
        const moved = join(folder, `moved-${signal}`);
        Deno.renameSync(out, moved);
        const resumed = await mindseye(["resume", moved]);
        assert.equal(resumed.code, 0, resumed.err);
        assert.deepEqual(filesOf(moved), expected);
        assert.equal(manifestOf(moved).command, manifest.command);
      });
    }

    await t.step("a second signal stops at once", async () => {
      const out = join(folder, "twice");
      const child = begin([...RUN, "--out", out]);
      await until(() => exists(stateOf(out)));
      child.kill("SIGINT");
      child.kill("SIGTERM");
      assert.ok([130, 143].includes((await outcomeOf(child)).code));
      assert.equal((await mindseye(["resume", out])).code, 0);
      assert.deepEqual(filesOf(out), expected);
    });

    await t.step("a run is not overwritten, and its manifest makes it again", async () => {
      const refused = await mindseye([...RUN, "--out", whole]);
      assert.equal(refused.code, 1);
      assert.match(refused.err, /holds a run that is finished; .*--out.*--force/);
      Deno.writeTextFileSync(join(whole, "channel_08", "mine.txt"), "not of the run");
      const other = ["--seed", "4", "--channels", "3", "--iterations", "2"];
      const forced = await mindseye([...RUN, ...other, "--out", whole, "--force"]);
      assert.equal(forced.code, 0, forced.err);
      assert.deepEqual([...filesOf(join(whole, "channel_08")).keys()], ["mine.txt"]);
      assert.ok(!exists(join(whole, "channel_11")));

      const killed = join(folder, "killed");
      const again = await mindseye(["rerun", killed]);
      assert.equal(again.code, 0, again.err);
      assert.deepEqual(filesOf(`${killed}-again`), expected);
    });
  });
});

Deno.test("a folder is one process's at a time, and its manifest may be from another time", async () => {
  await inFolder(async (folder) => {
    const out = join(folder, "out");
    const run = [...RUN, "--iterations", "1", "--out", out];
    {
      using _held = RunFolder.open(out);
      const second = await mindseye(run);
      assert.equal(second.code, 1);
      assert.match(second.err, /another process is at work in .*out; wait for it/);
    }
    assert.ok(!exists(out), "nothing was run, nothing is left");
    Deno.mkdirSync(out);
    const manifest = join(out, "manifest.json");
    for (
      const [text, pattern] of [
        ['{"format": 99, "version": "9.9.9", "status": "finished"}', /newer mindseye .*9\.9\.9/],
        ['{"format": "x"}', /no manifest of a run/],
        ["[1", /no manifest: /],
      ] as const
    ) {
      Deno.writeTextFileSync(manifest, text);
      for (
        const args of [run, ["resume", out], ["rerun", out], ["visualize", "--config", manifest]]
      ) {
        const { code, err } = await mindseye(args);
        assert.equal(code, 1, args.join(" "));
        // What is no JSON is told by who reads it.
        if (!args.includes("--config") || text !== "[1") assert.match(err, pattern);
        assert.doesNotMatch(err, /^\s+at /m);
      }
    }
    const { err } = await mindseye(["resume", dirname(out)]);
    assert.match(err, /no manifest/);
    Deno.removeSync(manifest);
    assert.match((await mindseye(["resume", out])).err, /holds no run/);
  });
});
