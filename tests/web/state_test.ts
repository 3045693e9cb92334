/** What a page makes of a run's lines. */
import assert from "node:assert/strict";
import { RunView } from "../../web/state/run_view.ts";
import { TimeLeft } from "../../web/page/time_left.ts";
import { HOSTILE, manyChannels, syntheticRun } from "./synthetic_run.ts";

function view(text: string): RunView {
  const run = new RunView();
  run.takeText(text);
  return run;
}

Deno.test("a run is the sum of its lines, and the same when they come again", async () => {
  const text = await syntheticRun({ facets: 2, photos: 12, iterations: 20 });
  const run = view(text);
  assert.equal(run.status, "finished");
  assert.equal(run.progress, 1);
  assert.equal(run.photos.get(0)!.name, HOSTILE);
  assert.deepEqual(run.pictures.map(({ name }) => name), ["facet 1", "facet 2"]);
  for (const [i, picture] of run.pictures.entries()) {
    assert.deepEqual(picture.frames.map(({ iteration }) => iteration), [0, 10, 20]);
    assert.equal(picture.final!.iteration, 20);
    assert.equal(picture.photos.length, 6);
    assert.equal(run.history.get(i)!.size, 20);
    assert.ok(picture.before!.own! < picture.after!.own!);
  }
  // From the middle on, as after a break; and with half a line of one that was killed.
  const lines = text.split("\n");
  const again = view(text + lines.slice(lines.length >> 1).join("\n") + '{"kind":"fini');
  assert.deepEqual(again.pictures, run.pictures);
  assert.deepEqual(again.history, run.history);
  assert.equal(again.status, "finished");
});

Deno.test("a run that goes on says how far it is", async () => {
  const text = await syntheticRun({ facets: 2, photos: 12, iterations: 40, finished: false });
  const run = view(text);
  assert.deepEqual([run.status, run.iteration, run.total, run.progress], ["growing", 20, 40, 0.5]);
  assert.ok(run.pictures.every(({ final, frames }) => !final && frames.length === 3));
});

Deno.test("pictures in batches come to their own places", async () => {
  const run = view(await manyChannels(40, 16));
  assert.equal(run.pictures.length, 40);
  assert.deepEqual(run.pictures.map(({ final }) => final !== undefined), [
    ...Array(16).fill(true),
    ...Array(24).fill(false),
  ]);
  assert.deepEqual([0, 8, 9].map((i) => run.pictures[i]!.before!.activation), [0, 8, 9]);
  assert.equal(run.history.get(15)!.get(2)!.activation, 9);
  assert.equal(run.status, "growing");
  assert.equal(run.progress, 16 / 40);
});

Deno.test("numbers that JSON has no word for, and kinds of later versions", () => {
  const run = new RunView();
  run.takeText(`{"kind":"started","pictures":[{"name":"a","photos":[]}],"metrics":["loss"]}
{"kind":"iterations","total":2,"results":[{"iteration":1,"metrics":[{"loss":"NaN"}],"stopped":[]}]}
{"kind":"of another version"}`);
  assert.ok(Number.isNaN(run.history.get(0)!.get(1)!.loss));
});

Deno.test("time left is told from what was seen, not from what came at once", () => {
  const watch = new TimeLeft();
  assert.equal(watch.watch("growing", 0, 0), undefined);
  assert.equal(watch.watch("growing", 0.5, 0.1), undefined); // all that was before
  for (let t = 1; t <= 10; t++) watch.watch("growing", 0.5 + t / 100, 0.1 + t);
  assert.ok(Math.abs(watch.watch("growing", 0.61, 11.1)! - 39) < 1e-6);
  assert.equal(watch.watch("looking", 0.1, 12), undefined);
});
