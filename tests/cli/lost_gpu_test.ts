/** A GPU that is lost in the middle of a run: opened again, and gone on from the last state. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { planar } from "../../vis/drawings.ts";
import { keptRun } from "../../cli/shared/kept_run.ts";
import { openGpu } from "../../kernels/runtime/device.ts";
import { GpuKeeper } from "../../kernels/runtime/keeper.ts";
import { drawClass } from "../../models/motifs/draw.ts";
import { createModel } from "../../models/registry.ts";
import type { RunEvent } from "../../vis/events.ts";
import { lookAtPhotos } from "../../vis/photos/look.ts";
import { chooseParameters } from "../../vis/presets.ts";
import { RunFolder } from "../../vis/report/run_folder.ts";
import { drawPhotos } from "../draw_photos.ts";
import { useVariants } from "../../ops/conv2d/variants.ts";
import { tuned } from "../../ops/tuning/tune.ts";
import { openTrunks } from "../../vis/trunk.ts";
import { visualize } from "../../vis/visualize.ts";

const SIZE = 32;
const drawings = drawClass({ count: 12, size: SIZE });
const images = drawings.map(({ name, pixels }) => ({ name, pixels: planar(pixels, SIZE * SIZE) }));

/** Stages of a run, and whether an event is of it. */
const STAGES: Record<string, (event: RunEvent, count: number) => boolean> = {
  photos: ({ kind }) => kind === "activations",
  "before compiling": ({ kind }) => kind === "started",
  compiled: ({ kind }) => kind === "ready",
  loop: ({ kind }, count) => kind === "iterations" && count === 3,
  "reading back": ({ kind }) => kind === "pictures",
  "a state": ({ kind }) => kind === "state",
};

/** A run on drawings, whose device is destroyed at the first event of a stage, or while that is awaited. */
async function run(stage?: string, later = false, open = openGpu) {
  const folder = await Deno.makeTempDir();
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const [trunk] = openTrunks(model, weights, [{ layer: "features.12" }], SIZE).trunks;
  const losses: string[] = [];
  try {
    using keeper = await GpuKeeper.open(open, (reason) => losses.push(reason));
    using runFolder = RunFolder.open(join(folder, "run"));
    let done = false;
    let count = 0;
    const iterations: number[] = [];
    const { result } = await keptRun({
      keeper,
      folder: runFolder,
      title: "test",
      images,
      size: SIZE,
      show(event) {
        if (event.kind === "iterations") {
          count++;
          iterations.push(...event.results.map(({ iteration }) => iteration));
        }
        if (done || stage === undefined || !STAGES[stage]!(event, count)) return;
        done = true;
        const { device } = keeper.gpu;
        if (later) setTimeout(() => device.destroy(), 2);
        else device.destroy();
      },
      manifest: {},
      run: (gpu, { tell, signal, stateEvery, kept }) =>
        visualize(gpu, {
          ...{ trunk: trunk!, images, size: SIZE, facets: 2, seed: 3, saveEvery: 8 },
          parameters: chooseParameters("soft", { iterations: 30 }),
          ...{ signal, stateEvery, resume: kept.state },
        }, tell),
    });
    const table = await Deno.readTextFile(join(runFolder.path, "losses.csv"));
    return { pictures: result.pictures, losses, table, iterations };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a GPU that is lost at any stage is opened again, and the pictures are the same", async (t) => {
  const whole = await run();
  assert.deepEqual(whole.losses, []);
  for (const stage of Object.keys(STAGES)) {
    for (const later of [false, true]) {
      await t.step(`${stage}${later ? ", a little later" : ""}`, async () => {
        const again = await run(stage, later);
        assert.equal(again.losses.length, 1, "it was lost once");
        assert.deepEqual(again.pictures, whole.pictures);
        assert.equal(again.table, whole.table);
        // At most what is between two states is repeated.
        assert.ok(again.iterations.length <= 30 + 16, `${again.iterations.length} iterations`);
      });
    }
  }
});

Deno.test("a GPU that is lost while its kernels are measured is opened again", async () => {
  let [measuring, gone] = [0, false];
  const open = async () => {
    const gpu = await openGpu();
    const tuning = tuned(gpu, { cache: null, budget: 1 });
    useVariants(gpu, tuning.choose, async (geometries) => {
      const measured = tuning.prepare(geometries);
      if (++measuring === 1) setTimeout(() => (gone = true, gpu.device.destroy()), 20);
      await measured;
    });
    return gpu;
  };
  const { losses, pictures } = await run(undefined, false, open);
  assert.ok(gone);
  assert.equal(losses.length, 1);
  assert.ok(pictures.every((level) => level >= -0.01 && level <= 255.01));
});

Deno.test("photos are looked at again after a loss; what is lost again and again is given up", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await drawPhotos(folder, { count: 12, size: SIZE });
    const paths = [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name)).toSorted();
    const model = createModel("motifs");
    using weights = await model.builtInWeights!();
    const trunks = openTrunks(model, weights, [{ layer: "features.12" }], SIZE);
    const look = async (destroy: (losses: number) => boolean) => {
      let losses = 0;
      using keeper = await GpuKeeper.open(openGpu, () => losses++);
      const { pooled } = await keeper.use((gpu) =>
        lookAtPhotos(gpu, trunks, paths, {
          size: SIZE,
          onProgress() {
            if (destroy(losses)) gpu.device.destroy();
          },
        })
      );
      return { pooled, losses };
    };
    const whole = await look(() => false);
    const again = await look((losses) => losses === 0);
    assert.equal(again.losses, 1);
    assert.deepEqual(again.pooled, whole.pooled);
    await assert.rejects(look(() => true), /lost 6 times in a row/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
