/**
 * Zip archives, read lazily: the directory at the end, then only the entries asked for, each checked
 * by its CRC-32 before it is believed. See APPNOTE.TXT of PKWARE.
 */
import { crc32 } from "../../base/crc32.ts";
import { UserError } from "../../base/errors.ts";
import { zlib } from "../../base/host.ts";
import type { ByteSource } from "./byte_source.ts";

/** An entry of an archive. */
export interface ZipEntry {
  /** Its path in the archive. */
  readonly name: string;
  /** Bytes it has. */
  readonly size: number;
  /** Bytes it takes in the archive. */
  readonly packed: number;
  /** Whether it is stored as it is. */
  readonly stored: boolean;
  readonly crc: number;
  /** Where its own header is. */
  readonly header: number;
}

/** Bytes of the end that may hold the directory's end: its 22 and a comment of up to 65535. */
const END_BYTES = 22 + 65535;

/** The largest directory that is read. */
const MOST_DIRECTORY = 2 ** 26;

/** Bytes that an entry may unpack to, and for each byte of the archive: numbers hardly get shorter. */
const MOST_UNPACKED = 2 ** 26, MOST_TIMES = 3;

/** Bytes that are checked at a time. */
const PIECE_BYTES = 2 ** 24;

/** A number of 8 bytes that is no larger than numbers can be. */
function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** An open archive. */
export class ZipArchive {
  /** The entries by their names. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #source: ByteSource;
  readonly #name: string;
  readonly #checked = new Set<ZipEntry>();

  /** @throws {UserError} If it is no whole archive. */
  constructor(name: string, source: ByteSource) {
    this.#name = name;
    this.#source = source;
    this.entries = this.#directory();
  }

  /**
   * Bytes of an entry, [begin, end). The first time all of it is read and checked.
   *
   * @throws {UserError} If the entry is damaged or packed in a way that is not known.
   */
  read(entry: ZipEntry, begin: number, end: number): Uint8Array<ArrayBuffer> {
    if (!entry.stored) return this.#inflated(entry).slice(begin, end);
    const start = this.#dataOf(entry);
    if (!this.#checked.has(entry)) {
      let sum = 0;
      for (let at = 0; at < entry.size; at += PIECE_BYTES) {
        const piece = this.#source.read(start + at, start + Math.min(entry.size, at + PIECE_BYTES));
        sum = crc32(piece, sum);
        if (begin === 0 && end === entry.size && piece.length === entry.size) {
          this.#check(entry, sum);
          return piece;
        }
      }
      this.#check(entry, sum);
    }
    return this.#source.read(start + begin, start + end);
  }

