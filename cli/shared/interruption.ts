/** Ctrl-C and SIGTERM: the first one ends a run so that all it did is kept, the second one at once. */
import { complain } from "./progress.ts";

/** A run that was ended by a signal; the program's exit code. */
export class Interrupted extends Error {
  override name = "Interrupted";

  constructor(readonly code: number) {
    super("interrupted");
  }
}

/** Exit codes of the signals: 128 and the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Listens for signals as long as it is not disposed of. */
export class Interruption implements Disposable {
  readonly #ending = new AbortController();
  readonly #owned = new DisposableStack();
  #code: number | undefined;
  #grows = false;

  /** @param hint what to do to go on after a signal that ends the program at once */
  constructor(hint: string) {
    for (const [name, code] of Object.entries(SIGNALS)) {
      // There is no SIGTERM on Windows.
      if (Deno.build.os === "windows" && name === "SIGTERM") continue;
      const listener = () => {
        const again = this.#code !== undefined;
        this.#code ??= code;
        if (again || !this.#grows) {
          complain(`\nstopped; ${hint}`);
          Deno.exit(code);
        }
        complain("\nending after this step, all is kept; once more to stop at once");
        this.#ending.abort();
      };
      Deno.addSignalListener(name as Deno.Signal, listener);
      this.#owned.defer(() => Deno.removeSignalListener(name as Deno.Signal, listener));
    }
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** The exit code of the signal that came. */
  get code(): number | undefined {
    return this.#code;
  }

  /** From now on there is something to keep: a first signal does not end the program at once. */
  growing(): void {
    this.#grows = true;
  }

  /** Listens no longer. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
