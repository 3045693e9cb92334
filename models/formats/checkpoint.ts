/**
 * PyTorch's checkpoints, read without executing anything: those of today (a zip archive) and those
 * from before version 1.6 (pickles one after the other, then the numbers).
 */
import { UserError } from "../../base/errors.ts";
import { type ByteSource, piecesOf } from "./byte_source.ts";
import { NUMBER_KINDS } from "./numbers.ts";
import { PickleTooShort, type PickleValue, readPickle } from "./pickle.ts";
import { findStateDict } from "./state_dict.ts";
import { gather, reach } from "./strided_view.ts";
import { Storage, storageKind, type StoredTensor, TORCH_NAMES } from "./torch_names.ts";
import type { WeightsFile } from "./weights.ts";
import { ZipArchive } from "./zip.ts";

/** The largest pickle that is read. */
const MOST_PICKLE = 2 ** 26;

/** The most numbers of a tensor that repeats those of its storage, if that has fewer. */
const MOST_REPEATED = 2 ** 24;

/** Begins a file of the old format. */
const MAGIC = 0x1950a86a20f9469cfc6cn, PROTOCOL = 1001;

/** Numbers of storages by their keys. */
interface Storages {
  /** Bytes of a storage; undefined if there is none of this key. */
  size(key: string): number | undefined;
  read(key: string, begin: number, end: number): Uint8Array<ArrayBuffer>;
}

/** What a checkpoint says besides the numbers. */
interface Contents {
  readonly root: PickleValue;
  readonly storages: Storages;
}

/** An open checkpoint. Give it back with `using` or {@linkcode CheckpointFile.close}. */
export class CheckpointFile implements WeightsFile {
  /** Every {@linkcode CheckpointFile.read} gives another array. */
  readonly fresh = true;
  /** Where in the checkpoint the weights are, such as `state_dict`; "" if it is nothing else. */
  readonly key: string;
  readonly #tensors: ReadonlyMap<string, StoredTensor>;
  readonly #storages: Storages;
  readonly #source: ByteSource;

