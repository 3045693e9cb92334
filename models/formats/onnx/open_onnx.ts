/** ONNX files on disk, with the weights that lie beside them. */
import { dirname, isAbsolute, join, relative } from "node:path";
import { UserError } from "../../../base/errors.ts";
import { type ByteSource } from "../byte_source.ts";
import { openFile } from "../open_file.ts";
import { OnnxFile } from "./onnx_file.ts";

/**
 * Opens an ONNX file and reads its graph; tensors are read when asked for, from it or from files in
 * its folder, and from nowhere else.
 *
 * @throws {UserError} If the file is missing, unreadable or no ONNX file.
 */
export function openOnnx(path: string): OnnxFile {
  const source = openFile(path);
  try {
    return new OnnxFile(path, source, (location) => openBeside(path, location));
  } catch (error) {
    source.close();
    throw error;
  }
}

/**
 * Opens a file beside an ONNX file, named as its graph names it.
 *
 * @throws {UserError} If it is elsewhere, missing or unreadable.
 */
export function openBeside(path: string, location: string): ByteSource {
  const folder = dirname(path);
  const refuse = (problem: string): never => {
    throw new UserError(`${path}: its weights are in "${location}", ${problem}`);
  };
  const inside = (base: string, file: string) => {
    const way = relative(base, file);
    return way !== "" && !isAbsolute(way) && way !== ".." && !/^\.\.[/\\]/.test(way);
  };
  if (
    isAbsolute(location) || /^[A-Za-z]:|\\|\0/.test(location) ||
    !inside(folder, join(folder, location))
  ) {
    return refuse("which is not in its folder, and only files there are read");
  }
  const file = join(folder, location);
  let real: [string, string];
  try {
    real = [Deno.realPathSync(folder), Deno.realPathSync(file)];
  } catch {
    return refuse("but there is no such file: it must lie beside the network");
  }
  if (!inside(...real)) return refuse("a link that leads out of its folder");
  return openFile(file);
}
