/** The numbers of an ONNX tensor, whatever they are kept as. */
import { concatenateBytes } from "../../../base/concatenate.ts";
import { UserError } from "../../../base/errors.ts";
import { NUMBER_KINDS } from "../numbers.ts";
import type { TensorData, TensorProto } from "./proto.ts";

/** Whole numbers and truths are float64, all others float32. */
export type Numbers = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** How numbers of a type are kept: as bytes, and in the field that is meant for them. */
interface NumberKind {
  readonly name: string;
  readonly bytes: number;
  readonly whole: boolean;
  /** From raw bytes, little-endian. */
  readonly fromBytes: (bytes: ArrayBuffer) => ArrayLike<number>;
  /** From the varints of its field, for types that are not kept as they are. */
  readonly fromVarint?: (value: bigint) => number;
}

const int = (bits: number) => (value: bigint) => Number(BigInt.asIntN(bits, value));
const uint = (bits: number) => (value: bigint) => Number(BigInt.asUintN(bits, value));
const { toFloat32: float16 } = NUMBER_KINDS.F16!;
const bfloat16 = (bits: ArrayLike<number>) =>
  new Float32Array(Uint32Array.from(bits, (high) => high << 16).buffer);

/** TensorProto.DataType */
const KINDS: Readonly<Record<number, NumberKind>> = {
  1: { name: "FLOAT", bytes: 4, whole: false, fromBytes: (b) => new Float32Array(b) },
  2: {
    ...{ name: "UINT8", bytes: 1, whole: true },
    ...{ fromBytes: (b) => new Uint8Array(b), fromVarint: uint(8) },
  },
  3: {
    ...{ name: "INT8", bytes: 1, whole: true },
    ...{ fromBytes: (b) => new Int8Array(b), fromVarint: int(8) },
  },
  4: {
    ...{ name: "UINT16", bytes: 2, whole: true },
    ...{ fromBytes: (b) => new Uint16Array(b), fromVarint: uint(16) },
  },
  5: {
    ...{ name: "INT16", bytes: 2, whole: true },
    ...{ fromBytes: (b) => new Int16Array(b), fromVarint: int(16) },
  },
  6: {
    ...{ name: "INT32", bytes: 4, whole: true },
    ...{ fromBytes: (b) => new Int32Array(b), fromVarint: int(32) },
  },
  7: {
    ...{ name: "INT64", bytes: 8, whole: true },
    fromBytes: (b) => Float64Array.from(new BigInt64Array(b), Number),
    fromVarint: int(64),
  },
  9: {
    ...{ name: "BOOL", bytes: 1, whole: true },
    fromBytes: (b) => new Uint8Array(b).map((value) => value ? 1 : 0),
    fromVarint: (value) => value ? 1 : 0,
  },
  10: {
    ...{ name: "FLOAT16", bytes: 2, whole: false },
    fromBytes: float16,
    fromVarint: (value) => float16(Uint16Array.of(Number(BigInt.asUintN(16, value))).buffer)[0]!,
  },
  11: { name: "DOUBLE", bytes: 8, whole: false, fromBytes: (b) => new Float64Array(b) },
  12: {
    ...{ name: "UINT32", bytes: 4, whole: true },
    ...{ fromBytes: (b) => new Uint32Array(b), fromVarint: uint(32) },
  },
  13: {
    ...{ name: "UINT64", bytes: 8, whole: true },
    fromBytes: (b) => Float64Array.from(new BigUint64Array(b), Number),
    fromVarint: uint(64),
  },
  16: {
    ...{ name: "BFLOAT16", bytes: 2, whole: false },
    fromBytes: (b) => bfloat16(new Uint16Array(b)),
    fromVarint: (value) => bfloat16([uint(16)(value)])[0]!,
  },
};

/** Names of types whose numbers cannot be read. */
const OTHERS = ["UNDEFINED", "STRING", "COMPLEX64", "COMPLEX128"];

/** Where the bytes are that a tensor's data speak of. */
export interface TensorBytes {
  /** A copy of bytes of the ONNX file. */
  read(begin: number, end: number): Uint8Array<ArrayBuffer>;
  /** Of a file beside it: its size in bytes, and a copy of some of them. */
  external(location: string): {
    readonly size: number;
    read(begin: number, end: number): Uint8Array<ArrayBuffer>;
  };
}

/** The type's name, such as `FLOAT16`. */
export function typeName(type: number): string {
  return KINDS[type]?.name ??
    (type === 8
      ? OTHERS[1]!
      : type === 14
      ? OTHERS[2]!
      : type === 15
      ? OTHERS[3]!
      : `type ${type}`);
}

