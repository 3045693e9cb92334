/** CRC-32 as zip archives have it (ISO 3309). */
import { zlib } from "./host.ts";

/** For the four last bytes of a word, what each of their values adds. */
const TABLES = Array.from({ length: 4 }, () => new Uint32Array(256));
for (let value = 0; value < 256; value++) {
  let sum = value;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >>> 1 ^ 0xedb88320 : sum >>> 1;
  TABLES[0]![value] = sum;
}
for (let value = 0; value < 256; value++) {
  for (let i = 1; i < 4; i++) {
    const before = TABLES[i - 1]![value]!;
    TABLES[i]![value] = before >>> 8 ^ TABLES[0]![before & 255]!;
  }
}

/** The same by hand, where the program that runs us has none: four bytes at a time. */
export function crc32ByHand(bytes: Uint8Array, before = 0): number {
  const [t0, t1, t2, t3] = TABLES as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  let sum = ~before;
  const words = bytes.length & ~3;
  let i = 0;
  for (; i < words; i += 4) {
    sum ^= bytes[i]! | bytes[i + 1]! << 8 | bytes[i + 2]! << 16 | bytes[i + 3]! << 24;
    sum = t3[sum & 255]! ^ t2[sum >>> 8 & 255]! ^ t1[sum >>> 16 & 255]! ^ t0[sum >>> 24]!;
  }
  for (; i < bytes.length; i++) sum = sum >>> 8 ^ t0[(sum ^ bytes[i]!) & 255]!;
  return ~sum >>> 0;
}

/**
 * The checksum of some bytes.
 *
 * @param before that of the bytes before these
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  return zlib ? zlib.crc32(bytes, before) : crc32ByHand(bytes, before);
}
