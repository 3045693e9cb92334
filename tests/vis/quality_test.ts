/** Measures of quality: on pictures whose measure is known, and with the built-in network. */
import assert from "node:assert/strict";
import { planar } from "../../vis/drawings.ts";
import { type Quality, qualityTable } from "../../cli/shared/quality_table.ts";
import { drawClass, FACETS } from "../../models/motifs/draw.ts";
import { createModel } from "../../models/registry.ts";
import { Random } from "../../ops/mod.ts";
import { centredCosine, cropsOf, Judge, saturated, totalVariation } from "../../vis/quality.ts";
import { openTrunk } from "../../vis/trunk.ts";
import { gpuForTests } from "../compare.ts";

const gpu = await gpuForTests();

Deno.test("total variation is the mean step between neighbours", () => {
  // Columns 0, 10, 20, 30 in one plane and nothing in the others.
  const size = 4;
  const picture = Float32Array.from({ length: 48 }, (_, i) => i < 16 ? 10 * (i % 4) : 7);
  // 12 steps of 10 between columns, 12 of 0 between rows, 48 of 0 in the other planes.
  assert.ok(Math.abs(totalVariation(picture, size) - 120 / 72) < 1e-6);
  assert.equal(totalVariation(new Float32Array(48).fill(3), size), 0);
});

Deno.test("a pixel is saturated when one of its channels is, as saved", () => {
  const picture = [0.4, 0.6, 100, 100, 100, 100, 254.6, 100, 100, 100, 100, 254.4];
  assert.equal(saturated(picture), 0.5);
});

Deno.test("the centred cosine is 1, 0 or -1 where it must be, and 0 without a direction", () => {
  const mean = [5, 5];
  assert.ok(Math.abs(centredCosine([6, 7], [7, 9], mean) - 1) < 1e-12);
  assert.ok(Math.abs(centredCosine([6, 7], [4, 3], mean) + 1) < 1e-12);
  assert.ok(Math.abs(centredCosine([6, 5], [5, 8], mean)) < 1e-12);
  assert.equal(centredCosine([5, 5], [6, 7], mean), 0);
});

Deno.test("a judge knows a facet's own picture, at any size, from another's and from noise", async () => {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const size = 64;
  const trunk = openTrunk(model, weights, { layer: "features.20" }, size);
  const drawings = drawClass({ count: 24, size });
  const images = drawings.map(({ name, pixels }) => ({ name, pixels: planar(pixels, size ** 2) }));
  const judge = await Judge.create(gpu, trunk, images, size);
  // A facet's target is one of its drawings; the pictures are another of its drawings, then noise.
  const of = (facet: number) => drawings.flatMap((d, i) => d.facet === facet ? [i] : []);
  const targets = FACETS.map((_, f) => ({ indices: [of(f)[0]!], weights: [1] }));
  const random = new Random(3);
  const noise = () => Float32Array.from({ length: 3 * size ** 2 }, () => random.uniform(0, 255));
  const shown = (pictures: Float32Array[]) =>
    judge.transfer(Float32Array.from(pictures.flatMap((p) => [...p])), size, targets);
  const same = await shown(FACETS.map((_, f) => images[of(f)[0]!]!.pixels));
  const own = await shown(FACETS.map((_, f) => images[of(f)[1]!]!.pixels));
  const other = await shown(FACETS.map((_, f) => images[of((f + 1) % FACETS.length)[1]!]!.pixels));
  const nothing = await shown(FACETS.map(noise));
  for (const value of same) assert.ok(Math.abs(value - 1) < 1e-5, `${same}`);
  const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  for (const value of own) assert.ok(value > 0.5, `${own}`);
  assert.ok(mean(other) < mean(own) - 0.4, `${own} and ${other}`);
  assert.ok(mean(nothing) < mean(own) - 0.4, `${own} and ${nothing}`);
  // Twice the size, each pixel four times: the same picture.
  const large = FACETS.flatMap((_, f) => {
    const { pixels } = images[of(f)[0]!]!;
    return Array.from({ length: 12 * size ** 2 }, (_, i) => {
      const [c, y, x] = [
        Math.floor(i / (4 * size ** 2)),
        Math.floor(i / (2 * size)) % (2 * size),
        i % (2 * size),
      ];
      return pixels[(c * size + (y >> 1)) * size + (x >> 1)]!;
    });
  });
  const again = await judge.transfer(Float32Array.from(large), 2 * size, targets);
  for (const value of again) assert.ok(Math.abs(value - 1) < 1e-4, `${again}`);
});

Deno.test("the table has lines for photos, starts, facets and all of them, over seeds", () => {
  const row = (facet: number, seed: number, final: number): Quality => ({
    ...{ preset: "default", model: "net", layer: "layer", seed, facet },
    own: { photos: 1, start: 0.5, final },
    distance: { photos: undefined, start: 2, final },
    variation: { photos: 6, start: 4, final: 5 },
    saturated: { photos: 0, start: 0, final: 0.125 },
    transfer: {
      a: { photos: 0.5, start: 0.1, final: 0.2 },
      b: { photos: 0.7, start: 0.3, final: 0.6 },
    },
    judged: {
      judge: {
        photos: { best: 0.9, mean: 0.5 },
        start: { best: 0, mean: 0 },
        final: { best: final / 10, mean: 0.1 },
      },
    },
  });
  const lines = qualityTable([row(1, 0, 1), row(2, 0, 2), row(1, 1, 2), row(2, 1, 3)]).split("\n");
  const cells = lines.map((line) => line.split("|").slice(3, -1).map((cell) => cell.trim()));
  assert.deepEqual(cells[0]!.slice(-2), ["judge, best", "mean"]);
  assert.deepEqual(
    cells.slice(2).map(([picture, own, distance, , , transfer, best]) => {
      return [picture, own, distance, transfer, best];
    }),
    [
      ["photos", "1.00 ± 0.00", "—", "0.60 ± 0.00", "0.90 ± 0.00"],
      ["start", "0.50 ± 0.00", "1.00 ± 0.00", "0.20 ± 0.00", "0.00 ± 0.00"],
      ["facet 1", "1.50", "0.75", "0.40", "0.15"],
      ["facet 2", "2.50", "1.25", "0.40", "0.25"],
      ["all facets", "2.00 ± 0.50", "1.00 ± 0.25", "0.40 ± 0.00", "0.20 ± 0.05"],
    ],
  );
});

Deno.test("crops are the whole, then corners and middles of two sides", () => {
  const side = 10;
  const picture = Float32Array.from({ length: 3 * side * side }, (_, i) => i % (side * side));
  const crops = cropsOf(picture, side, 10);
  assert.equal(crops.length, 11);
  assert.deepEqual(crops[0], picture);
  const quarter = cropsOf(picture, side, 5).at(-2)!; // the lower right corner of half the side
  assert.equal(quarter[0], 55);
  assert.equal(quarter.at(-1), 99);
});
