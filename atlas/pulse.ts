/**
 * A worker's pulse, beaten by a thread of its own: work on the GPU and on many photos lets timers wait
 * for minutes. The thread ends with its process, and so does the pulse.
 */
import { beat } from "./beat.ts";

/** How to beat. */
export interface PulseOptions {
  /** The file to write to. */
  readonly path: string;
  /** Milliseconds between beats. */
  readonly every: number;
}

/** A thread that beats until it is disposed of. */
export class Pulse implements Disposable {
  readonly #path: string;
  readonly #thread: Worker;

  /** Begins: when this returns there is a beat. */
  constructor(options: PulseOptions) {
    this.#path = options.path;
    beat(options.path, 1);
    const module = new URL("./pulse_worker.ts", import.meta.url);
    this.#thread = new Worker(module, { type: "module" });
    this.#thread.postMessage(options);
  }

  /** The last beat says that no other follows. */
  [Symbol.dispose](): void {
    this.#thread.terminate();
    try {
      beat(this.#path, "ended");
    } catch { /* then the pulse has stopped, which says the same a little later */ }
  }
}
