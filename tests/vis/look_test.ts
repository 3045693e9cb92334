import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openGpu } from "../../kernels/runtime/device.ts";
import { createModel } from "../../models/registry.ts";
import { Random } from "../../base/random.ts";
import { mean, type Tensor } from "../../ops/mod.ts";
import { poolActivations } from "../../vis/photos/activations.ts";
import {
  askFolder,
  type Look,
  lookAtPhotos,
  type LookOptions,
  type Question,
} from "../../vis/photos/look.ts";
import { listPhotos, readPhotos } from "../../vis/photos/photos.ts";
import { encodePng } from "../../vis/photos/png.ts";
import { openTrunks } from "../../vis/trunk.ts";
import { maxDifference } from "../goldens.ts";

const SIZE = 32;
const LAYERS = ["features.20", "features.4"];

/** A folder of `count` noise pictures; with these files besides; gone afterwards. */
async function withPhotos(count: number, body: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    for (let i = 0; i < count; i++) await writeNoise(join(folder, `${10 + i}.png`), i);
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function writeNoise(path: string, seed: number): Promise<void> {
  const random = new Random(seed);
  const rgba = Uint8ClampedArray.from(
    { length: 40 * 30 * 4 },
    (_, j) => j % 4 === 3 ? 255 : random.integer(256),
  );
  await Deno.writeFile(path, await encodePng(rgba, 40, 30));
}

/** Looks with the built-in network; how many photos were not known, and what was noted. */
async function look(folder: string, layers: string[], options: Partial<LookOptions> = {}) {
  using gpu = await openGpu();
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const trunks = openTrunks(model, weights, layers.map((layer) => ({ layer })), SIZE);
  const notes: string[] = [];
  const seen: Look = await lookAtPhotos(gpu, trunks, listPhotos(folder), {
    size: SIZE,
    cache: { folder: join(folder, "kept"), weights },
    onNote: (note) => notes.push(note),
    ...options,
  });
  return { ...seen, notes, computed: seen.images.length - seen.reused };
}

Deno.test("several layers in one pass see what each sees alone, in the order of the photos", async () => {
  await withPhotos(11, async (folder) => { // more than a batch, not a multiple of it
    const { pooled, images } = await look(folder, LAYERS);
    const { photos } = await readPhotos(folder, { size: SIZE });
    assert.deepEqual(images.map(({ name }) => name), photos.map(({ name }) => name));
    assert.deepEqual(await images[10]!.read(), photos[10]!.pixels);
    using gpu = await openGpu();
    const model = createModel("motifs");
    using weights = await model.builtInWeights!();
    const { trunks } = openTrunks(model, weights, LAYERS.map((layer) => ({ layer })), SIZE);
    for (const [i, trunk] of trunks.entries()) {
      const alone = await poolActivations(gpu, trunk, 11, SIZE, (k) => photos[k]!.pixels);
      const largest = alone.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      assert.ok(maxDifference(pooled[i]!, alone) < 1e-5 * largest);
    }
  });
});

Deno.test("a second look computes nothing, a new photo or layer only itself", async () => {
  await withPhotos(9, async (folder) => {
    const first = await look(folder, [LAYERS[0]!]);
    assert.equal(first.computed, 9);
    const second = await look(folder, [LAYERS[0]!]);
    assert.equal(second.computed, 0);
    assert.deepEqual(second.pooled, first.pooled);
    // Another name is the same photo, another picture under the same name is not.
    Deno.renameSync(join(folder, "10.png"), join(folder, "09.png"));
    await writeNoise(join(folder, "11.png"), 77);
    await writeNoise(join(folder, "99.png"), 78);
    const third = await look(folder, [LAYERS[0]!]);
    assert.equal(third.computed, 2);
    const channels = first.pooled[0]!.length / 9;
    const row = ({ pooled }: Look, i: number) =>
      pooled[0]!.subarray(i * channels, (i + 1) * channels);
    assert.deepEqual(row(third, 0), row(first, 0));
    assert.notDeepEqual(row(third, 1), row(first, 1));
    assert.deepEqual(row(third, 8), row(first, 8));
    // A layer more: its answers are new, the others are not asked for again.
    const both = await look(folder, LAYERS);
    assert.deepEqual(both.pooled[0], third.pooled[0]);
    assert.deepEqual((await look(folder, LAYERS)).computed, 0);
    // Deleting it costs time only.
    Deno.removeSync(join(folder, "kept"), { recursive: true });
    const anew = await look(folder, LAYERS);
    assert.equal(anew.computed, 10);
    assert.deepEqual(anew.pooled, both.pooled);
  });
});

Deno.test("a damaged cache is noted and computed again", async () => {
  await withPhotos(3, async (folder) => {
    const first = await look(folder, [LAYERS[0]!]);
    const [file] = readdirSync(join(folder, "kept"));
    Deno.truncateSync(
      join(folder, "kept", file!),
      Deno.statSync(join(folder, "kept", file!)).size - 9,
    );
    Deno.writeTextFileSync(join(folder, "kept", "stranger.txt"), "mine");
    const second = await look(folder, [LAYERS[0]!]);
    assert.match(second.notes[0]!, /damaged/);
    assert.equal(second.computed, 1);
    assert.deepEqual(second.pooled, first.pooled);
    assert.equal(Deno.readTextFileSync(join(folder, "kept", "stranger.txt")), "mine");
  });
});

Deno.test("unreadable photos are skipped, a limit counts the readable ones", async () => {
  await withPhotos(4, async (folder) => {
    Deno.writeTextFileSync(join(folder, "11.png"), "no picture");
    const { images, skipped, pooled } = await look(folder, [LAYERS[0]!], { limit: 2 });
    assert.deepEqual(images.map(({ name }) => name), ["10.png", "12.png"]);
    assert.deepEqual(skipped, [{ file: "11.png", reason: "not a picture" }]);
    const all = await look(folder, [LAYERS[0]!], { cache: undefined });
    assert.deepEqual(pooled[0], all.pooled[0]!.subarray(0, pooled[0]!.length));
  });
});

Deno.test("prepared photos are seen so, kept apart, and handed out as they are", async () => {
  await withPhotos(3, async (folder) => {
    const plain = await look(folder, [LAYERS[0]!]);
    const negative = { name: "negative", apply: (x: Float32Array) => x.map((v) => 255 - v) };
    const prepared = await look(folder, [LAYERS[0]!], { prepare: negative });
    assert.equal(prepared.computed, 3);
    assert.notDeepEqual(prepared.pooled, plain.pooled);
    const { photos } = await readPhotos(folder, { size: SIZE });
    assert.deepEqual(await prepared.images[0]!.read(), photos[0]!.pixels);
    assert.deepEqual((await look(folder, [LAYERS[0]!])).pooled, plain.pooled);
    const again = await look(folder, [LAYERS[0]!], { prepare: negative });
    assert.equal(again.computed, 0);
    assert.deepEqual(again.pooled, prepared.pooled);
  });
});

Deno.test("one layer under two names is refused", async () => {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const layers = [{ layer: "features.4" }, { layer: "4" }];
  assert.throws(() => openTrunks(model, weights, layers, SIZE), /both features\.4; name it once/);
});

Deno.test("a folder can be asked anything, and the answers are kept by the question's name", async () => {
  await withPhotos(3, async (folder) => {
    using gpu = await openGpu();
    const model = createModel("motifs");
    using weights = await model.builtInWeights!();
    const { pool, trunks } = openTrunks(model, weights, [{ layer: LAYERS[0]! }], SIZE);
    const [{ channels }] = trunks as [typeof trunks[number]];
    const asked: string[][] = [];
    const questions = [{ name: "brightness", length: 1 }, { name: "the pool", length: channels }];
    const ask = (pictures: Tensor, some: readonly Question[]) => {
      asked.push(some.map(({ name }) => name));
      return some.map(({ name }) =>
        name === "brightness" ? mean(pictures, [1, 2, 3]) : pool(pictures, trunks)[0]!
      );
    };
    const options = { size: SIZE, cache: { folder: join(folder, "kept"), weights } };
    const paths = listPhotos(folder);
    const first = await askFolder(gpu, { model, questions, ask }, paths, options);
    const { photos } = await readPhotos(folder, { size: SIZE });
    photos.forEach(({ pixels }, i) => {
      const mean = pixels.reduce((total, v) => total + v / 255 - 0.5, 0) / pixels.length;
      assert.ok(Math.abs(first.answers[0]![i]! - mean) < 1e-5);
    });
    const { pooled } = await look(folder, [LAYERS[0]!], { cache: undefined });
    assert.deepEqual(first.answers[1], pooled[0]);
    asked.length = 0;
    const again = await askFolder(gpu, { model, questions, ask }, paths, options);
    assert.deepEqual([again.answers, again.reused, asked], [first.answers, 3, []]);
  });
});
