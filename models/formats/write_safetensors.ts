/** Writing safetensors to disk, one tensor after the other. */
import { writeInPiecesSync } from "../../base/atomic_file.ts";
import { safetensorsHead } from "./safetensors.ts";
import type { WeightsFile } from "./weights.ts";

/**
 * Writes all tensors of a file as float32. No more than one of them is held at a time; the file is
 * there whole or not at all, and its folder is made where it is missing.
 *
 * @throws {UserError} If it cannot be written, or a tensor cannot be read.
 */
export function writeSafetensors(
  path: string,
  weights: WeightsFile,
  metadata: Readonly<Record<string, string>>,
): void {
  const shapes = weights.names.map((name) => [name, weights.shape(name)] as const);
  function* pieces(): Generator<Uint8Array> {
    yield safetensorsHead(shapes, metadata);
    for (const name of weights.names) {
      const values = weights.read(name);
      yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    }
  }
  writeInPiecesSync(path, pieces());
}
