/**
 * A worker's pulse, beaten by a thread of its own: work on the GPU and on many photos lets timers wait
 * for minutes. The thread ends with its process, and so does the pulse.
 */

/** What the thread is told to begin with. */
export interface BeatOptions {
  /** The file to write to. */
  readonly path: string;
  /** Milliseconds between beats. */
  readonly every: number;
}

/** Digits of a count: all beats are of one length, so that none is ever half of two. */
const DIGITS = 12;

/** Writes a beat, in place: whoever holds the file open, or has its name, sees it. */
export function beat(path: string, count: number | "ended"): void {
  Deno.writeTextFileSync(path, `${String(count).padStart(DIGITS)}\n`);
}

/** Whether this is the thread, and not the module that starts it. */
const inThread = "WorkerGlobalScope" in globalThis;

if (inThread) {
  self.addEventListener("message", ({ data }: MessageEvent<BeatOptions>) => {
    let count = 1;
    setInterval(() => {
      try {
        beat(data.path, ++count);
      } catch { /* a full disk may have room again before anyone gives the worker up */ }
    }, data.every);
  });
}

/** A thread that beats until it is disposed of. */
export class Pulse implements Disposable {
  readonly #path: string;
  readonly #thread: Worker;

  /** Begins: when this returns there is a beat. */
  constructor({ path, every }: BeatOptions) {
    this.#path = path;
    beat(path, 1);
    this.#thread = new Worker(new URL(import.meta.url), { type: "module" });
    this.#thread.postMessage({ path, every } satisfies BeatOptions);
  }

  /** The last beat says that no other follows. */
  [Symbol.dispose](): void {
    this.#thread.terminate();
    try {
      beat(this.#path, "ended");
    } catch { /* then the pulse has stopped, which says the same a little later */ }
  }
}
