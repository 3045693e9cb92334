/**
 * Writes drawings as raw bytes for train.py, class after class, `each` pictures per class:
 *
 *     deno run --allow-write models/motifs/dump.ts <file> <each> <size> <seed>
 *
 * and the demo's class, one byte for the facet before each picture's pixels:
 *
 *     deno run --allow-write models/motifs/dump.ts <file> demo <count> <size> <seed>
 */

import { Random } from "../../ops/random.ts";
import { drawClass, drawMotif, MOTIFS } from "./draw.ts";

const [path, ...rest] = Deno.args;
if (!path || rest.length < 3) throw new Error("usage: dump.ts <file> [demo] <count> <size> <seed>");
const [count, size, seed] = rest.slice(-3).map(Number) as [number, number, number];

using file = await Deno.open(path, { write: true, create: true, truncate: true });
const out = file.writable.getWriter();
if (rest[0] === "demo") {
  for (const { facet, pixels } of drawClass({ count, size, seed })) {
    await out.write(Uint8Array.of(facet, ...pixels));
  }
} else {
  const random = new Random(seed);
  for (const motif of MOTIFS) {
    for (let i = 0; i < count; i++) {
      await out.write(new Uint8Array(drawMotif(motif, size, random).buffer as ArrayBuffer));
    }
  }
}
await out.close();
