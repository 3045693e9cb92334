/**
 * Writes drawings as raw bytes, for train.py: `count` pictures of each motif, motif after motif,
 *
 *     deno run --allow-write models/motifs/dump.ts motifs <file> <count> <size> <seed>
 *
 * or the demo's class, each picture's pixels after one byte for its facet:
 *
 *     deno run --allow-write models/motifs/dump.ts class <file> <count> <size> <seed>
 */

import { Random } from "../../ops/random.ts";
import { drawClass, drawMotif, MOTIFS } from "./draw.ts";

function* motifs(count: number, size: number, seed: number): Generator<Uint8Array> {
  const random = new Random(seed);
  for (const motif of MOTIFS) {
    for (let i = 0; i < count; i++) yield Uint8Array.from(drawMotif(motif, size, random));
  }
}

function* demo(count: number, size: number, seed: number): Generator<Uint8Array> {
  for (const { facet, pixels } of drawClass({ count, size, seed })) {
    yield Uint8Array.of(facet, ...pixels);
  }
}

const [what, file, ...numbers] = Deno.args;
const [count, size, seed] = numbers.map(Number);
if (!file || !count || !size || seed === undefined) {
  throw new Error("usage: dump.ts motifs|class <file> <count> <size> <seed>");
}
const pictures = what === "class" ? demo(count, size, seed) : motifs(count, size, seed);
await Deno.writeFile(file, ReadableStream.from(pictures));
