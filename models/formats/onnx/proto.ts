/**
 * What an ONNX file holds, as far as a network that runs needs it: the messages of onnx.proto by
 * their field numbers. Tensors stay where they are in the file; only their place is noted.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { UserError } from "../../../base/errors.ts";

/** Bytes of the file. */
export type Range = readonly [begin: number, end: number];

/** Where the numbers of a tensor are. */
export type TensorData =
  | { readonly kind: "raw" | "float" | "double" | "varint"; readonly parts: readonly Range[] }
  | { readonly kind: "external"; readonly entries: ReadonlyMap<string, string> };

/** TensorProto */
export interface TensorProto {
  readonly name: string;
  readonly dims: readonly number[];
  /** Number of TensorProto.DataType. */
  readonly type: number;
  readonly data: TensorData;
}

/** AttributeProto; only what its type announces is meant. */
export interface AttributeProto {
  readonly f: number;
  readonly i: number;
  readonly s: string;
  readonly t: TensorProto | undefined;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly string[];
}

/** NodeProto */
export interface NodeProto {
  readonly name: string;
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeProto>;
}

/** ValueInfoProto; sizes that are not fixed are their names, or "". */
export interface ValueInfo {
  readonly name: string;
  readonly dims: readonly (number | string)[] | undefined;
}

