/**
 * Files that are there whole or not at all, whoever is killed and however many processes write: under
 * a name that nobody else uses first, then renamed.
 */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError } from "./errors.ts";
import { unfitToRead } from "./regular_file.ts";

/** A name beside a file's that no other process and no other call uses. */
function aside(path: string): string {
  return `${path}.${Deno.pid}-${crypto.randomUUID().slice(0, 8)}.part`;
}

/** Names of {@linkcode aside}. */
const ASIDE = /\.\d+-[0-9a-f]{8}\.part$/;

/**
 * Removes what was left in a folder by writers that were killed. To be called by whom alone may write
 * there.
 *
 * @param options.depth how deep folders in it are looked at as well
 * @param options.but a folder that is let be
 */
export function removeLeftovers(
  folder: string,
  { depth, but }: { depth: number; but?: string },
): void {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (isDirectory) {
      if (name !== but && depth > 0) removeLeftovers(path, { depth: depth - 1 });
    } else if (ASIDE.test(name)) discard(path);
  }
}

const bytesOf = (content: Uint8Array | string) =>
  typeof content === "string" ? new TextEncoder().encode(content) : content;

/** A failure as the person who named the file should hear of it: a full disk, a folder that is gone. */
function unwritable(path: string, error: unknown): UserError {
  const reason = error instanceof Error ? error.message : String(error);
  return new UserError(`${path} cannot be written: ${reason}`);
}

/** Removes what may not be there. */
function discard(path: string): void {
  try {
    Deno.removeSync(path);
  } catch { /* it was never written */ }
}

/**
 * Writes a file whole; its folder is made where it is missing.
 *
 * @throws {UserError} when it cannot be written; then there is what was there before.
 */
export async function writeWhole(
  folder: string,
  name: string,
  content: Uint8Array | string,
): Promise<void> {
  const path = join(folder, name);
  const part = aside(path);
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeFile(part, bytesOf(content));
    await Deno.rename(part, path);
  } catch (error) {
    discard(part);
    throw unwritable(path, error);
  }
}

/** The same, at once; when this returns it is on the disk. */
export function writeWholeSync(path: string, content: Uint8Array | string): void {
  writeInPiecesSync(path, [bytesOf(content)]);
}

/** The same, of pieces that are not held all at once. */
export function writeInPiecesSync(path: string, pieces: Iterable<Uint8Array>): void {
  const part = aside(path);
  try {
    Deno.mkdirSync(dirname(path), { recursive: true });
    using file = Deno.openSync(part, { write: true, createNew: true });
    for (const piece of pieces) {
      for (let done = 0; done < piece.length;) done += file.writeSync(piece.subarray(done));
    }
    file.syncSync();
    Deno.renameSync(part, path);
  } catch (error) {
    discard(part);
    throw unwritable(path, error);
  }
}

/**
 * Lets one process after the other at a file: to add to it, or to put another in its place that is
 * made from what it holds. The file is made, empty, where it is missing. Who only reads need not wait.
 *
 * @param body is given the file, open for appending
 */
export function inTurnSync<T>(path: string, body: (file: Deno.FsFile) => T): T {
  Deno.mkdirSync(dirname(path), { recursive: true });
  for (;;) {
    const unfit = existsSync(path) && unfitToRead(path);
    if (unfit) throw new UserError(`${path} is ${unfit}`);
    using file = Deno.openSync(path, { append: true, create: true });
    file.lockSync(true);
    // Whose turn it was before may have put another file in its place.
    if (file.statSync().ino !== inodeOf(path)) continue;
    // Whoever else was writing it was killed.
    for (const { name } of Deno.readDirSync(dirname(path))) {
      if (name.startsWith(`${basename(path)}.`) && ASIDE.test(name)) {
        discard(join(dirname(path), name));
      }
    }
    return body(file);
  }
}

function inodeOf(path: string): number | null | undefined {
  try {
    return Deno.statSync(path).ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Appends all of some bytes to a file opened so, in one piece. */
export function appendSync(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}
