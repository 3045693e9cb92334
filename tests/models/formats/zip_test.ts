/** Zip archives that promise too much. */
import assert from "node:assert/strict";
import { crc32, deflateRawSync } from "node:zlib";
import { crc32ByHand } from "../../../base/crc32.ts";
import { bytesInMemory } from "../../../models/formats/byte_source.ts";
import { ZipArchive } from "../../../models/formats/zip.ts";

/** An archive of one packed file, which says that it has so many bytes. */
function archive(content: Uint8Array, said: number): Uint8Array {
  const packed = deflateRawSync(content);
  const numbers = (...fields: readonly (readonly [bytes: 2 | 4, value: number])[]) =>
    fields.flatMap(([bytes, value]) =>
      Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 255)
    );
  // Version, flags, method, time, date, checksum, sizes, lengths of name and extra field.
  const common = numbers(
    ...[[2, 20], [2, 0], [2, 8], [2, 0], [2, 0], [4, crc32(content)]] as const,
    ...[[4, packed.length], [4, said], [2, 1], [2, 0]] as const,
  );
  const own = [...numbers([4, 0x04034b50]), ...common, 0x61, ...packed];
  const directory = [
    ...numbers([4, 0x02014b50], [2, 20]),
    ...common,
    ...numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, 0]),
    0x61,
  ];
  const end = numbers(
    ...[[4, 0x06054b50], [2, 0], [2, 0], [2, 1], [2, 1]] as const,
    ...[[4, directory.length], [4, own.length], [2, 0]] as const,
  );
  return Uint8Array.from([...own, ...directory, ...end]);
}

function read(bytes: Uint8Array): Uint8Array {
  const zip = new ZipArchive("a.pth", bytesInMemory(bytes));
  const entry = zip.entries.get("a")!;
  return zip.read(entry, 0, entry.size);
}

Deno.test("a packed file is unpacked up to what it says, and that is no more than weights are", () => {
  const content = new Uint8Array(100_000).fill(7);
  assert.deepEqual(read(archive(content, content.length)), content);
  assert.throws(() => read(archive(content, 5)), /a cannot be unpacked/);
  assert.throws(() => read(archive(content, 100_001)), /has not the size it should have/);
  assert.throws(() => read(archive(content, 2 ** 31)), /would unpack to 2147483648 bytes/);
});

Deno.test("checksums by hand are those of zlib, whatever the length and in pieces", () => {
  const bytes = Uint8Array.from({ length: 1003 }, (_, i) => i * 2654435761 >>> 13);
  for (const length of [0, 1, 2, 3, 4, 5, 255, 1000, 1003]) {
    assert.equal(crc32ByHand(bytes.subarray(0, length)), crc32(bytes.subarray(0, length)));
  }
  assert.equal(crc32ByHand(bytes.subarray(7), crc32ByHand(bytes.subarray(0, 7))), crc32(bytes));
});
