/** The record of a run as it grows, whoever writes it: its whole lines, from any place on. */
import { join } from "node:path";
import { RECORD } from "../vis/report/record_file.ts";

/** Bytes that are looked at in one go. */
const PIECE = 2 ** 18;

const LINE_END = 0x0a;

/** Lines, their ends included. */
export interface Lines {
  readonly lines: readonly Uint8Array[];
  /** Where the next one begins. */
  readonly next: number;
}

/** A record that is open. It stays the same one when another file comes to bear its name. */
export class FollowedRecord implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  #whole = 0;

  private constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** Opens the record of the run in a folder, if there is one. */
  static open(folder: string): FollowedRecord | undefined {
    const path = join(folder, RECORD);
    try {
      // A pipe would make us wait, a link might lead out of the run.
      if (!Deno.lstatSync(path).isFile) return;
      return new FollowedRecord(Deno.openSync(path), path);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
    }
  }

  /** Where its last whole line ends. */
  get whole(): number {
    return this.#whole;
  }

  /**
   * Looks what was added.
   *
   * @returns false when it is gone, or was begun anew: then this is no longer the run's record
   */
  look(): boolean {
    const { size, ino } = this.#file.statSync();
    if (size < this.#whole || !this.#isNamed(ino)) return false;
    // What was half written when it was last looked at may have been cut off.
    for (let from = this.#whole; from < size;) {
      const piece = this.#read(from, PIECE);
      if (piece.length === 0) break;
      const end = piece.lastIndexOf(LINE_END);
      if (end >= 0) this.#whole = from + end + 1;
      from += piece.length;
    }
    return true;
  }

  #isNamed(ino: number | null): boolean {
    try {
      return Deno.lstatSync(this.#path).ino === ino;
    } catch {
      return false;
    }
  }

  /** Whether a line begins there. */
  begins(at: number): boolean {
    return at === 0 || at <= this.#whole && this.#read(at - 1, 1)[0] === LINE_END;
  }

  /** Some lines, at least one where there is one more, from a place where one begins. */
  from(at: number): Lines {
    const lines: Uint8Array[] = [];
    let next = at;
    for (let most = PIECE; next === at && at < this.#whole; most *= 2) {
      const piece = this.#read(at, Math.min(most, this.#whole - at));
      for (let begin = 0, end; (end = piece.indexOf(LINE_END, begin)) >= 0; begin = end + 1) {
        lines.push(piece.subarray(begin, end + 1));
        next = at + end + 1;
      }
    }
    return { lines, next };
  }

  #read(from: number, most: number): Uint8Array {
    const bytes = new Uint8Array(most);
    this.#file.seekSync(from, Deno.SeekMode.Start);
    let done = 0;
    while (done < most) {
      const count = this.#file.readSync(bytes.subarray(done));
      if (count === null) break;
      done += count;
    }
    return bytes.subarray(0, done);
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}
