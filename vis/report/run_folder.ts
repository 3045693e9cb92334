/**
 * The folder of a run: for one process at a time, never over another run, and with all that is needed
 * to go on after whatever ended it. What a run tells is written down as it goes on, in the folder
 * `.run`, which is gone when the run is finished:
 *
 * - `journal.jsonl`: its events, one a line
 * - `frames/`: their pictures, a byte for each colour
 * - `state.safetensors`: the loop, and how long the journal was when it was kept
 * - `stop`: somebody asks the process at work to stop and keep what it has
 */
import { join } from "node:path";
import {
  appendSync,
  removeLeftovers,
  writeInPiecesSync,
  writeWholeSync,
} from "../../base/atomic_file.ts";
import { UserError } from "../../base/errors.ts";
import { unfitToRead } from "../../base/regular_file.ts";
import { missingFolders } from "../../base/writable_folder.ts";
import { openSafetensors } from "../../models/formats/open_safetensors.ts";
import { safetensorsHead } from "../../models/formats/safetensors.ts";
import { eventLine } from "../event_lines.ts";
import type { Grown, GrowState, RunEvent } from "../events.ts";
import {
  areMetrics,
  areStopped,
  isKept,
  type KeptEvent,
  type KeptPictures,
  numbersBack,
  readJournal,
} from "./journal.ts";
import { isObject, type Manifest, RUN_FORMAT, type RunStatus } from "./manifest.ts";
import { readManifest } from "./read_manifest.ts";

/** What was kept of a run that did not come to its end. */
export interface KeptRun {
  /** What it told, in order, up to its last state. */
  readonly events: readonly KeptEvent[];
  /** Its last state, if it had one; of the batch after `batches` where there are some. */
  readonly state: GrowState | undefined;
  /** What came of the batches that were done. */
  readonly batches: readonly Grown[];
}

/** Bytes of the longest journal that is read. */
const MOST_BYTES = 2 ** 28;

/** What a run writes into its folder besides the folders of its pictures, and what it once wrote. */
const OWN_FILES = [
  ...["manifest.json", "losses.csv", "overview.png", "sheet.svg", "facets.svg"],
  ...["contact.png", "facets.png", "events.jsonl", "report.html"],
];

/** What it writes into these. */
const PICTURE_FILE = /^((final|progress|iteration_\d+)\.png|film\.gif)$/;

/** The folder of what layers answered, if it is in this one. */
const ACTIVATIONS = "activations";

/** A name of a folder in this one. */
const PLAIN_NAME = /^[^/\\:\0.][^/\\:\0]*$/;

/** Removes what may not be there; what cannot be removed stays. */
function discard(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch { /* it is not there, or not ours to remove */ }
}

const reasonOf = (error: unknown) => error instanceof Error ? error.message : String(error);

/** A folder holds a run already. */
export class FolderTakenError extends UserError {
  constructor(readonly folder: string, readonly status: RunStatus) {
    super(`${folder} holds a run that is ${status === "finished" ? "" : "not "}finished`);
  }
}

/** An open folder; it is others' turn when it is disposed of. */
export class RunFolder implements Disposable {
  /** Its path. */
  readonly path: string;
  /** The manifest that was there. */
  readonly manifest: Manifest | undefined;
  readonly #lock: Deno.FsFile;
  /** Folders that were not there before, the innermost first. */
  readonly #made: readonly string[];
  #journal: Deno.FsFile | undefined;
  #journalBytes = 0;

  private constructor(
    path: string,
    lock: Deno.FsFile,
    made: readonly string[],
    manifest: Manifest | undefined,
  ) {
    this.path = path;
    this.#lock = lock;
    this.#made = made;
    this.manifest = manifest;
  }

