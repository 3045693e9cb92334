import assert from "node:assert/strict";
import { Drawing } from "../../vis/report/draw.ts";
import type { Facets } from "../../vis/facets/facets.ts";
import { textStrokes } from "../../vis/report/font.ts";
import type { Rgba } from "../../vis/photos/rgba.ts";
import { drawScatter, facetColour, facetName } from "../../vis/report/scatter.ts";
import { drawContactSheet, drawStrip } from "../../vis/report/strip.ts";

const pixel = (
  { rgba, width }: Rgba,
  x: number,
  y: number,
) => [...rgba.subarray(4 * (y * width + x), 4 * (y * width + x) + 3)];
const grey = (level: number, size: number) => new Float32Array(3 * size * size).fill(level);

Deno.test("shapes cover what they should and stay on the sheet", () => {
  const sheet = new Drawing(40, 30);
  sheet.disc(20, 15, 5, [200, 0, 0]);
  assert.deepEqual(pixel(sheet, 20, 15), [200, 0, 0]);
  assert.deepEqual(pixel(sheet, 20, 8), [255, 255, 255]);
  let area = 0; // covered pixels, edges counted by their share
  for (let i = 0; i < 40 * 30; i++) area += (255 - sheet.rgba[4 * i + 1]!) / 255;
  assert.ok(Math.abs(area - Math.PI * 25) < 1, `a disc of radius 5 covers ${area}`);

  sheet.rectangle(-5, -5, 10, 10, [0, 0, 200]);
  assert.deepEqual(pixel(sheet, 4, 4), [0, 0, 200]);
  assert.deepEqual(pixel(sheet, 5, 4), [255, 255, 255]);
  sheet.disc(40, 30, 8, [1, 2, 3]);
  sheet.ring(0, 30, 8, 2, [1, 2, 3]);
  sheet.text("beyond the edge", 20, 25);
  assert.equal(sheet.rgba.length, 4 * 40 * 30);
  assert.ok(sheet.rgba.every((value, i) => i % 4 < 3 || value === 255), "opaque everywhere");
});

Deno.test("text has a width, and unknown letters are boxes", () => {
  assert.ok(textStrokes("facet 10", 12).width > textStrokes("facet 1", 12).width);
  assert.equal(textStrokes("WW", 24).width, 2 * textStrokes("WW", 12).width);
  assert.equal(textStrokes("", 12).width, 0);
  assert.deepEqual(textStrokes("ü", 12), textStrokes("漢", 12));
  for (
    const character of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:-_()%/"
  ) {
    const { segments } = textStrokes(character, 12);
    assert.ok(segments.length > 0 && segments.flat().every(Number.isFinite), character);
    assert.notDeepEqual(segments, textStrokes("ü", 12).segments, character);
  }
});

Deno.test("a strip shows its pictures, small ones enlarged, large ones reduced", () => {
  const frames = [0, 100, 200].map((level) => ({ label: String(level), picture: grey(level, 32) }));
  const strip = drawStrip({ frames }, { size: 32 }); // drawn at 96
  for (const [i, level] of [0, 100, 200].entries()) {
    assert.deepEqual(pixel(strip, 16 + (96 + 8) * i + 48, 64), [level, level, level]);
  }
  const small = drawStrip({ title: "facet 1", frames }, { size: 32, tile: 16 });
  assert.ok(small.width < strip.width);
  assert.throws(() => drawStrip({ frames: [] }, { size: 32 }), /no picture/);
  assert.throws(() => drawStrip({ frames }, { size: 31, tile: 16 }), RangeError);
});

Deno.test("a contact sheet holds every strip", () => {
  const strips = [10, 20, 30, 40, 50].map((level) => ({
    title: "facet",
    frames: [{ label: "start", picture: grey(level, 16) }],
  }));
  const sheet = drawContactSheet(strips, { size: 16, columns: 2 });
  const one = drawStrip(strips[0]!, { size: 16 });
  assert.deepEqual([sheet.width, sheet.height], [2 * one.width, 3 * one.height]);
  const centre = [16 + 8, 16 + 25 + 8] as const;
  assert.deepEqual(pixel(sheet, one.width + centre[0], one.height + centre[1]), [40, 40, 40]);
  assert.throws(() => drawContactSheet([], { size: 16 }), /no strip/);
});

Deno.test("the scatter plot shows each facet's colour and thumbnail", () => {
  const facets: Facets = {
    embedding: Float64Array.of(0, 0, 1, 0, 0, 1, 9, 9, 10, 9, 9.5, 9.5),
    labels: Int32Array.of(0, 0, 0, 1, 1, 1),
    centres: Float64Array.of(1 / 3, 1 / 3, 9.5, 9.2),
    sizes: Int32Array.of(3, 3),
  };
  const thumbnails = [grey(77, 8), grey(177, 8)];
  const plot = drawScatter(facets, { thumbnails, size: 8, title: "six images" });
  assert.ok(plot.width >= 1000 && plot.width <= 1200);
  const seen = new Set<string>();
  for (let i = 0; i < plot.rgba.length; i += 4) seen.add(plot.rgba.subarray(i, i + 3).join());
  for (const colour of [facetColour(0), facetColour(1), [77, 77, 77], [177, 177, 177]]) {
    assert.ok(seen.has(colour.join()), `nothing is drawn in ${colour}`);
  }
  assert.throws(() => drawScatter(facets, { thumbnails: [], size: 8 }), /2 facets, but 0/);
  assert.equal(facetName(0, 42), "facet 1 (42 images)");
  assert.equal(facetName(1, 1), "facet 2 (1 image)");
});

Deno.test("the scatter plot bears one image and many facets", () => {
  for (const count of [1, 25]) {
    const facets: Facets = {
      embedding: Float64Array.from({ length: 2 * count }, (_, i) => i * i % 17),
      labels: Int32Array.from({ length: count }, (_, i) => i),
      centres: Float64Array.from({ length: 2 * count }, (_, i) => i * i % 17),
      sizes: new Int32Array(count).fill(1),
    };
    const thumbnails = Array.from({ length: count }, () => grey(9, 4));
    assert.ok(drawScatter(facets, { thumbnails, size: 4 }).rgba.length > 0);
  }
});
