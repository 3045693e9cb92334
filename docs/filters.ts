/**
 * Draws what the built-in model's first convolution has learned: each filter's weights as colours,
 * grey where they are zero, all on one scale.
 *
 *     deno task docs:filters
 */
import { join } from "node:path";
import { motifsWeights } from "../models/architectures/motifs_net.ts";
import { encodePng } from "../vis/photos/png.ts";

/** Sizes in the drawing, in pixels. */
const [WEIGHT, GAP, ACROSS] = [12, 8, 8];

using weights = await motifsWeights();
const KEY = "features.0.weight";
const [filters, channels, height, width] = weights.shape(KEY) as [number, number, number, number];
const values = weights.read(KEY);
const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const [tileWidth, tileHeight] = [width * WEIGHT + GAP, height * WEIGHT + GAP];
const sheet = {
  width: ACROSS * tileWidth + GAP,
  height: Math.ceil(filters / ACROSS) * tileHeight + GAP,
};
const rgba = new Uint8ClampedArray(4 * sheet.width * sheet.height).fill(255);
for (let filter = 0; filter < filters; filter++) {
  const left = GAP + (filter % ACROSS) * tileWidth;
  const top = GAP + Math.floor(filter / ACROSS) * tileHeight;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const level = (c: number) =>
        127.5 * (1 + values[((filter * channels + c) * height + y) * width + x]! / largest);
      const row = Array.from({ length: WEIGHT }, () => [level(0), level(1), level(2), 255]).flat();
      for (let line = 0; line < WEIGHT; line++) {
        rgba.set(row, 4 * ((top + y * WEIGHT + line) * sheet.width + left + x * WEIGHT));
      }
    }
  }
}
await Deno.writeFile(
  join(import.meta.dirname!, "pictures", "filters.png"),
  await encodePng(rgba, sheet.width, sheet.height),
);
