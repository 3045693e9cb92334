/** Manifests on disk. */
import { UserError } from "../../base/errors.ts";
import { unfitToRead } from "../../base/regular_file.ts";
import { type Manifest, parseManifest } from "./manifest.ts";

/** Bytes of the largest that is read. */
const MOST_BYTES = 2 ** 28;

/**
 * Reads a manifest.
 *
 * @returns nothing where there is no such file
 * @throws {UserError} as {@linkcode parseManifest}, and when it cannot be read.
 */
export function readManifest(path: string): Manifest | undefined {
  let text: string;
  try {
    const unfit = unfitToRead(path, MOST_BYTES);
    if (unfit) throw new Error(unfit);
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new UserError(`${path} cannot be read: ${(error as Error).message}`);
  }
  return parseManifest(text, path);
}
