/** A little of what `deno task reliability:fuzz` does at length; and what it found. */
import assert from "node:assert/strict";
import { countAllocations } from "./allocations.ts";
import { fuzz } from "./fuzz.ts";
import { TARGETS } from "./targets.ts";

/** Files of each kind. */
const COUNT = 150;

countAllocations();

Deno.test("damaged files are refused in a line, quickly, without much memory", async (t) => {
  for (const [name, target] of Object.entries(TARGETS)) {
    const seeds = await target.seeds();
    // deno-lint-ignore no-console
    if (seeds.length === 0) console.warn(`SKIPPED fuzzing ${name}: ../shared has no files of it`);
    await t.step({
      name,
      ignore: seeds.length === 0,
      async fn() {
        const { read, refused, findings } = await fuzz(name, target, 7_000_000, COUNT);
        assert.deepEqual(findings, []);
        assert.equal(read + refused, COUNT);
      },
    });
  }
});
