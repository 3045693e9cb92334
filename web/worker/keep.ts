/**
 * The last run of this page, kept by the browser, so that closing the tab loses nothing: what was
 * asked for, the record's lines, and the state to go on from.
 */
/// <reference lib="dom" />
import type { KeptState } from "./run.ts";
import type { NetworkChoice, RunRequest } from "./protocol.ts";

/** What a run was begun with. */
export interface KeptRun {
  readonly network: NetworkChoice;
  readonly request: RunRequest;
  readonly title: string;
}

/** All that is kept. */
export interface Kept extends KeptRun {
  readonly state: KeptState;
  /** The record so far. */
  readonly lines: readonly string[];
}

/** There is one run, and its state; lines have numbers. */
const ONE = "last";

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** What the browser keeps. Where it keeps nothing (no room, a private window) nothing comes of it. */
export class Keep {
  readonly #database: IDBDatabase | undefined;

  private constructor(database: IDBDatabase | undefined) {
    this.#database = database;
  }

  /** Opens it, for one tab at a time: in others nothing is kept. */
  static async open(): Promise<Keep> {
    const name = `mindseye ${new URL(".", location.href).pathname}`;
    try {
      const { promise: mine, resolve } = Promise.withResolvers<boolean>();
      navigator.locks.request(name, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise(() => {}) : undefined; // as long as the worker lives
      });
      if (!await mine) return new Keep(undefined);
      const opening = indexedDB.open(name, 1);
      opening.onupgradeneeded = () => {
        opening.result.createObjectStore("run");
        opening.result.createObjectStore("state");
        opening.result.createObjectStore("lines", { autoIncrement: true });
      };
      return new Keep(await done(opening));
    } catch {
      return new Keep(undefined);
    }
  }

  async #change(change: (store: (name: string) => IDBObjectStore) => void): Promise<void> {
    if (!this.#database) return;
    try {
      const transaction = this.#database.transaction(["run", "state", "lines"], "readwrite");
      change((name) => transaction.objectStore(name));
      await new Promise((resolve) => {
        transaction.oncomplete = transaction.onabort = resolve;
      });
    } catch { /* no room: what was kept before stays */ }
  }

  /** Forgets what was kept. */
  async forget(): Promise<void> {
    await this.#change((store) => ["run", "state", "lines"].forEach((name) => store(name).clear()));
  }

  /** Keeps a run that begins; one that was kept before is forgotten. */
  async begin(run: KeptRun): Promise<void> {
    await this.forget();
    await this.#change((store) => store("run").put(run, ONE));
  }

  /** Keeps a line of the record. */
  async line(line: string): Promise<void> {
    await this.#change((store) => store("lines").add(line));
  }

  /** Keeps a state. */
  async state(state: KeptState): Promise<void> {
    await this.#change((store) => store("state").put(state, ONE));
  }

  /** What is kept, if there is something to go on from. */
  async read(): Promise<Kept | undefined> {
    if (!this.#database) return;
    try {
      const transaction = this.#database.transaction(["run", "state", "lines"]);
      const get = (name: string) => done(transaction.objectStore(name).get(ONE));
      const lines = done(transaction.objectStore("lines").getAll());
      const [run, state] = await Promise.all([get("run"), get("state")]);
      return run && state ? { ...run, state, lines: await lines } : undefined;
    } catch {
      return;
    }
  }
}