  /**
   * Reads what the checkpoint says of its tensors; their numbers are read when they are asked for.
   *
   * @throws {UserError} If it is no checkpoint, broken, or holds what is no part of a state dict.
   */
  constructor(
    /** What to call the file in messages, usually its path. */
    readonly name: string,
    source: ByteSource,
  ) {
    this.#source = source;
    const { root, storages } = isZip(source)
      ? zipContents(name, source)
      : pickledContents(name, source);
    const found = this.#found(root);
    if (!found) {
      throw new UserError(`${name}: a checkpoint without weights; expected tensors by name`);
    }
    this.key = found.key;
    this.#tensors = found.tensors;
    this.#storages = storages;
    for (const key of this.#tensors.keys()) this.#check(key);
  }

  /** The tensors' names. */
  get names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  /** Whether there is a tensor of this name. */
  has(key: string): boolean {
    return this.#tensors.has(key);
  }

  /** Its sizes, `[]` for a single number. */
  shape(key: string): readonly number[] {
    return this.#tensor(key).view.shape;
  }

  /** How its numbers are kept: F32, BF16, I64 ... */
  dtype(key: string): string {
    return this.#tensor(key).storage.dtype;
  }

  /**
   * Its values in C order, as float32.
   *
   * @throws {UserError} If there is no such tensor, or its bytes are damaged.
   */
  read(key: string): Float32Array<ArrayBuffer> {
    const { storage, view } = this.#tensor(key);
    const kind = NUMBER_KINDS[storage.dtype]!;
    const { shape, strides, offset } = view;
    const size = shape.reduce((a, b) => a * b, 1);
    if (size === 0) return new Float32Array(0);
    const end = reach(view) as number;
    const first = storage.first + offset;
    const bytes = storage.bytes
      ? new Uint8Array(
        storage.bytes.subarray(first * kind.bytes, (storage.first + end) * kind.bytes),
      )
      : this.#storages.read(storage.key, first * kind.bytes, (storage.first + end) * kind.bytes);
    const values = kind.toFloat32(bytes.buffer);
    return isContiguous(shape, strides) ? values : gather(values, { shape, strides, offset: 0 });
  }

  /** The whole file in pieces, for those who hash it. */
  pieces(): Iterable<Uint8Array<ArrayBuffer>> {
    return piecesOf(this.#source);
  }

  /** Closes it. */
  close(): void {
    this.#source.close();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  #found(root: PickleValue) {
    try {
      return findStateDict(root);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${this.name}: ${error.message}`);
    }
  }

  #tensor(key: string): StoredTensor {
    const tensor = this.#tensors.get(key);
    if (!tensor) throw new UserError(`${this.name}: no tensor "${key}"`);
    return tensor;
  }

  /** That every number of a tensor is there, before anything is allocated for it. */
  #check(key: string): void {
    const { storage, view } = this.#tensor(key);
    const fail = (problem: string): never => {
      throw new UserError(`${this.name}: broken checkpoint: tensor "${key}": ${problem}`);
    };
    const end = reach(view);
    if (typeof end === "string") return fail(end);
    const { bytes } = NUMBER_KINDS[storage.dtype]!;
    const there = storage.bytes?.length ?? this.#storages.size(storage.key);
    if (there === undefined) return fail(`its storage "${storage.key}" is not in the file`);
    if ((storage.first + storage.size) * bytes > there) {
      fail(`its storage has ${there} bytes and should have ${storage.size * bytes}`);
    }
    if (end > storage.size) fail(`it reaches to element ${end} of a storage of ${storage.size}`);
    const count = view.shape.reduce((a, b) => a * b, 1);
    if (!(count <= Math.max(MOST_REPEATED, storage.size))) fail(`it is [${view.shape}]`);
  }
}

function isZip(source: ByteSource): boolean {
  const [p, k] = source.size >= 4 ? source.read(0, 4) : [];
  return p === 0x50 && k === 0x4b;
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis]!;
  }
  return true;
}

/** What a persistent id stands for: `("storage", class, key, device, size)`, in old files and a part. */
function storageOf(name: string, id: PickleValue): Storage {
  const fail = (problem: string): never => {
    throw new UserError(`${name}: broken checkpoint: ${problem}`);
  };
  if (!Array.isArray(id) || id[0] !== "storage") {
    return fail("something from outside that is no storage");
  }
  const [, type, key, , size, part] = id as PickleValue[];
  const dtype = storageKind(type ?? null);
  if (!dtype) return fail("a storage of a kind that is not known");
  if (typeof key !== "string" || !Number.isSafeInteger(size) || (size as number) < 0) {
    return fail("a storage without a key or a size");
  }
  if (!Array.isArray(part)) return new Storage(key, dtype, size as number);
  const [, first, count] = part;
  if (![first, count].every((n) => Number.isSafeInteger(n) && (n as number) >= 0)) {
    return fail("a part of a storage that is none");
  }
  if ((first as number) + (count as number) > (size as number)) {
    return fail("a part outside of its storage");
  }
  return new Storage(key, dtype, count as number, first as number);
}

function world(name: string) {
  return { file: name, names: TORCH_NAMES, persistent: (id: PickleValue) => storageOf(name, id) };
}

function zipContents(name: string, source: ByteSource): Contents {
  const archive = new ZipArchive(name, source);
  const names = [...archive.entries.keys()];
  const pickle = names.find((entry) => /^([^/]+\/)?data\.pkl$/.test(entry));
  if (!pickle) {
    throw new UserError(`${name}: a zip archive, but no checkpoint: it has no data.pkl`);
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  if (
    names.some((entry) => entry.startsWith(`${folder}code/`) || entry === `${folder}constants.pkl`)
  ) {
    throw new UserError(
      `${name}: a TorchScript program, not weights; save them with ` +
        "torch.save(torch.jit.load(file).state_dict(), ...)",
    );
  }
  const order = archive.entries.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(archive.read(order, 0, order.size)).trim() === "big") {
    throw new UserError(`${name}: its numbers have their high bytes first, which is not read`);
  }
  const entry = archive.entries.get(pickle)!;
  if (entry.size > MOST_PICKLE) {
    throw new UserError(
      `${name}: its pickle has ${entry.size} bytes, at most ${MOST_PICKLE} are read`,
    );
  }
  const { value } = readPickle(archive.read(entry, 0, entry.size), world(name));
  const entryOf = (key: string) => archive.entries.get(`${folder}data/${key}`);
  return {
    root: value,
    storages: {
      size: (key) => entryOf(key)?.size,
      read: (key, begin, end) => archive.read(entryOf(key)!, begin, end),
    },
  };
}

/** Reads pickles one after the other, taking in no more of the file than they need. */
class PickleStream {
  #bytes: Uint8Array<ArrayBuffer>;
  at = 0;

  constructor(readonly name: string, readonly source: ByteSource) {
    this.#bytes = source.read(0, Math.min(source.size, 2 ** 16));
  }

  next(): PickleValue {
    for (;;) {
      try {
        const { value, end } = readPickle(this.#bytes, world(this.name), this.at);
        this.at = end;
        return value;
      } catch (error) {
        const { size } = this.source;
        const all = this.#bytes.length;
        if (!(error instanceof PickleTooShort) || all === size || all >= MOST_PICKLE) throw error;
        this.#bytes = this.source.read(0, Math.min(size, 4 * all));
      }
    }
  }
}

function pickledContents(name: string, source: ByteSource): Contents {
  const stream = new PickleStream(name, source);
  const first = stream.next();
  const nothing: Storages = {
    size: () => undefined,
    read: () => {
      throw new UserError(`${name}: broken checkpoint: it has no storages`);
    },
  };
  if (first !== MAGIC) return { root: first, storages: nothing };
  const protocol = stream.next();
  if (protocol !== PROTOCOL) {
    throw new UserError(`${name}: a checkpoint of version ${protocol}; ${PROTOCOL} is read`);
  }
  const system = stream.next();
  if (system instanceof Map && system.get("little_endian") === false) {
    throw new UserError(`${name}: its numbers have their high bytes first, which is not read`);
  }
  const root = stream.next();
  const keys = stream.next();
  return { root, storages: storagesBehind(name, source, root, keys, stream.at) };
}

/** Of every storage its number of elements in 8 bytes, then these; how large they are says the pickle. */
function storagesBehind(
  name: string,
  source: ByteSource,
  root: PickleValue,
  keys: PickleValue,
  begin: number,
): Storages {
  const kinds = new Map<string, number>();
  const seen = new Set<PickleValue>();
  const open: PickleValue[] = [root];
  while (open.length > 0) {
    const value = open.pop()!;
    if (seen.has(value)) continue;
    if (typeof value === "object" && value !== null) seen.add(value);
    if (value instanceof Map) open.push(...value.values());
    else if (Array.isArray(value)) open.push(...value);
    else if (typeof value === "object" && value !== null && "storage" in value) {
      const { storage } = value as StoredTensor;
      kinds.set(storage.key, NUMBER_KINDS[storage.dtype]!.bytes);
    }
  }
  const places = new Map<string, readonly [begin: number, end: number]>();
  let at = begin;
  for (const key of Array.isArray(keys) ? keys : []) {
    const bytes = kinds.get(String(key));
    if (bytes === undefined) {
      throw new UserError(`${name}: broken checkpoint: a storage "${key}" of a size nobody knows`);
    }
    if (at + 8 > source.size) throw new UserError(`${name}: broken checkpoint: it is cut off`);
    const count = Number(new DataView(source.read(at, at + 8).buffer).getBigInt64(0, true));
    const end = at + 8 + count * bytes;
    if (!(count >= 0 && end <= source.size)) {
      throw new UserError(`${name}: broken checkpoint: it is cut off, or its storages are damaged`);
    }
    places.set(String(key), [at + 8, end]);
    at = end;
  }
  return {
    size: (key) => {
      const place = places.get(key);
      return place && place[1] - place[0];
    },
    read: (key, from, to) => {
      const [start] = places.get(key)!;
      return source.read(start + from, start + to);
    },
  };
}