/** GraphProto */
export interface GraphProto {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

/** ModelProto */
export interface ModelProto {
  readonly producer: string;
  /** Version of each operator set by its domain; "" is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly graph: GraphProto;
}

/** What to do with each field of a message, by its number. */
type Fields = Readonly<Record<number, (wire: WireType) => void>>;

/** Numbers that a tensor may keep apart from one another, each with a tag of its own. */
const MOST_PARTS = 2 ** 20;

/** Reads messages from bytes that begin where the file does. */
class Reader {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /** Goes through a message. */
  message([begin, end]: Range, fields: (reader: BinaryReader, place: () => Range) => Fields): void {
    const reader = new BinaryReader(this.#bytes.subarray(begin, end));
    /** Where the length-delimited field lies that comes next. */
    const place = (): Range => {
      const { byteOffset, length } = reader.bytes();
      return [byteOffset, byteOffset + length];
    };
    const known = fields(reader, place);
    while (reader.pos < reader.len) {
      const [field, wire] = reader.tag();
      const read = Object.hasOwn(known, field) ? known[field] : undefined;
      if (read) read(wire);
      else reader.skip(wire, field);
    }
  }

  /** key: value */
  entry(range: Range): [key: string, value: string] {
    let key = "", value = "";
    this.message(range, (r) => ({
      1: () => key = r.string(),
      2: () => value = r.string(),
    }));
    return [key, value];
  }

  tensor(range: Range): TensorProto {
    const dims: number[] = [];
    const external = new Map<string, string>();
    let name = "", type = 0, elsewhere = false;
    let kind: "raw" | "float" | "double" | "varint" = "raw";
    let parts: Range[] = [];
    this.message(range, (r, place) => {
      const { int64 } = integers(r);
      const typed = (as: typeof kind, width: number) => (wire: WireType) => {
        kind = as;
        if (wire === WireType.LengthDelimited) return void parts.push(place());
        if (parts.length > MOST_PARTS) throw new Error("numbers kept one by one, too many of them");
        const begin = range[0] + r.pos;
        if (width) r.pos += width;
        else r.uint64();
        parts.push([begin, range[0] + r.pos]);
      };
      return {
        1: repeated(r, dims, int64),
        2: () => type = r.int32(),
        4: typed("float", 4),
        5: typed("varint", 0),
        7: typed("varint", 0),
        8: () => name = r.string(),
        9: () => {
          kind = "raw";
          parts = [place()];
        },
        10: typed("double", 8),
        11: typed("varint", 0),
        13: () => {
          const [key, value] = this.entry(place());
          external.set(key, value);
        },
        14: () => elsewhere = r.int32() === 1,
      };
    });
    const data: TensorData = elsewhere ? { kind: "external", entries: external } : { kind, parts };
    return { name, dims, type, data };
  }

  attribute(range: Range): [name: string, AttributeProto] {
    const floats: number[] = [], ints: number[] = [], strings: string[] = [];
    let name = "", f = 0, i = 0, s = "";
    let t: TensorProto | undefined;
    this.message(range, (r, place) => {
      const { int64 } = integers(r);
      return {
        1: () => name = r.string(),
        2: () => f = r.float(),
        3: () => i = int64(),
        4: () => s = text(r.bytes()),
        5: () => t = this.tensor(place()),
        7: repeated(r, floats, () => r.float()),
        8: repeated(r, ints, int64),
        9: () => strings.push(text(r.bytes())),
      };
    });
    return [name, { f, i, s, t, floats, ints, strings }];
  }

  node(range: Range): NodeProto {
    const inputs: string[] = [], outputs: string[] = [];
    const attributes = new Map<string, AttributeProto>();
    let name = "", type = "", domain = "";
    this.message(range, (r, place) => ({
      1: () => inputs.push(r.string()),
      2: () => outputs.push(r.string()),
      3: () => name = r.string(),
      4: () => type = r.string(),
      5: () => {
        const [key, attribute] = this.attribute(place());
        attributes.set(key, attribute);
      },
      7: () => domain = r.string(),
    }));
    return { name, type, domain: domain === "ai.onnx" ? "" : domain, inputs, outputs, attributes };
  }

  valueInfo(range: Range): ValueInfo {
    let name = "";
    let dims: (number | string)[] | undefined;
    this.message(range, (r, place) => ({
      1: () => name = r.string(),
      2: () =>
        this.message(place(), (_, tensorType) => ({
          1: () =>
            this.message(tensorType(), (_, shape) => ({
              2: () => {
                const sizes: (number | string)[] = [];
                dims = sizes;
                this.message(shape(), (_, dimension) => ({
                  1: () => {
                    let size: number | string = "";
                    this.message(dimension(), (d) => ({
                      1: () => size = integers(d).int64(),
                      2: () => size = d.string(),
                    }));
                    sizes.push(size);
                  },
                }));
              },
            })),
        })),
    }));
    return { name, dims };
  }

  graph(range: Range): GraphProto {
    const nodes: NodeProto[] = [], initializers: TensorProto[] = [];
    const inputs: ValueInfo[] = [], outputs: ValueInfo[] = [];
    this.message(range, (_, place) => ({
      1: () => nodes.push(this.node(place())),
      5: () => initializers.push(this.tensor(place())),
      11: () => inputs.push(this.valueInfo(place())),
      12: () => outputs.push(this.valueInfo(place())),
      15: () => {
        throw new Error("sparse initialisers, which are not read");
      },
    }));
    return { nodes, initializers, inputs, outputs };
  }

  model(): ModelProto {
    const opsets = new Map<string, number>(), metadata = new Map<string, string>();
    let producer = "";
    let graph: GraphProto | undefined;
    this.message([0, this.#bytes.length], (r, place) => ({
      2: () => producer = r.string(),
      7: () => graph = this.graph(place()),
      8: () => {
        let domain = "", version = 0;
        this.message(place(), (o) => ({
          1: () => domain = o.string(),
          2: () => version = integers(o).int64(),
        }));
        opsets.set(domain === "ai.onnx" ? "" : domain, version);
      },
      14: () => metadata.set(...this.entry(place())),
    }));
    if (!graph) throw new Error("it has no graph");
    return { producer, opsets, metadata, graph };
  }
}

/** Whole numbers as numbers: those beyond 2⁵³ are ends of slices, which may be rounded. */
function integers(reader: BinaryReader): { int64: () => number } {
  return { int64: () => Number(reader.int64()) };
}

/** A repeated field of numbers, packed or one by one. */
function repeated(reader: BinaryReader, into: number[], read: () => number) {
  return (wire: WireType) => {
    if (wire !== WireType.LengthDelimited) return void into.push(read());
    const end = reader.uint32() + reader.pos;
    if (end > reader.len) throw new RangeError("it ends too early");
    while (reader.pos < end) into.push(read());
  };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/**
 * Reads the messages of an ONNX file.
 *
 * @param bytes The whole file, at the start of its buffer.
 * @param name What to call the file in messages.
 * @throws {UserError} If it is none, or broken.
 */
export function readModel(bytes: Uint8Array<ArrayBuffer>, name: string): ModelProto {
  const fail = (problem: string): never => {
    throw new UserError(
      `${name}: not an ONNX file (${problem}); expected one written by torch.onnx.export, ` +
        "tf2onnx or the like",
    );
  };
  if (bytes.byteOffset !== 0) throw new RangeError("the file must begin where its buffer does");
  if (bytes.length === 0) return fail("it is empty");
  const begin = new TextDecoder().decode(bytes.subarray(0, 16));
  if (begin.startsWith("version https:")) {
    return fail("it is a Git LFS pointer: fetch the file itself");
  }
  try {
    return new Reader(bytes).model();
  } catch (error) {
    if (error instanceof UserError) throw error;
    return fail(`broken or cut off: ${error instanceof Error ? error.message : String(error)}`);
  }
}
