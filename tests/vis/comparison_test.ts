import assert from "node:assert/strict";
import { differences, picturesIn } from "../../vis/report/comparison.ts";
import { parseManifest } from "../../vis/report/manifest.ts";

const of = (others: Record<string, unknown>) =>
  parseManifest(JSON.stringify({ format: 1, status: "finished", ...others }), "manifest.json");

const PHOTOS = of({
  model: "motifs",
  seed: 0,
  octaves: [{ iterations: 20, start_lr: 0.1 }],
  summary: [{ facet: 1, own: [0.25, 1.5], distance: [0.5, 0.125] }],
  facets: [{ facet: 1, folder: "facet_01" }],
});
const NOISE = of({
  model: "motifs",
  seed: 7,
  wishes: { channels: "3,8" },
  octaves: [{ iterations: 20, start_lr: 0.1 }, { iterations: 40, start_lr: 0.1 }],
  pictures: [{
    ...{ name: "channel 3", folder: "channel_03" },
    before: { loss: 1, activation: 0.5 },
    after: { loss: -2, activation: null },
  }],
});

Deno.test("of runs only what differs is told", () => {
  assert.deepEqual(differences([PHOTOS, PHOTOS]), []);
  assert.deepEqual(differences([PHOTOS, NOISE]), [
    { label: "wishes", cells: [undefined, "channels=3,8"] },
    { label: "seed", cells: ["0", "7"] },
    { label: "facets", cells: ["1", undefined] },
    { label: "octaves", cells: ["1", "2"] },
    { label: "octave 2 iterations", cells: [undefined, "40"] },
    { label: "octave 2 start_lr", cells: [undefined, "0.1"] },
  ]);
});

Deno.test("of each picture it is told what came of it, where a run has it", () => {
  assert.deepEqual(picturesIn([PHOTOS, NOISE]), [
    {
      name: "facet 1",
      runs: [{ folder: "facet_01", measured: "own 0.25 → 1.5, distance 0.5 → 0.13" }, undefined],
    },
    {
      name: "channel 3",
      runs: [undefined, { folder: "channel_03", measured: "activation 0.5 → ?" }],
    },
  ]);
  // Manifests may be anybody's.
  const odd = of({ octaves: "none", facets: [1, null, { folder: 3 }], pictures: {}, summary: 4 });
  assert.deepEqual(picturesIn([odd]), [{
    name: "facet 1",
    runs: [{ folder: "3", measured: "" }],
  }]);
  assert.deepEqual(picturesIn([of({})]), []);
});
