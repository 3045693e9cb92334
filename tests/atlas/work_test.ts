/** Work that is shared through a folder: each job once, whoever dies. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Ledger, Outcomes } from "../../atlas/ledger.ts";
import { type Task, work, WorkFailedError } from "../../atlas/work.ts";
import { exists, inFolder, until } from "../cli/run_files.ts";

const WORKER = join(import.meta.dirname!, "synthetic_worker.ts");

function begin(folder: string, jobs: number, milliseconds: number, patience = 60) {
  const args = ["run", "-A", "--no-check", WORKER, folder];
  return new Deno.Command(Deno.execPath(), {
    args: [...args, ...[jobs, milliseconds, patience].map(String)],
    ...{ stdin: "null", stdout: "piped", stderr: "inherit" },
  }).spawn();
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** How often each job was done. */
function times(folder: string): number[] {
  return [...Deno.readDirSync(join(folder, "did"))].map(({ name }) =>
    Deno.statSync(join(folder, "did", name)).size
  );
}

Deno.test("four workers do each job once; all know that all is done", async () => {
  await inFolder(async (folder) => {
    const workers = Array.from({ length: 4 }, () => begin(folder, 200, 1));
    const results = await Promise.all(workers.map((worker) => worker.output()));
    const told = results.map(({ stdout }) => JSON.parse(new TextDecoder().decode(stdout)));
    assert.equal(told.reduce((sum, { done }) => sum + done, 0), 200);
    assert.deepEqual(times(folder), Array(200).fill(1));
    const outcomes = new Outcomes(folder);
    outcomes.refresh();
    assert.equal(outcomes.known.size, 200);
    assert.deepEqual(outcomes.twice, []);
  });
});

Deno.test("a killed worker's job, and no other, is done again, by a worker that waited", async () => {
  await inFolder(async (folder) => {
    const [first, second] = [begin(folder, 12, 200, 1), begin(folder, 12, 200, 1)];
    await until(() => exists(join(folder, "did")) && times(folder).length >= 3);
    first.kill("SIGKILL");
    await first.output();
    assert.equal((await second.output()).code, 0);
    const done = times(folder);
    assert.equal(done.length, 12);
    assert.ok(done.filter((count) => count === 2).length <= 1, done.join());
    assert.ok(done.every((count) => count <= 2), done.join());
    const outcomes = new Outcomes(folder);
    outcomes.refresh();
    assert.equal(outcomes.known.size, 12);
  });
});

Deno.test("a claim is one worker's until it ends or its pulse stops", async () => {
  await inFolder(async (folder) => {
    using other = new Ledger(folder, { patience: 0.5 });
    {
      using ledger = new Ledger(folder, { patience: 0.5 });
      assert.ok(ledger.claim("a"));
      assert.equal(other.claim("a"), undefined);
      assert.equal(other.takeOver("a"), undefined);
      await pause(800);
      assert.equal(other.takeOver("a"), undefined, "its pulse is felt");
    }
    const taken = other.takeOver("a");
    assert.deepEqual(taken, { job: "a", generation: 2 });
    assert.ok(other.holds(taken!));

    // One that told what it did, and ended, since we last read.
    {
      using ledger = new Ledger(folder);
      ledger.claim("done");
      other.outcomes.refresh();
      ledger.tell({ job: "done", seconds: 1 });
    }
    assert.equal(other.takeOver("done"), undefined);

    // A worker that is gone without a word, and one that was killed before it wrote its name.
    for (const [job, name] of [["b", "gone"], ["c", ""]] as const) {
      Deno.writeTextFileSync(join(folder, "claims", `${job}.1`), name);
      assert.equal(other.takeOver(job), undefined, "nobody knows yet");
    }
    await pause(600);
    assert.deepEqual(other.takeOver("b"), { job: "b", generation: 2 });
    assert.deepEqual(other.takeOver("c"), { job: "c", generation: 2 });

    // Who was taken for dead finds out.
    using third = new Ledger(folder, { patience: 0.5 });
    const mine = third.claim("d")!;
    Deno.writeTextFileSync(join(folder, "claims", "d.2"), other.worker);
    assert.ok(!third.holds(mine));
  });
});

Deno.test("tasks come after what they need; what fails is told once, and tried again when asked", async () => {
  await inFolder(async (folder) => {
    const order: string[] = [];
    const tasks: Task[] = [
      { name: "late", needs: ["early"] },
      { name: "blocked", needs: ["bad"] },
      { name: "early" },
      { name: "bad" },
    ];
    let fails = true;
    const options = (ledger: Ledger) => ({
      ledger,
      tasks,
      poll: 10,
      run: (task: Task) => {
        order.push(task.name);
        return Promise.resolve(
          task.name === "bad" && fails ? { failed: "no such layer", seconds: 0 } : { seconds: 0 },
        );
      },
    });
    {
      using ledger = new Ledger(folder);
      assert.deepEqual(await work(options(ledger)), { done: 2, failed: 1, left: 1 });
      assert.deepEqual(order, ["early", "bad", "late"]);
    }
    {
      using ledger = new Ledger(folder);
      assert.deepEqual(await work(options(ledger)), { done: 0, failed: 0, left: 1 });
    }
    fails = false;
    order.length = 0;
    using ledger = new Ledger(folder, { retry: true });
    assert.deepEqual(await work(options(ledger)), { done: 2, failed: 0, left: 0 });
    assert.deepEqual(order, ["bad", "blocked"]);
  });
});

Deno.test("a worker at which everything fails stops", async () => {
  await inFolder(async (folder) => {
    const tasks = Array.from({ length: 9 }, (_, i) => ({ name: `${i}` }));
    using ledger = new Ledger(folder);
    const run = () => Promise.resolve({ failed: "the disk is full", seconds: 0 });
    await assert.rejects(work({ ledger, tasks, run }), (error) => {
      assert.ok(error instanceof WorkFailedError);
      assert.match(error.message, /3 jobs in a row failed; the last: the disk is full/);
      return true;
    });
    ledger.outcomes.refresh();
    assert.equal(ledger.outcomes.known.size, 3);
  });
});

Deno.test("half a line of a worker's file is read when it is whole", async () => {
  await inFolder((folder) => {
    const path = join(folder, "workers", "w.jsonl");
    Deno.mkdirSync(join(folder, "workers"));
    const line = JSON.stringify({ job: "ä", seconds: 1 }) + "\n";
    const bytes = new TextEncoder().encode(line);
    const outcomes = new Outcomes(folder);
    Deno.writeFileSync(path, bytes.subarray(0, 9)); // in the middle of a letter
    outcomes.refresh();
    assert.equal(outcomes.known.size, 0);
    Deno.writeFileSync(path, bytes.subarray(9), { append: true });
    Deno.writeTextFileSync(path, "no JSON\n" + line, { append: true });
    outcomes.refresh();
    assert.deepEqual([...outcomes.known.keys()], ["ä"]);
    assert.deepEqual(outcomes.twice, ["ä"]);
    return Promise.resolve();
  });
});