  #inflated(entry: ZipEntry): Uint8Array<ArrayBuffer> {
    if (entry.size > MOST_UNPACKED + MOST_TIMES * this.#source.size) {
      this.#fail(`${entry.name} would unpack to ${entry.size} bytes, as no weights do`);
    }
    if (!zlib) {
      throw new UserError(
        `${this.#name}: ${entry.name} is packed, which a browser does not unpack; ` +
          "save the weights again with torch.save, or as safetensors",
      );
    }
    const start = this.#dataOf(entry);
    const packed = this.#source.read(start, start + entry.packed);
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      // One byte more would be found out; a bomb gets no further.
      const inflated = zlib.inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
      bytes = new Uint8Array(inflated.buffer as ArrayBuffer, inflated.byteOffset, inflated.length);
    } catch {
      return this.#fail(`${entry.name} cannot be unpacked`);
    }
    if (bytes.length !== entry.size) this.#fail(`${entry.name} has not the size it should have`);
    this.#check(entry, crc32(bytes));
    return bytes;
  }

  #check(entry: ZipEntry, sum: number): void {
    if (sum !== entry.crc) this.#fail(`${entry.name} is damaged: its CRC-32 is another`);
    this.#checked.add(entry);
  }

  /** Where the data of an entry begin: behind its own header, whose length is only known there. */
  #dataOf(entry: ZipEntry): number {
    const header = this.#source.read(entry.header, entry.header + 30);
    const view = new DataView(header.buffer);
    if (view.getUint32(0, true) !== 0x04034b50) {
      this.#fail(`${entry.name} is not where it should be`);
    }
    const start = entry.header + 30 + view.getUint16(26, true) + view.getUint16(28, true);
    if (start + entry.packed > this.#source.size) this.#fail(`${entry.name} is cut off`);
    return start;
  }

  #directory(): Map<string, ZipEntry> {
    const { size } = this.#source;
    const tailStart = Math.max(0, size - END_BYTES);
    const tail = this.#source.read(tailStart, size);
    const view = new DataView(tail.buffer);
    let end = tail.length - 22;
    while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
    if (end < 0) return this.#fail("it ends before its directory: the file was cut off");
    let count = view.getUint16(end + 10, true);
    let bytes = view.getUint32(end + 12, true);
    let begin = view.getUint32(end + 16, true);
    if (count === 0xffff || bytes === 0xffffffff || begin === 0xffffffff) {
      const locator = end - 20;
      if (locator < 0 || view.getUint32(locator, true) !== 0x07064b50) {
        return this.#fail("its directory's end is broken");
      }
      const at = uint64(view, locator + 8);
      if (at + 56 > size) return this.#fail("its directory's end is broken");
      const large = new DataView(this.#source.read(at, at + 56).buffer);
      if (large.getUint32(0, true) !== 0x06064b50) {
        return this.#fail("its directory's end is broken");
      }
      count = uint64(large, 32);
      bytes = uint64(large, 40);
      begin = uint64(large, 48);
    }
    if (bytes > MOST_DIRECTORY || begin + bytes > size || count * 46 > bytes) {
      return this.#fail(`its directory of ${count} entries at byte ${begin} leaves the file`);
    }
    return this.#entries(this.#source.read(begin, begin + bytes), count);
  }

  #entries(bytes: Uint8Array<ArrayBuffer>, count: number): Map<string, ZipEntry> {
    const view = new DataView(bytes.buffer);
    const entries = new Map<string, ZipEntry>();
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50) {
        return this.#fail("its directory is broken");
      }
      const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((o) =>
        view.getUint16(at + o, true)
      ) as [number, number, number];
      const next = at + 46 + nameBytes + extraBytes + commentBytes;
      if (next > bytes.length) return this.#fail("its directory is broken");
      const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameBytes));
      const flags = view.getUint16(at + 8, true), method = view.getUint16(at + 10, true);
      let packed = view.getUint32(at + 20, true), size = view.getUint32(at + 24, true);
      let header = view.getUint32(at + 42, true);
      // Numbers that do not fit stand in an extra field, in this order.
      let extra = at + 46 + nameBytes;
      const extraEnd = extra + extraBytes;
      while (extra + 4 <= extraEnd) {
        const [id, length] = [view.getUint16(extra, true), view.getUint16(extra + 2, true)];
        let field = extra + 4;
        const fieldEnd = Math.min(extraEnd, field + length);
        const wide = (value: number) => {
          if (value !== 0xffffffff || field + 8 > fieldEnd) return value;
          field += 8;
          return uint64(view, field - 8);
        };
        if (id === 1) [size, packed, header] = [wide(size), wide(packed), wide(header)];
        extra += 4 + length;
      }
      if (flags & 1) return this.#fail(`${name} is encrypted`);
      if (method !== 0 && method !== 8) return this.#fail(`${name} is packed by method ${method}`);
      if (header + 30 > this.#source.size || (method === 0 && size !== packed)) {
        return this.#fail(`${name} is not where it should be`);
      }
      const crc = view.getUint32(at + 16, true);
      entries.set(name, { name, size, packed, stored: method === 0, crc, header });
      at = next;
    }
    return entries;
  }

  #fail(problem: string): never {
    throw new UserError(`${this.#name}: broken zip archive: ${problem}`);
  }
}
