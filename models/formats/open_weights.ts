/** Weights files on disk, of whatever format. */
import { join } from "node:path";
import { UserError } from "../../base/errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { CheckpointFile } from "./checkpoint.ts";
import { openOnnx } from "./onnx/open_onnx.ts";
import { openFile } from "./open_file.ts";
import { openSharded } from "./sharded.ts";
import { SafetensorsFile } from "./safetensors.ts";
import type { WeightsFile } from "./weights.ts";

/** The beginning of a file, as text and bytes. */
interface Beginning {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly source: ByteSource;
}

/** What is not weights but often comes instead, and what to do. */
const OTHERS: readonly (readonly [is: (file: Beginning) => boolean, what: string])[] = [
  [({ bytes }) => bytes.length === 0, "an empty file; fetch it again"],
  [({ text }) => text.startsWith("version https:"), "a Git LFS pointer: fetch the file itself"],
  [({ text }) => /^\s*<(!doctype|html|\?xml)/i.test(text), "a web page: the download went wrong"],
  [({ bytes }) => bytes[0] === 0x1f && bytes[1] === 0x8b, "packed by gzip; unpack it first"],
  [({ text }) => text.slice(257, 262) === "ustar", "a tar archive; unpack it first"],
];

/**
 * Opens a file of weights: safetensors (also the index of several), a checkpoint of PyTorch, or an
 * ONNX network. Which it is is seen from what it holds. Its directory of tensors is read; tensors are
 * read when asked for.
 *
 * @throws {UserError} If the file is missing, unreadable, broken or of no known format.
 */
export function openWeights(path: string): WeightsFile {
  if (isFolder(path)) return openSharded(join(path, "model.safetensors.index.json"));
  const source = openFile(path);
  try {
    const bytes = source.read(0, Math.min(source.size, 512));
    const text = new TextDecoder("latin1").decode(bytes);
    const other = OTHERS.find(([is]) => is({ bytes, text, source }));
    if (other) throw new UserError(`${path}: ${other[1]}; expected a file of weights`);
    const [first, second] = bytes;
    if (/^\s*\{/.test(text)) {
      source.close();
      return openSharded(path);
    }
    // The length of a header comes first, then its brace.
    if (bytes[8] === 0x7b) return new SafetensorsFile(path, source);
    if ((first === 0x50 && second === 0x4b) || first === 0x80) {
      return new CheckpointFile(path, source);
    }
    if (first === 0x08 || /\.onnx$/i.test(path)) {
      source.close();
      return openOnnx(path);
    }
    throw new UserError(
      `${path}: of no known format; expected safetensors, a PyTorch checkpoint (.pth, .pt) or ONNX`,
    );
  } catch (error) {
    source.close();
    throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
