/**
 * A worker whose jobs are nothing but time: it adds a letter to a file for each, so that one can count
 * how often each was done. usage: synthetic_worker.ts FOLDER JOBS MILLISECONDS PATIENCE
 */
import { join } from "node:path";
import { Ledger } from "../../atlas/ledger.ts";
import { work } from "../../atlas/work.ts";

const [folder, jobs, milliseconds, patience] = Deno.args as [string, string, string, string];
const tasks = Array.from({ length: Number(jobs) }, (_, i) => ({ name: `job${i}` }));
Deno.mkdirSync(join(folder, "did"), { recursive: true });
using ledger = new Ledger(folder, { patience: Number(patience) });
const started = performance.now();
const { done } = await work({
  ledger,
  tasks,
  poll: 100,
  async run({ name }) {
    Deno.writeTextFileSync(join(folder, "did", name), "x", { append: true });
    await new Promise((resolve) => setTimeout(resolve, Number(milliseconds)));
    return { seconds: Number(milliseconds) / 1e3 };
  },
});
// deno-lint-ignore no-console
console.log(JSON.stringify({ done, seconds: (performance.now() - started) / 1e3 }));
