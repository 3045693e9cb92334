/** An open ONNX file: the graph is read, the numbers of its tensors when they are asked for. */
import { UserError } from "../../../base/errors.ts";
import { type ByteSource, piecesOf } from "../byte_source.ts";
import type { WeightsFile } from "../weights.ts";
import { type GraphProto, type ModelProto, readModel, type TensorProto } from "./proto.ts";
import {
  checkTensor,
  type Numbers,
  readNumbers,
  sizeOfDims,
  type TensorBytes,
  typeName,
} from "./tensor.ts";

/** Opens a file beside an ONNX file, named as the graph names it. */
export type OpenBeside = (location: string) => ByteSource;

/** The largest file that is read: what protobuf allows, and a buffer can hold. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * A network in the ONNX format (https://onnx.ai), and the weights in it and beside it. Give it back
 * with `using` or {@linkcode OnnxFile.close}.
 */
export class OnnxFile implements WeightsFile {
  /** Every {@linkcode OnnxFile.read} gives another array. */
  readonly fresh = true;
  /** All that the file says besides the tensors' numbers. */
  readonly model: ModelProto;
  readonly #tensors: ReadonlyMap<string, TensorProto>;
  readonly #source: ByteSource;
  readonly #beside = new Map<string, ByteSource>();
  readonly #bytes: TensorBytes;
  readonly #openBeside: OpenBeside;

  /**
   * Reads the graph. Use `openOnnx` for a file on disk.
   *
   * @throws {UserError} If the bytes are no ONNX file, or a tensor has not as many bytes as its sizes
   * say.
   */
  constructor(
    /** What to call the file in messages, usually its path. */
    readonly name: string,
    source: ByteSource,
    openBeside: OpenBeside,
  ) {
    if (source.size > MOST_BYTES) {
      throw new UserError(
        `${name}: ${source.size} bytes; an ONNX file has at most ${MOST_BYTES}, larger networks ` +
          "keep their weights in a file beside it",
      );
    }
    this.#source = source;
    this.#openBeside = openBeside;
    this.model = readModel(source.read(0, source.size), name);
    const { initializers } = this.model.graph;
    this.#tensors = new Map(initializers.map((tensor) => [tensor.name, tensor]));
    this.#bytes = {
      read: (begin, end) => this.#source.read(begin, end),
      external: (location) => this.#besides(location),
    };
    for (const tensor of initializers) checkTensor(name, tensor, this.#bytes);
  }

  /** The graph. */
  get graph(): GraphProto {
    return this.model.graph;
  }

  /** How many numbers its initialisers have together. */
  get count(): number {
    return this.graph.initializers.reduce((sum, { dims }) => sum + sizeOfDims(dims), 0);
  }

  /** The names of its initialisers. */
  get names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  /** Whether there is an initialiser of this name. */
  has(key: string): boolean {
    return this.#tensors.has(key);
  }

  /** Its sizes, `[]` for a single number. */
  shape(key: string): readonly number[] {
    return this.#tensor(key).dims;
  }

  /** ONNX's name of its kind of numbers, such as `FLOAT16`. */
  dtype(key: string): string {
    return typeName(this.#tensor(key).type);
  }

  /** Its values as float32, in C order. */
  read(key: string): Float32Array<ArrayBuffer> {
    const numbers = this.numbers(this.#tensor(key));
    return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
  }

  /**
   * The numbers of a tensor, an initialiser or one in an attribute.
   *
   * @throws {UserError} If they cannot be read or are too few.
   */
  numbers(tensor: TensorProto): Numbers {
    return readNumbers(this.name, tensor, this.#bytes);
  }

  /** The whole file in pieces, then the files beside it that hold its weights. */
  *pieces(): Generator<Uint8Array<ArrayBuffer>> {
    const locations = new Set<string>();
    for (const { data } of this.#tensors.values()) {
      const location = data.kind === "external" ? data.entries.get("location") : undefined;
      if (location) locations.add(location);
    }
    yield* piecesOf(this.#source);
    for (const location of locations) yield* piecesOf(this.#besides(location));
  }

  /** A file beside it, opened once. */
  #besides(location: string): ByteSource {
    let file = this.#beside.get(location);
    if (!file) this.#beside.set(location, file = this.#openBeside(location));
    return file;
  }

  /** Closes it. */
  close(): void {
    for (const source of [this.#source, ...this.#beside.values()]) source.close();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  #tensor(key: string): TensorProto {
    const tensor = this.#tensors.get(key);
    if (!tensor) throw new UserError(`${this.name}: no tensor "${key}"`);
    return tensor;
  }
}
