/**
 * Cases of ONNX's own backend tests (Debian's libonnx-testdata): a node with inputs and outputs. Here
 * a case becomes a network: its first input of floats comes in as a picture of one row, the others are
 * weights, and what comes out is a row again.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bytesInMemory } from "../../../models/formats/byte_source.ts";
import { OnnxFile } from "../../../models/formats/onnx/onnx_file.ts";
import type { TensorProto } from "../../../models/formats/onnx/proto.ts";
import { sizeOfDims } from "../../../models/formats/onnx/tensor.ts";

/** Where Debian keeps them. */
export const BACKEND_CASES = "/usr/share/libonnx-testdata/data";

/** A case as a network. */
export interface BackendCase {
  readonly name: string;
  /** The operator, or those of a larger graph. */
  readonly operators: readonly string[];
  readonly file: OnnxFile;
  /** What comes in as a picture; undefined if all inputs are known beforehand. */
  readonly picture: Float32Array | undefined;
  /** What comes out, by the names of the rows. */
  readonly expected: ReadonlyMap<string, ArrayLike<number>>;
}

/** Puts a message into another one. */
function nested(writer: BinaryWriter, field: number, bytes: Uint8Array): void {
  writer.tag(field, WireType.LengthDelimited).bytes(bytes);
}

function valueInfo(name: string, dims: readonly number[]): Uint8Array {
  const shape = new BinaryWriter();
  for (const size of dims) {
    nested(shape, 1, new BinaryWriter().tag(1, WireType.Varint).int64(size).finish());
  }
  const tensor = new BinaryWriter().tag(1, WireType.Varint).int32(1);
  nested(tensor, 2, shape.finish());
  const type = new BinaryWriter();
  nested(type, 1, tensor.finish());
  const info = new BinaryWriter().tag(1, WireType.LengthDelimited).string(name);
  nested(info, 2, type.finish());
  return info.finish();
}

/** An int64 tensor of some sizes, to reshape to. */
function sizesTensor(name: string, dims: readonly number[]): Uint8Array {
  const tensor = new BinaryWriter().tag(1, WireType.Varint).int64(dims.length)
    .tag(2, WireType.Varint).int32(7).tag(8, WireType.LengthDelimited).string(name);
  nested(tensor, 9, new Uint8Array(BigInt64Array.from(dims, BigInt).buffer));
  return tensor.finish();
}

function reshape(from: string, to: string, sizes: string): Uint8Array {
  return new BinaryWriter()
    .tag(1, WireType.LengthDelimited).string(from)
    .tag(1, WireType.LengthDelimited).string(sizes)
    .tag(2, WireType.LengthDelimited).string(to)
    .tag(3, WireType.LengthDelimited).string(`reshape ${to}`)
    .tag(4, WireType.LengthDelimited).string("Reshape").finish();
}

/** The graph of a model, and all else it has. */
function taken(model: Uint8Array): { graph: Uint8Array; others: BinaryWriter } {
  const reader = new BinaryReader(model);
  const others = new BinaryWriter();
  let graph = new Uint8Array();
  while (reader.pos < reader.len) {
    const begin = reader.pos;
    const [field, wire] = reader.tag();
    if (field === 7) graph = reader.bytes() as Uint8Array<ArrayBuffer>;
    else {
      reader.skip(wire, field);
      others.raw(model.subarray(begin, reader.pos));
    }
  }
  return { graph, others };
}

/** A graph without its declared inputs and outputs. */
function bare(graph: Uint8Array): BinaryWriter {
  const reader = new BinaryReader(graph);
  const kept = new BinaryWriter();
  while (reader.pos < reader.len) {
    const begin = reader.pos;
    const [field, wire] = reader.tag();
    reader.skip(wire, field);
    if (field !== 11 && field !== 12) kept.raw(graph.subarray(begin, reader.pos));
  }
  return kept;
}