  /**
   * Opens a folder for a run, and makes it where there is none.
   *
   * @param options.resume whether to go on with a run that is there; one that is finished is let be
   * @param options.force whether to remove a run that is there, which nothing else does
   * @throws {UserError} when another process is at it, when there is a run that is neither to be gone on
   * with nor to be removed, or when nothing can be written.
   */
  static open(
    path: string,
    { resume = false, force = false }: { resume?: boolean; force?: boolean } = {},
  ): RunFolder {
    const made = missingFolders(path);
    const lock = lockOf(path);
    try {
      const manifest = readManifest(join(path, "manifest.json"));
      // Others may be at work on what layers answered.
      if (manifest) removeLeftovers(path, { depth: 2, but: ACTIVATIONS });
      discard(stopOf(path)); // meant for whoever was at work before
      if (manifest && force) clear(path, manifest);
      else if (manifest && !resume) {
        throw new FolderTakenError(path, manifest.status);
      }
      return new RunFolder(path, lock, made, force ? undefined : manifest);
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  /** Whether there is a run that came to its end. */
  get finished(): boolean {
    return this.manifest?.status === "finished";
  }

  #file(name: string): string {
    return join(this.path, ".run", name);
  }

  /**
   * Whether what is written still comes into this folder.
   *
   * @throws {UserError} when it was removed, or another one is in its place.
   */
  check(): void {
    if (isFileOf(this.#lock, this.#file("lock"))) return;
    throw new UserError(`${this.path} was removed or replaced while the run was at work in it`);
  }

  /** Whether somebody asks the run to stop: {@linkcode askToStop}. */
  get askedToStop(): boolean {
    return exists(stopOf(this.path));
  }

  /**
   * Makes a change on disk.
   *
   * @throws {UserError} when it cannot be made.
   */
  #write<T>(change: () => T): T {
    this.check();
    try {
      return change();
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`${this.path} cannot be written: ${reasonOf(error)}`);
    }
  }

  /** Writes the manifest. */
  writeManifest(status: RunStatus, manifest: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify({ format: RUN_FORMAT, status, ...manifest }, null, 2) + "\n";
    this.#write(() => writeWholeSync(join(this.path, "manifest.json"), text));
  }

  /**
   * What was kept of the run that is there. What came after its last state is forgotten.
   *
   * @throws {UserError} when it is damaged.
   */
  kept(): KeptRun {
    this.#closeJournal();
    this.#journalBytes = 0;
    const path = this.#file("state.safetensors");
    if (!exists(path)) return { events: [], state: undefined, batches: [] };
    using file = openSafetensors(path);
    const damaged = (what: string) =>
      new UserError(
        `${path}: ${what}; it cannot be gone on with: begin anew in another folder`,
      );
    const { journal, state } = stateOf(file.metadata.state, damaged);
    const events = this.#journalOf(journal, damaged);
    const batches = events.flatMap((event) => event.kind === "batch" ? [event.grown] : []);
    if (!state) return { events, state: undefined, batches };
    const tensors = Object.fromEntries(
      file.names.map((name) => [name, Float32Array.from(file.read(name))]),
    );
    if (!tensors.picture) throw damaged("there are no pictures in it");
    const { iteration, ...others } = state;
    return { events, state: { ...others, snapshot: { iteration, tensors } }, batches };
  }

  #journalOf(bytes: number, damaged: (what: string) => UserError): KeptEvent[] {
    const path = this.#file("journal.jsonl");
    if (!exists(path)) throw damaged("its journal is gone");
    const unfit = unfitToRead(path, MOST_BYTES);
    if (unfit) throw damaged(`its journal is ${unfit}`);
    const all = Deno.readFileSync(path);
    if (all.length < bytes) throw damaged("its journal is shorter than it was");
    this.#journalBytes = bytes;
    return readJournal(
      new TextDecoder().decode(all.subarray(0, bytes)),
      path,
      (pictures) => this.#readFrames(pictures),
    );
  }

