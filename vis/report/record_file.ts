/** The record of a run on disk: `events.jsonl` in its folder. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { appendSync } from "../../base/atomic_file.ts";
import { UserError } from "../../base/errors.ts";
import { unfitToRead } from "../../base/regular_file.ts";

/** Its name. */
export const RECORD = "events.jsonl";

/** Bytes of the longest that is read. */
const MOST_BYTES = 2 ** 29;

/** Lines are added at its end; whoever is killed leaves at most half a line, which the next one cuts off. */
export class RecordFile implements Disposable {
  readonly #file: Deno.FsFile;
  /** Whether the run's photos are in it. */
  readonly hasPhotos: boolean;

  /**
   * Opens the record of a run, or begins one.
   *
   * @param again whether to go on with the record that is there; else it is written anew
   * @throws {UserError} when it cannot be written.
   */
  constructor(folder: string, again: boolean) {
    const path = join(folder, RECORD);
    const before = again && existsSync(path) ? readRecord(folder) : "";
    try {
      // A new file, so that who reads the old one sees that it is over.
      if (before === "") Deno.removeSync(path);
    } catch { /* there is none */ }
    try {
      this.#file = Deno.openSync(path, { write: true, create: true });
      this.#file.truncateSync(new TextEncoder().encode(before).length);
      this.#file.seekSync(0, Deno.SeekMode.End);
    } catch (error) {
      throw new UserError(`${path} cannot be written: ${(error as Error).message}`);
    }
    this.hasPhotos = before.includes('{"kind":"photos"');
  }

  /**
   * Adds a line.
   *
   * @throws {UserError} when it cannot be written.
   */
  write(line: string): void {
    try {
      appendSync(this.#file, new TextEncoder().encode(line));
    } catch (error) {
      throw new UserError(`${RECORD} cannot be written: ${(error as Error).message}`);
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/**
 * The whole lines of a run's record.
 *
 * @throws {UserError} when there is none, or it cannot be read.
 */
export function readRecord(folder: string): string {
  const path = join(folder, RECORD);
  let text: string;
  try {
    const unfit = unfitToRead(path, MOST_BYTES);
    if (unfit) throw new Error(`it is ${unfit}`);
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UserError(`${folder} has no record of a run (${RECORD}); name the folder of a run`);
    }
    throw new UserError(`${path} cannot be read: ${(error as Error).message}`);
  }
  return text.slice(0, text.lastIndexOf("\n") + 1);
}

/** A folder that holds the record of a run, or those in it that do; none where it cannot be looked into. */
export function recordsBelow(folder: string, depth: number): string[] {
  try {
    const inside = [...Deno.readDirSync(folder)];
    if (inside.some(({ name, isFile }) => name === RECORD && isFile)) return [folder];
    if (depth === 0) return [];
    return inside.filter(({ name, isDirectory }) => isDirectory && !name.startsWith("."))
      .map(({ name }) => join(folder, name)).toSorted()
      .flatMap((each) => recordsBelow(each, depth - 1));
  } catch {
    return []; // it is gone, or not ours to look into
  }
}
