/**
 * The safetensors format, read lazily: the header first, then only the tensors asked for.
 *
 * A file is 8 bytes with the header's length (little-endian), the header in JSON, and the tensors'
 * bytes; see https://huggingface.co/docs/safetensors.
 */
import { UserError } from "../../base/errors.ts";
import { bytesInMemory, type ByteSource, piecesOf } from "./byte_source.ts";
import { NUMBER_KINDS } from "./numbers.ts";
import type { WeightsFile } from "./weights.ts";

/** Kinds of numbers of the format that are not read, and their bytes. */
const OTHER_KINDS: Readonly<Record<string, number>> = {
  ...{ C64: 8, F8_E8M0: 1, F6_E2M3: 0.75, F6_E3M2: 0.75, F4: 0.5 },
};

/** The kinds {@linkcode SafetensorsFile.read} understands. */
const SUPPORTED = Object.keys(NUMBER_KINDS).join(", ");

/** The largest header the reference implementation accepts. */
const MAX_HEADER_BYTES = 100_000_000;

/** Where one tensor lies: byte offsets from the start of the file. */
interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** An open safetensors file. Give it back with `using` or {@linkcode SafetensorsFile.close}. */
export class SafetensorsFile implements WeightsFile {
  /** The notes of whoever wrote the file (`__metadata__`). */
  readonly metadata: Readonly<Record<string, string>>;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #source: ByteSource;

  /**
   * Use {@linkcode parseSafetensors}, or `openSafetensors` of open_safetensors.ts.
   *
   * @throws {UserError} If the header is broken.
   */
  constructor(
    /** What to call the file in messages, usually its path. */
    readonly name: string,
    source: ByteSource,
  ) {
    this.#source = source;
    const header = readHeader(name, source);
    this.metadata = header.metadata;
    this.#entries = header.entries;
  }

  /** Every {@linkcode SafetensorsFile.read} gives another array. */
  readonly fresh = true;

  /** The tensors' names, in the order of the header. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** Whether the file has a tensor of this name. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * The sizes of a tensor, `[]` for a single number.
   *
   * @throws {UserError} If the file has no such tensor.
   */
  shape(name: string): readonly number[] {
    return this.#entry(name).shape;
  }

  /**
   * How its numbers are kept: F32, BF16, I64 ...
   *
   * @throws {UserError} If the file has no such tensor.
   */
  dtype(name: string): string {
    return this.#entry(name).dtype;
  }

