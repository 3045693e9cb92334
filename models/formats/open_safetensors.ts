/** Safetensors files on disk. */
import { openFile } from "./open_file.ts";
import { SafetensorsFile } from "./safetensors.ts";

/**
 * Opens a safetensors file and reads its header; tensors are read when asked for.
 *
 * @throws {UserError} If the file is missing, unreadable or not a safetensors file.
 */
export function openSafetensors(path: string): SafetensorsFile {
  const source = openFile(path);
  try {
    return new SafetensorsFile(path, source);
  } catch (error) {
    source.close();
    throw error;
  }
}