function numbered(folder: string, what: "input" | "output"): Uint8Array[] {
  return readdirSync(folder).filter((name) => name.startsWith(what))
    .sort((a, b) => Number(/\d+/.exec(a)![0]) - Number(/\d+/.exec(b)![0]))
    .map((name) => readFileSync(join(folder, name)));
}

/** A tensor in a file of its own, named. */
function renamed(tensor: Uint8Array, name: string): Uint8Array {
  return new BinaryWriter().raw(tensor).tag(8, WireType.LengthDelimited).string(name).finish();
}

const isFloat = ({ type }: TensorProto) => [1, 10, 11, 16].includes(type);

/**
 * A case; undefined for those that have inputs or outputs that are no tensors.
 *
 * @param onHost No input comes in as a picture.
 */
export function backendCase(name: string, onHost: boolean): BackendCase | undefined {
  const folder = join(BACKEND_CASES, name);
  const data = join(folder, "test_data_set_0");
  if (!existsSync(data)) return undefined;
  const model = new Uint8Array(readFileSync(join(folder, "model.onnx")));
  const own = new OnnxFile(name, bytesInMemory(model), () => bytesInMemory(new Uint8Array()));
  const { inputs, outputs, nodes } = own.graph;
  const inputNames = inputs.map((input) => input.name).filter((input) => !own.has(input));
  const given = numbered(data, "input"), wanted = numbered(data, "output");
  // The tensors in the files, read as if they were the initialisers of a graph.
  const all = new BinaryWriter();
  given.forEach((bytes, i) => nested(all, 5, renamed(bytes, `in ${i}`)));
  wanted.forEach((bytes, i) => nested(all, 5, renamed(bytes, `out ${i}`)));
  const holder = new BinaryWriter();
  nested(holder, 7, all.finish());
  const tensors = new OnnxFile(name, bytesInMemory(holder.finish()), () => {
    throw new Error("nothing is elsewhere");
  });
  const tensorOf = (key: string) => tensors.graph.initializers.find((t) => t.name === key)!;

  const first = onHost ? -1 : given.findIndex((_, i) => isFloat(tensorOf(`in ${i}`)));
  const { graph, others } = taken(model);
  const whole = new BinaryWriter();
  let picture: Float32Array | undefined;
  if (first >= 0) {
    const { dims } = tensorOf(`in ${first}`);
    picture = tensors.read(`in ${first}`);
    if (picture.length === 0) return undefined;
    nested(whole, 11, valueInfo("picture", [1, 1, 1, sizeOfDims(dims)]));
    nested(whole, 5, sizesTensor("sizes of the picture", dims));
    nested(whole, 1, reshape("picture", inputNames[first]!, "sizes of the picture"));
  } else {
    nested(whole, 11, valueInfo("picture", [1, 1, 1, 1]));
  }
  given.forEach((bytes, i) => {
    if (i !== first) nested(whole, 5, renamed(bytes, inputNames[i]!));
  });
  whole.raw(bare(graph).finish());
  const expected = new Map<string, ArrayLike<number>>();
  wanted.forEach((_, i) => {
    const output = outputs[i]!.name;
    nested(whole, 5, sizesTensor(`sizes of row ${i}`, [1, 1, 1, -1]));
    nested(whole, 1, reshape(output, `row ${i}`, `sizes of row ${i}`));
    nested(whole, 12, valueInfo(`row ${i}`, []));
    expected.set(`row ${i}`, tensors.read(`out ${i}`));
  });
  nested(others, 7, whole.finish());
  const file = new OnnxFile(name, bytesInMemory(others.finish()), () => {
    throw new Error("nothing is elsewhere");
  });
  return { name, operators: nodes.map(({ type }) => type), file, picture, expected };
}

/** The names of all cases, each with its folder. */
export function backendNames(): string[] {
  return ["node", "pytorch-converted", "pytorch-operator", "simple"].flatMap((folder) =>
    readdirSync(join(BACKEND_CASES, folder)).map((name) => join(folder, name))
      .filter((name) => existsSync(join(BACKEND_CASES, name, "model.onnx"))).sort()
  );
}