  /**
   * The values of a tensor in C order, as float32. Reads from its source at every call.
   *
   * @throws {UserError} If the file has no such tensor, cannot be read, or the tensor is of complex
   * numbers or the like.
   */
  read(name: string): Float32Array {
    const { dtype, begin, end } = this.#entry(name);
    const kind = Object.hasOwn(NUMBER_KINDS, dtype) ? NUMBER_KINDS[dtype] : undefined;
    if (!kind) {
      throw new UserError(
        `${this.name}: tensor "${name}" has dtype ${dtype}; supported: ${SUPPORTED}`,
      );
    }
    return kind.toFloat32(this.#source.read(begin, end).buffer);
  }

  /**
   * The whole file in pieces, for those who hash it.
   *
   * @throws {UserError} If the file cannot be read.
   */
  pieces(): Iterable<Uint8Array<ArrayBuffer>> {
    return piecesOf(this.#source);
  }

  /** Closes the file. Nothing can be read from it afterwards. */
  close(): void {
    this.#source.close();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.close();
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (!entry) throw new UserError(`${this.name}: no tensor "${name}"`);
    return entry;
  }
}

/**
 * Reads a safetensors file that is in memory already, such as one inside a compiled program.
 *
 * @param name What to call it in messages.
 * @throws {UserError} If the bytes are not a safetensors file.
 */
export function parseSafetensors(bytes: Uint8Array, name: string): SafetensorsFile {
  return new SafetensorsFile(name, bytesInMemory(bytes));
}

/**
 * The bytes of a safetensors file with these tensors, in this order, as F32.
 *
 * @throws {RangeError} If a tensor has more or fewer values than its shape says.
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, { shape: readonly number[]; values: Float32Array }>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(tensors);
  for (const [name, { shape, values }] of entries) {
    if (product(shape) !== values.length) {
      throw new RangeError(
        `encodeSafetensors: ${name} is [${shape}] but has ${values.length} values`,
      );
    }
  }
  const head = safetensorsHead(entries.map(([name, { shape }]) => [name, shape]), metadata);
  const length = entries.reduce((sum, [, { values }]) => sum + values.byteLength, head.length);
  const bytes = new Uint8Array(length);
  bytes.set(head);
  let at = head.length;
  for (const [, { values }] of entries) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/** All that comes before the numbers in a file of these tensors, in this order, as F32. */
export function safetensorsHead(
  tensors: readonly (readonly [name: string, shape: readonly number[]])[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: [string, unknown][] = metadata ? [["__metadata__", metadata]] : [];
  let length = 0;
  for (const [name, shape] of tensors) {
    const begin = length;
    length += 4 * product(shape);
    header.push([name, { dtype: "F32", shape, data_offsets: [begin, length] }]);
  }
  let text = JSON.stringify(Object.fromEntries(header));
  text += " ".repeat((8 - new TextEncoder().encode(text).length % 8) % 8);
  const json = new TextEncoder().encode(text);
  const head = new Uint8Array(8 + json.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(json.length), true);
  head.set(json, 8);
  return head;
}

function readHeader(
  name: string,
  source: ByteSource,
): { metadata: Record<string, string>; entries: Map<string, Entry> } {
  const fail = (problem: string): never => {
    throw new UserError(
      `${name}: not a safetensors file (${problem}); ` +
        "expected a file written by safetensors.torch.save_file",
    );
  };
  if (source.size < 8) fail(`it has ${source.size} bytes`);
  const start = source.read(0, 8);
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (start[0] === 0x50 && start[1] === 0x4b) fail("a zip archive, perhaps a PyTorch checkpoint");
  if (new TextDecoder().decode(start) === "version ") {
    fail("it begins like a Git LFS pointer: fetch the file itself");
  }
  if (length > source.size - 8 || length > MAX_HEADER_BYTES) {
    fail(`the first 8 bytes announce a header of ${length} bytes, the file has ${source.size}`);
  }
  let header: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(source.read(8, 8 + length));
    header = JSON.parse(text);
  } catch (error) {
    if (error instanceof UserError) throw error;
    fail("its header is not JSON");
  }
  if (!isRecord(header)) return fail("its header is not a JSON object");

  const broken = (problem: string): never => {
    throw new UserError(`${name}: broken safetensors file: ${problem}`);
  };
  const metadata: Record<string, string> = {};
  const entries = new Map<string, Entry>();
  for (const [key, value] of Object.entries(header)) {
    if (key === "__metadata__") {
      if (!isRecord(value)) return broken("__metadata__ is not an object");
      for (const [note, text] of Object.entries(value)) metadata[note] = String(text);
    } else {
      entries.set(key, readEntry(key, value, 8 + length, source.size, broken));
    }
  }
  // The format allows no gaps: one is what a name that stands twice leaves, or a file cut or grown.
  let end = 8 + length;
  for (const entry of [...entries.values()].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== end) {
      broken(
        `its tensors do not lie one after the other at byte ${Math.min(end, entry.begin)}; ` +
          "perhaps a name stands twice in its header",
      );
    }
    end = entry.end;
  }
  if (end !== source.size) broken(`${source.size - end} bytes at its end belong to no tensor`);
  return { metadata, entries };
}

function readEntry(
  key: string,
  value: unknown,
  base: number,
  size: number,
  broken: (problem: string) => never,
): Entry {
  if (!isRecord(value)) return broken(`the entry of tensor "${key}" is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string") return broken(`tensor "${key}" has no dtype`);
  if (!isSizes(shape)) return broken(`tensor "${key}" has no valid shape`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    return broken(`tensor "${key}" has no valid data_offsets`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || base + end > size) {
    return broken(
      `tensor "${key}" lies at bytes ${begin} to ${end} of the data, which has ${size - base}`,
    );
  }
  const bytes = Object.hasOwn(NUMBER_KINDS, dtype)
    ? NUMBER_KINDS[dtype]!.bytes
    : Object.hasOwn(OTHER_KINDS, dtype)
    ? OTHER_KINDS[dtype]
    : undefined;
  if (bytes === undefined) {
    return broken(
      `tensor "${key}" has dtype ${JSON.stringify(dtype.slice(0, 40))}, which is not known`,
    );
  }
  if (Math.ceil(product(shape) * bytes) !== end - begin) {
    return broken(
      `tensor "${key}" of shape [${shape}] and dtype ${dtype} needs ${
        product(shape) * bytes
      } bytes, its data_offsets give ${end - begin}`,
    );
  }
  return { dtype, shape, begin: base + begin, end: base + end };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}
