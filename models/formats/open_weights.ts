/** Weights files on disk, of whatever format. */
import { openSafetensors } from "./open_safetensors.ts";
import type { WeightsFile } from "./weights.ts";

/**
 * Opens a file of weights; which format it has is seen from what it holds. Its directory of tensors
 * is read; tensors are read when asked for.
 *
 * @throws {UserError} If the file is missing, unreadable, broken or of no known format.
 */
export function openWeights(path: string): WeightsFile {
  return openSafetensors(path);
}
