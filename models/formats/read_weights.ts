/** Weights of whatever format, from bytes: which format it is is seen from these. */
import { UserError } from "../../base/errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { CheckpointFile } from "./checkpoint.ts";
import { OnnxFile, type OpenBeside } from "./onnx/onnx_file.ts";
import { SafetensorsFile } from "./safetensors.ts";
import type { WeightsFile } from "./weights.ts";

/** The beginning of a file, as bytes and text. */
interface Beginning {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** What is not weights but often comes instead, and what to do. */
const OTHERS: readonly (readonly [is: (file: Beginning) => boolean, what: string])[] = [
  [({ bytes }) => bytes.length === 0, "an empty file; fetch it again"],
  [({ text }) => text.startsWith("version https:"), "a Git LFS pointer: fetch the file itself"],
  [({ text }) => /^\s*<(!doctype|html|\?xml)/i.test(text), "a web page: the download went wrong"],
  [({ bytes }) => bytes[0] === 0x1f && bytes[1] === 0x8b, "packed by gzip; unpack it first"],
  [({ text }) => text.slice(257, 262) === "ustar", "a tar archive; unpack it first"],
];

function beginningOf(source: ByteSource): Beginning {
  const bytes = source.read(0, Math.min(source.size, 512));
  return { bytes, text: new TextDecoder("latin1").decode(bytes) };
}

/** Whether a file is the index of several that hold the weights. */
export function isIndex(source: ByteSource): boolean {
  return /^\s*\{/.test(beginningOf(source).text);
}

/**
 * Opens weights: safetensors, a checkpoint of PyTorch, or an ONNX network. The directory of tensors is
 * read; tensors are read when asked for. The source is theirs: it is closed with them, or when they
 * cannot be opened.
 *
 * @param name What to call the file in messages.
 * @param openBeside Opens the files in which an ONNX network has its weights.
 * @throws {UserError} If the file is broken or of no known format.
 */
export function readWeights(
  name: string,
  source: ByteSource,
  openBeside: OpenBeside,
): WeightsFile {
  try {
    const { bytes, text } = beginningOf(source);
    const other = OTHERS.find(([is]) => is({ bytes, text }));
    if (other) throw new UserError(`${name}: ${other[1]}; expected a file of weights`);
    const [first, second] = bytes;
    // The length of a header comes first, then its brace.
    if (bytes[8] === 0x7b) return new SafetensorsFile(name, source);
    if ((first === 0x50 && second === 0x4b) || first === 0x80) {
      return new CheckpointFile(name, source);
    }
    if (first === 0x08 || /\.onnx$/i.test(name)) return new OnnxFile(name, source, openBeside);
    throw new UserError(
      `${name}: of no known format; expected safetensors, a PyTorch checkpoint (.pth, .pt) or ONNX`,
    );
  } catch (error) {
    source.close();
    throw error;
  }
}
