/** Runs in a page whose device is lost, beside one that keeps it. */
import assert from "node:assert/strict";
import type { STAGES } from "../reliability/lost_gpu.ts";
import type { BrowserPage } from "./browser.ts";

/** Throws unless the pictures are the same, whenever the device is lost. */
export async function compareLosses(
  page: BrowserPage,
  stages: readonly typeof STAGES[number][],
): Promise<void> {
  const whole = await page.ask("growThroughLoss");
  assert.deepEqual([whole.losses, whole.iterations], [0, 12]);
  for (const stage of stages) {
    const again = await page.ask("growThroughLoss", stage);
    assert.equal(again.losses, 1, stage);
    // Pictures are saved, and states kept, every four.
    assert.ok(again.iterations <= 12 + 4, `${stage}: ${again.iterations} iterations`);
    assert.deepEqual(again.pictures, whole.pictures, stage);
  }
}
