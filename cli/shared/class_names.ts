/** Names of classes, from files that people keep them in. */
import { UserError } from "../../base/errors.ts";
import { textOf } from "./text_file.ts";

/**
 * The lines of a file.
 *
 * @throws {UserError} when it cannot be read or is empty.
 */
export async function classNamesOf(path: string | undefined): Promise<string[] | undefined> {
  if (path === undefined) return;
  const text = await textOf(path);
  const names = text.split(/\r?\n/).map((line) => line.trim());
  while (names.at(-1) === "") names.pop();
  if (names.length === 0) throw new UserError(`${path}: expected a name on each line, it is empty`);
  return names;
}
