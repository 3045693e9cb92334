/** PNG files of every kind, which libraries do not all write. */
import { crc32, deflateSync } from "node:zlib";

/** Colour type and bits of a channel. */
export type PngKind = readonly [type: number, depth: number];

/** All there are: grey, RGB, palette, grey with alpha, RGB with alpha. */
export const PNG_KINDS: readonly PngKind[] = [
  ...[1, 2, 4, 8, 16].map((depth) => [0, depth] as const),
  ...[8, 16].map((depth) => [2, depth] as const),
  ...[1, 2, 4, 8].map((depth) => [3, depth] as const),
  ...[4, 6].flatMap((type) => [[type, 8], [type, 16]] as const),
];

/** Interlacing's passes: the first column and row of each, and the steps to the next ones. */
const PASSES: readonly (readonly [x: number, y: number, dx: number, dy: number])[] = [
  ...[[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4]] as const,
  ...[[0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]] as const,
];

function chunk(kind: string, body: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  bytes.set(new TextEncoder().encode(kind), 4);
  bytes.set(body, 8);
  view.setUint32(8 + body.length, crc32(bytes.subarray(4, 8 + body.length)));
  return bytes;
}

/** A PNG with something in it, filtered in all ways where it is not interlaced. */
export function smallPng(
  [type, depth]: PngKind,
  interlaced: boolean,
  [width, height]: readonly [number, number] = [12, 8],
): Uint8Array<ArrayBuffer> {
  const channels = [1, 0, 3, 1, 2, 0, 4][type]!;
  const rows: number[] = [];
  for (const [x, y, dx, dy] of interlaced ? PASSES : [[0, 0, 1, 1] as const]) {
    const length = Math.ceil(Math.ceil((width - x) / dx) * channels * depth / 8);
    for (let row = y; row < height; row += dy) {
      rows.push(interlaced ? 0 : row % 5);
      for (let i = 0; i < length; i++) rows.push(37 * i + 11 * row & 255);
    }
  }
  const palette = Array.from({ length: 3 << Math.min(depth, 8) }, (_, i) => 11 * i & 255);
  return Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk("IHDR", [0, 0, 0, width, 0, 0, 0, height, depth, type, 0, 0, interlaced ? 1 : 0]),
    ...type === 3 ? chunk("PLTE", palette) : [],
    ...chunk("IDAT", deflateSync(Uint8Array.from(rows))),
    ...chunk("IEND", []),
  ]);
}