  #framesOf({ first, iteration }: Pick<KeptPictures, "first" | "iteration">): string {
    return this.#file(join("frames", `${first}_${iteration}.rgb`));
  }

  #readFrames(pictures: KeptPictures): Float32Array | undefined {
    const path = this.#framesOf(pictures);
    if (!exists(path)) return;
    const bytes = pictures.count * 3 * pictures.size ** 2;
    if (unfitToRead(path, bytes) || Deno.statSync(path).size !== bytes) return;
    return Float32Array.from(Deno.readFileSync(path));
  }

  /** Writes down what a run tells: to be called when all else that an event gives rise to is done. */
  record(event: RunEvent): void {
    if (event.kind === "state") {
      this.#writeState(event.state);
      return;
    }
    // A batch that was ended goes on from its state.
    if (!isKept(event) || event.kind === "batch" && event.grown.aborted) return;
    this.#write(() => {
      this.#journal ??= this.#openJournal();
      if (event.kind === "pictures") {
        const { first = 0, iteration } = event;
        writeWholeSync(
          this.#framesOf({ first, iteration }),
          new Uint8Array(Uint8ClampedArray.from(event.pictures).buffer),
        );
      }
      const line = new TextEncoder().encode(eventLine(event));
      appendSync(this.#journal, line);
      this.#journalBytes += line.length;
    });
    if (event.kind !== "batch") return;
    this.#writeState();
    this.#removeFrames(event.first, event.grown.iterations);
  }

  #openJournal(): Deno.FsFile {
    Deno.mkdirSync(this.#file("frames"), { recursive: true });
    const journal = Deno.openSync(this.#file("journal.jsonl"), { write: true, create: true });
    journal.truncateSync(this.#journalBytes);
    journal.seekSync(0, Deno.SeekMode.End);
    return journal;
  }

  /** Of a batch that is done only the last frames are kept. */
  #removeFrames(first: number, last: number): void {
    const own = `${first}_`;
    for (const { name } of Deno.readDirSync(this.#file("frames"))) {
      if (name.startsWith(own) && name !== `${first}_${last}.rgb`) {
        discard(this.#file(join("frames", name)));
      }
    }
  }

  /** Keeps a state, or that the next batch has not begun. */
  #writeState(state?: GrowState): void {
    const { snapshot, ...others } = state ?? {};
    const text = JSON.stringify(
      {
        format: RUN_FORMAT,
        journal: this.#journalBytes,
        state: snapshot ? { ...others, iteration: snapshot.iteration } : undefined,
      },
      (_, value) => typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
    );
    const tensors = Object.entries(snapshot?.tensors ?? {});
    function* pieces(): Generator<Uint8Array> {
      yield safetensorsHead(tensors.map(([name, { length }]) => [name, [length]]), { state: text });
      for (const [, { buffer, byteOffset, byteLength }] of tensors) {
        yield new Uint8Array(buffer, byteOffset, byteLength);
      }
    }
    this.#write(() => {
      // A state is of no use without what was told before it.
      this.#journal?.syncDataSync();
      writeInPiecesSync(this.#file("state.safetensors"), pieces());
    });
  }

  /**
   * Forgets a run that failed before it did anything.
   *
   * @returns whether it is forgotten; else there is something to go on from
   */
  abandon(): boolean {
    if (this.manifest || this.#journalBytes > 0) return false;
    clear(this.path, { format: RUN_FORMAT, status: "running" });
    return true;
  }

  /** Removes what only a run that is not finished needs. */
  finish(): void {
    this.#closeJournal();
    discard(join(this.path, ".run"));
  }

  #closeJournal(): void {
    this.#journal?.close();
    this.#journal = undefined;
  }

  /** Lets others at it. Where no run was begun nothing is left behind. */
  [Symbol.dispose](): void {
    this.#closeJournal();
    discard(stopOf(this.path));
    if (this.finished) this.finish();
    if (!exists(join(this.path, "manifest.json"))) {
      this.finish();
      for (const folder of this.#made) {
        try {
          Deno.removeSync(folder);
        } catch { /* something else is in it */ }
      }
    }
    this.#lock.close();
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether an open file is the one of this name. */
function isFileOf(file: Deno.FsFile, name: string): boolean {
  return exists(name) && Deno.statSync(name).ino === file.statSync().ino;
}

/** Lets one process at a folder; when it ends, however it ends, the next one. */
function lockOf(path: string): Deno.FsFile {
  const name = join(path, ".run", "lock");
  for (;;) {
    let file: Deno.FsFile;
    try {
      Deno.mkdirSync(join(path, ".run"), { recursive: true });
      file = Deno.openSync(name, { read: true, write: true, create: true });
    } catch (error) {
      throw new UserError(
        `nothing can be written into the folder ${path} (${reasonOf(error)}); name another one`,
      );
    }
    if (!file.tryLockSync(true)) {
      file.close();
      throw new UserError(
        `another process is at work in ${path}; wait for it, or name another folder`,
      );
    }
    // Whose turn it was before may have removed it at its end.
    if (isFileOf(file, name)) return file;
    file.close();
  }
}

const stopOf = (path: string) => join(path, ".run", "stop");

/**
 * Asks the process at work in a folder to stop and keep what it has.
 *
 * @returns whether there is one
 */
export function askToStop(path: string): boolean {
  try {
    using lock = Deno.openSync(join(path, ".run", "lock"), { read: true, write: true });
    if (lock.tryLockSync(true)) return false;
    Deno.openSync(stopOf(path), { write: true, createNew: true }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return error instanceof Deno.errors.AlreadyExists;
  }
}

/** Removes the files of a run, and folders that are empty then; others' files stay. */
function clear(path: string, manifest: Manifest): void {
  for (const name of OWN_FILES) discard(join(path, name));
  for (const { folder } of [manifest.facets, manifest.pictures].flat().filter(isObject)) {
    if (typeof folder !== "string" || !PLAIN_NAME.test(folder)) continue;
    const inside = join(path, folder);
    if (!exists(inside) || !Deno.lstatSync(inside).isDirectory) continue;
    for (const { name } of Deno.readDirSync(inside)) {
      if (PICTURE_FILE.test(name)) discard(join(inside, name));
    }
    try {
      Deno.removeSync(inside);
    } catch { /* somebody else's files are in it */ }
  }
  for (const name of ["journal.jsonl", "frames", "state.safetensors"]) {
    discard(join(path, ".run", name));
  }
}

/** What a state's text says. */
function stateOf(text: string | undefined, damaged: (what: string) => UserError) {
  let json: unknown;
  try {
    json = JSON.parse(text ?? "");
  } catch {
    throw damaged("it is no state of a run");
  }
  if (!isObject(json) || typeof json.journal !== "number") throw damaged("it is no state of a run");
  if (typeof json.format !== "number" || json.format > RUN_FORMAT) {
    throw damaged("it is of a newer mindseye: take that");
  }
  const { journal, state } = json;
  if (state === undefined) return { journal, state: undefined };
  const whole = (value: unknown) => Number.isSafeInteger(value) && value as number >= 0;
  const fits = isObject(state) && typeof state.identity === "string" && whole(state.octave) &&
    whole(state.iteration) && areMetrics(state.before) && areStopped(state.stopped) &&
    isObject(state.seconds) && typeof state.seconds.compile === "number" &&
    typeof state.seconds.loop === "number";
  if (!fits) throw damaged("it is no state of a run");
  return {
    journal,
    state: numbersBack(state) as unknown as Omit<GrowState, "snapshot"> & { iteration: number },
  };
}
