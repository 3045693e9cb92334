/** Whether results can be written, asked before they are computed. */
import { dirname, join, resolve } from "node:path";
import { UserError } from "./errors.ts";

/**
 * Tries whether files can be written into a folder, which need not be there yet. Nothing is left
 * behind: neither the file tried with nor folders made for it.
 *
 * @throws {UserError} when they cannot; its message says why.
 */
export function requireWritableFolder(folder: string): void {
  const made = missingFolders(folder);
  try {
    const probe = join(folder, `.mindseye-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`);
    try {
      Deno.mkdirSync(folder, { recursive: true });
      Deno.writeFileSync(probe, new Uint8Array(1), { createNew: true });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UserError(
        `nothing can be written into the folder ${folder} (${reason}); name another one`,
      );
    }
    Deno.removeSync(probe);
  } finally {
    for (const path of made) {
      try {
        Deno.removeSync(path);
      } catch { /* never made, or somebody uses it meanwhile */ }
    }
  }
}

/** The folders on the way to one that are not there yet, the innermost first. */
export function missingFolders(folder: string): string[] {
  const missing: string[] = [];
  for (let path = resolve(folder); dirname(path) !== path; path = dirname(path)) {
    try {
      Deno.lstatSync(path);
      break;
    } catch {
      missing.push(path);
    }
  }
  return missing;
}