/** Whether numbers of a type are whole numbers or truths. */
export function isWhole(type: number): boolean {
  return KINDS[type]?.whole ?? false;
}

/** How many numbers. */
export function sizeOfDims(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/**
 * Checks, before anything is read or allocated, that a tensor has as many bytes as its sizes say;
 * of numbers kept as varints only that there are enough.
 *
 * @throws {UserError} Naming the file and the tensor.
 */
export function checkTensor(file: string, tensor: TensorProto, bytes: TensorBytes): void {
  const { name, dims, type, data } = tensor;
  const fail = (problem: string): never => {
    throw new UserError(`${file}: tensor "${name}" [${dims}] ${problem}`);
  };
  if (dims.some((size) => !Number.isSafeInteger(size) || size < 0)) fail("has no valid sizes");
  const kind = KINDS[type];
  if (!kind) return;
  if (data.kind === "external") return void externalRange(tensor, bytes, fail);
  const found = data.parts.reduce((bytes, [begin, end]) => bytes + end - begin, 0);
  const count = sizeOfDims(dims);
  if (data.kind === "varint" ? found < count : found !== count * bytesOf(data, kind)) {
    fail(`of ${kind.name} needs ${count} numbers, its data have ${found} bytes`);
  }
}

function bytesOf(data: TensorData, kind: NumberKind): number {
  return data.kind === "float" ? 4 : data.kind === "double" ? 8 : kind.bytes;
}

/**
 * The numbers of a tensor in C order.
 *
 * @throws {UserError} If they cannot be read, are not numbers, or too few.
 */
export function readNumbers(file: string, tensor: TensorProto, bytes: TensorBytes): Numbers {
  const { name, dims, type, data } = tensor;
  const fail = (problem: string): never => {
    throw new UserError(`${file}: tensor "${name}" [${dims}] ${problem}`);
  };
  const kind = KINDS[type];
  if (!kind) return fail(`is of ${typeName(type)}, which is no kind of number that is read`);
  const count = sizeOfDims(dims);
  const values = (found: ArrayLike<number>): Numbers => {
    if (found.length !== count) return fail(`has ${found.length} numbers`);
    const own = kind.whole ? Float64Array : Float32Array;
    return found instanceof own ? found as Numbers : own.from(found);
  };
  if (data.kind === "external") {
    const { source, begin, end } = externalRange(tensor, bytes, fail);
    return values(kind.fromBytes(source.read(begin, end).buffer));
  }
  checkTensor(file, tensor, bytes);
  const parts = data.parts.map(([begin, end]) => bytes.read(begin, end));
  const joined = parts.length === 1 ? parts[0]! : concatenateBytes(parts);
  if (data.kind === "varint") {
    const { fromVarint } = kind;
    return fromVarint
      ? values(varints(joined, count, fromVarint))
      : fail("is kept in a wrong field");
  }
  if (data.kind === "float") return values(new Float32Array(joined.buffer));
  if (data.kind === "double") return values(new Float64Array(joined.buffer));
  return values(kind.fromBytes(joined.buffer));
}

/** Where in a file beside the network the bytes of a tensor are. */
function externalRange(
  { dims, type, data }: TensorProto,
  bytes: TensorBytes,
  fail: (problem: string) => never,
): { source: ReturnType<TensorBytes["external"]>; begin: number; end: number } {
  if (data.kind !== "external") return fail("is no external tensor");
  const location = data.entries.get("location");
  if (!location) return fail("lies outside of the file, but nowhere");
  const source = bytes.external(location);
  const length = sizeOfDims(dims) * KINDS[type]!.bytes;
  const number = (key: string, otherwise: number): number => {
    const text = data.entries.get(key);
    const value = text === undefined || text === "" ? otherwise : Number(text);
    return Number.isSafeInteger(value) && value >= 0 ? value : fail(`has the ${key} "${text}"`);
  };
  const begin = number("offset", 0);
  const said = number("length", length);
  if (said !== length) return fail(`needs ${length} bytes, ${location} is said to have ${said}`);
  if (begin + length > source.size) {
    return fail(
      `lies at bytes ${begin} to ${begin + length} of ${location}, which has ${source.size}`,
    );
  }
  return { source, begin, end: begin + length };
}

function varints(bytes: Uint8Array, count: number, convert: (value: bigint) => number) {
  const values = new Float64Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    let value = 0n, shift = 0n, byte = 0x80;
    while (byte & 0x80) {
      if (at >= bytes.length || shift > 63n) return new Float64Array(i);
      byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
    }
    values[i] = convert(value);
  }
  return at === bytes.length ? values : new Float64Array(count + 1);
}
