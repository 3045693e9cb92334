/**
 * Pooled activations kept in a file, so that a second run does not compute them again.
 *
 * A file is a line of JSON that says what was computed, then records of equal length: the SHA-256 of
 * an image file (32 bytes), the layer's pooled output (little-endian float32, one per channel) and a
 * CRC-32 of both (4 bytes). Records are appended as they are computed: what a killed run has done
 * stays done, and several processes may add to one file. Deleting it costs time only. A file that
 * cannot be trusted, or a record of it, is left aside with a note, and computed again.
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { appendSync, inTurnSync, writeWholeSync } from "../../base/atomic_file.ts";
import { unfitToRead } from "../../base/regular_file.ts";
import { CODE_VERSION } from "../../base/code_version.ts";
import type { Normalisation } from "../../models/normalisation.ts";

/** Everything that activations depend on, besides the image. */
export interface CacheKey {
  /** Name of the network. */
  readonly model: string;
  /** Its options. */
  readonly options: Readonly<Record<string, string>>;
  /** SHA-256 of the weights file. */
  readonly weights: string;
  /** Full name of the layer. */
  readonly layer: string;
  /** Its channels. */
  readonly channels: number;
  /** Side of the images in pixels. */
  readonly size: number;
  /** How the network wants its pictures. */
  readonly normalisation: Normalisation;
  /** What was done to the images before the network saw them. */
  readonly prepared: string;
}

/** What a file of this kind begins with, so that strangers are recognised. */
const FORMAT = "mindseye activations 1";

/** The largest file that is read. */
const MOST_BYTES = 2 ** 31 - 1;

const HASH_BYTES = 32;
const CRC_BYTES = 4;

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The kept activations of one layer. */
export class ActivationCache {
  /** Where it lies. */
  readonly path: string;
  readonly #header: Uint8Array;
  readonly #channels: number;
  readonly #known = new Map<string, Float32Array<ArrayBuffer>>();
  readonly #note: (text: string) => void;
  /** Whether all of the file could be read, so that records may be appended. */
  #sound = false;
  #writable = true;

  /**
   * Reads what a folder holds for this key. Neither folder nor file needs to be there; they are made
   * when the first activations are added.
   *
   * @param note Is told, in a phrase for people, what could not be used.
   */
  constructor(folder: string, key: CacheKey, note: (text: string) => void = () => {}) {
    // The code's version is part of the key because other code may compute otherwise.
    const line = JSON.stringify({ format: FORMAT, code: CODE_VERSION, ...key });
    const layer = key.layer.replaceAll(/[^\w.-]/g, "_");
    this.path = join(folder, `${layer}-${sha256(line).slice(0, 16)}.activations`);
    this.#header = new TextEncoder().encode(line + "\n");
    this.#channels = key.channels;
    this.#note = note;
    this.#read(note);
  }

  /** Number of images it knows. */
  get size(): number {
    return this.#known.size;
  }

  /** [channels] of the image file with this SHA-256. */
  get(hash: string): Float32Array | undefined {
    return this.#known.get(hash);
  }

  /** Keeps the activations of some images; a failure to write is noted once and otherwise ignored. */
  add(entries: readonly (readonly [hash: string, values: Float32Array])[]): void {
    const fresh = entries.filter(([hash]) => !this.#known.has(hash));
    for (const [hash, values] of fresh) this.#known.set(hash, Float32Array.from(values));
    if (!this.#writable || fresh.length === 0) return;
    try {
      inTurnSync(this.path, (file) => {
        const { size } = file.statSync();
        if (size === 0) appendSync(file, this.#whole(this.#known));
        else if (this.#isSound(size)) appendSync(file, this.#records(fresh));
        else writeWholeSync(this.path, this.#whole(this.#known));
        this.#sound = true;
      });
    } catch (error) {
      this.#writable = false;
      this.#note(`activations are not kept: ${reason(error)}`);
    }
  }

  /** Whether records may be appended to the file, now of so many bytes; what others added is read. */
  #isSound(size: number): boolean {
    const whole = (size - this.#header.length) % this.#recordBytes === 0;
    return whole && this.#sound || this.#read(() => {});
  }

  /** The header and these records. */
  #whole(entries: Iterable<readonly [hash: string, values: Float32Array]>): Uint8Array {
    const records = this.#records([...entries]);
    const all = new Uint8Array(this.#header.length + records.length);
    all.set(this.#header);
    all.set(records, this.#header.length);
    return all;
  }

  get #recordBytes(): number {
    return HASH_BYTES + 4 * this.#channels + CRC_BYTES;
  }

  #records(entries: readonly (readonly [hash: string, values: Float32Array])[]): Uint8Array {
    const bytes = new Uint8Array(entries.length * this.#recordBytes);
    entries.forEach(([hash, values], i) => {
      const record = bytes.subarray(i * this.#recordBytes, (i + 1) * this.#recordBytes);
      record.set(Uint8Array.fromHex(hash));
      const view = new DataView(record.buffer, record.byteOffset, record.length);
      values.forEach((value, c) => view.setFloat32(HASH_BYTES + 4 * c, value, true));
      const end = record.length - CRC_BYTES;
      view.setUint32(end, crc32(record.subarray(0, end)), true);
    });
    return bytes;
  }

  /** Takes what the file holds; whether that is all of it. */
  #read(note: (text: string) => void): boolean {
    let bytes: Uint8Array;
    try {
      const unfit = unfitToRead(this.path, MOST_BYTES);
      if (unfit) throw new Error(unfit);
      bytes = Deno.readFileSync(this.path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        note(`${this.path} is not used: ${reason(error)}`);
      }
      return false;
    }
    if (bytes.length === 0) return false; // just made, by a process that is about to add to it
    if (!this.#header.every((byte, i) => bytes[i] === byte)) {
      note(`${this.path} is not used: it does not say what it should; computing anew`);
      return false;
    }
    const body = bytes.subarray(this.#header.length);
    const count = Math.floor(body.length / this.#recordBytes);
    let damaged = 0;
    for (let i = 0; i < count; i++) {
      const record = body.subarray(i * this.#recordBytes, (i + 1) * this.#recordBytes);
      const view = new DataView(record.buffer, record.byteOffset, record.length);
      const end = record.length - CRC_BYTES;
      if (crc32(record.subarray(0, end)) !== view.getUint32(end, true)) {
        damaged++;
        continue;
      }
      const values = new Float32Array(this.#channels);
      for (let c = 0; c < values.length; c++) {
        values[c] = view.getFloat32(HASH_BYTES + 4 * c, true);
      }
      this.#known.set(record.subarray(0, HASH_BYTES).toHex(), values);
    }
    const rest = body.length - count * this.#recordBytes;
    if (damaged > 0 || rest > 0) {
      const what = damaged > 0 ? `${damaged} of ${count} records are` : "its end is";
      note(`${this.path}: ${what} damaged; computing anew what is missing`);
    }
    return this.#sound = damaged === 0 && rest === 0;
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
