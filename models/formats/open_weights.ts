/** Weights files on disk, of whatever format. */
import { join } from "node:path";
import { openBeside } from "./onnx/open_onnx.ts";
import { openFile } from "./open_file.ts";
import { isIndex, readWeights } from "./read_weights.ts";
import { openSharded } from "./sharded.ts";
import type { WeightsFile } from "./weights.ts";

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
  let index: boolean;
  try {
    index = isIndex(source);
  } catch (error) {
    source.close();
    throw error;
  }
  if (!index) return readWeights(path, source, (location) => openBeside(path, location));
  source.close();
  return openSharded(path);
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
