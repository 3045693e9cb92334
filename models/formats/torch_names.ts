/** What may occur by name in the pickle of a checkpoint, and what stands for it. */
import { UserError } from "../../base/errors.ts";
import { NUMBER_KINDS } from "./numbers.ts";
import { PickleName, PickleObject, type PickleValue } from "./pickle.ts";
import type { StridedView } from "./strided_view.ts";

/** Storages by the names of their classes, and the kinds of their numbers. */
const STORAGES: Readonly<Record<string, string>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** torch's names of kinds of numbers, as values beside weights and in tensors of newer kinds. */
const DTYPES: Readonly<Record<string, string>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  float8_e4m3fn: "F8_E4M3",
  float8_e5m2: "F8_E5M2",
  int64: "I64",
  uint64: "U64",
  int32: "I32",
  uint32: "U32",
  int16: "I16",
  uint16: "U16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
};

/** Numbers in a row, somewhere in the file. */
export class Storage {
  constructor(
    /** What the file calls it. */
    readonly key: string,
    /** The kind of its numbers. */
    readonly dtype: string,
    /** How many. */
    readonly size: number,
    /** The first of them, where it is a part of another one of that key. */
    readonly first = 0,
    /** Its numbers, where they are in the pickle itself. */
    readonly bytes?: Uint8Array,
  ) {}
}

/** A tensor: numbers of a storage. */
export class StoredTensor {
  constructor(readonly storage: Storage, readonly view: StridedView) {}
}

/** The kind of numbers of a storage's class; undefined for what is none. */
export function storageKind(value: PickleValue): string | undefined {
  if (!(value instanceof PickleName)) return undefined;
  // Bytes, of which a tensor says itself what they are.
  if (value.path === "torch.storage.UntypedStorage") return "U8";
  return /^torch(\.cuda)?\./.test(value.path) ? STORAGES[value.path.split(".").at(-1)!] : undefined;
}

/** `_rebuild_tensor_v2(storage, storage_offset, size, stride, ...)` */
function rebuilt([storage, offset, shape, strides]: readonly PickleValue[]): PickleValue {
  const sizes = (value: PickleValue | undefined) =>
    Array.isArray(value) && value.every((size) => typeof size === "number")
      ? value as number[]
      : undefined;
  const [dims, steps] = [sizes(shape), sizes(strides)];
  if (!(storage instanceof Storage) || typeof offset !== "number" || !dims || !steps) {
    return new PickleObject("a tensor that is none", []);
  }
  return new StoredTensor(storage, { offset, shape: dims, strides: steps });
}

/** `_rebuild_tensor_v3(storage, storage_offset, size, stride, requires_grad, hooks, dtype, ...)` */
function rebuiltFromBytes(args: readonly PickleValue[]): PickleValue {
  const [storage, offset, shape, strides, , , dtype] = args;
  const kind = dtype instanceof PickleName ? DTYPES[dtype.path.replace(/^torch\./, "")] : undefined;
  if (!(storage instanceof Storage) || !kind) return new PickleObject("a tensor that is none", []);
  const { key, size, first, bytes } = storage;
  const each = NUMBER_KINDS[kind]!.bytes;
  const typed = new Storage(key, kind, Math.floor(size / each), first / each, bytes);
  return rebuilt([typed, offset!, shape!, strides!]);
}

/** Kinds of numbers by numpy's codes. */
const NUMPY_KINDS: Readonly<Record<string, string>> = {
  f8: "F64",
  f4: "F32",
  f2: "F16",
  i8: "I64",
  i4: "I32",
  i2: "I16",
  i1: "I8",
  u8: "U64",
  u4: "U32",
  u2: "U16",
  u1: "U8",
  b1: "BOOL",
};

/** A tensor of a numpy array, if an object is one whose numbers can be read. */
export function numpyTensor(value: PickleValue): StoredTensor | undefined {
  if (!(value instanceof PickleObject) || !value.path.endsWith("multiarray._reconstruct")) return;
  if (!Array.isArray(value.state)) return;
  const [, shape, dtype, columnsFirst, bytes] = value.state as PickleValue[];
  if (!(dtype instanceof PickleObject) || !Array.isArray(shape) || !(bytes instanceof Uint8Array)) {
    return;
  }
  const kind = NUMPY_KINDS[String(dtype.args[0]).replace(/^[<|=]/, "")];
  const order = Array.isArray(dtype.state) ? dtype.state[1] : "<";
  const dims = shape.filter((size): size is number => typeof size === "number");
  if (order === ">") {
    throw new UserError("an array of numpy with its high bytes first, which is not read");
  }
  if (!kind || dims.length !== shape.length) return;
  const size = dims.reduce((a, b) => a * b, 1);
  const strides = new Array<number>(dims.length).fill(1);
  const axes = dims.map((_, axis) => axis);
  let step = 1;
  for (const axis of columnsFirst === true ? axes : axes.toReversed()) {
    strides[axis] = step;
    step *= dims[axis]!;
  }
  const storage = new Storage("numpy", kind, size, 0, bytes);
  return new StoredTensor(storage, { offset: 0, shape: dims, strides });
}

const orderedDict = ([pairs]: readonly PickleValue[]): PickleValue => {
  const dict = new Map<PickleValue, PickleValue>();
  for (const pair of Array.isArray(pairs) ? pairs : []) {
    if (Array.isArray(pair) && pair.length === 2) dict.set(pair[0]!, pair[1]!);
  }
  return dict;
};

const first = ([value]: readonly PickleValue[]): PickleValue => value ?? null;

/** Text of one byte a character, as bytes: how pickles of protocol 2 keep bytes. */
function encoded(args: readonly PickleValue[]): PickleValue {
  const [text, encoding] = args;
  if (typeof text !== "string" || encoding !== "latin1") return new PickleObject("text", args);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Classes whose objects stand beside weights in checkpoints and do not matter here. */
const INERT = [
  "argparse.Namespace",
  "collections.Counter",
  "collections.defaultdict",
  "datetime.datetime",
  "datetime.timedelta",
  "builtins.set",
  "__builtin__.set",
  "numpy.dtype",
  "numpy.ndarray",
  "numpy.core.multiarray._reconstruct",
  "numpy.core.multiarray.scalar",
  "numpy._core.multiarray._reconstruct",
  "numpy._core.multiarray.scalar",
  "pathlib.PosixPath",
  "pathlib.WindowsPath",
  "torch.device",
];

/** Every name that may occur; none is run, and each stands for what is written here. */
export const TORCH_NAMES: ReadonlyMap<string, PickleName> = new Map(
  [
    ...Object.keys(STORAGES).flatMap((name) => [
      new PickleName(`torch.${name}`),
      new PickleName(`torch.cuda.${name}`),
    ]),
    new PickleName("torch.storage.UntypedStorage"),
    ...Object.keys(DTYPES).map((name) => new PickleName(`torch.${name}`)),
    new PickleName("collections.OrderedDict", orderedDict),
    new PickleName("torch._utils._rebuild_tensor", rebuilt),
    new PickleName("torch._utils._rebuild_tensor_v2", rebuilt),
    new PickleName("torch._utils._rebuild_tensor_v3", rebuiltFromBytes),
    new PickleName("torch._utils._rebuild_parameter", first),
    new PickleName("torch._utils._rebuild_parameter_with_state", first),
    new PickleName("torch.nn.parameter.Parameter", first),
    new PickleName("torch.Size", first),
    new PickleName("_codecs.encode", encoded),
    ...INERT.map((path) => new PickleName(path, (args) => new PickleObject(path, args))),
  ].map((name) => [name.path, name]),
);
