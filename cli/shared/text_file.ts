/** Text files that people name on the command line. */
import { UserError } from "../../base/errors.ts";
import { unfitToRead } from "../../base/regular_file.ts";

/** Bytes of a text file, at most. */
const MOST_TEXT = 2 ** 28;

/**
 * The text of a file.
 *
 * @throws {UserError} when it cannot be read.
 */
export async function textOf(path: string): Promise<string> {
  try {
    const unfit = unfitToRead(path, MOST_TEXT);
    if (unfit) throw new Error(unfit);
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${(error as Error).message}`);
  }
}
