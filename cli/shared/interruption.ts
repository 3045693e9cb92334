/**
 * Ctrl-C and SIGTERM: the first one ends a run so that all it did is kept, the second one at once. Who
 * looks at the run on its page can end it like the first Ctrl-C.
 */
import { complain } from "./progress.ts";

/** A run that was ended by a signal, or as if by one; the program's exit code. */
export class Interrupted extends Error {
  override name = "Interrupted";

  constructor(readonly code: number) {
    super("interrupted");
  }
}

/** Exit codes of the signals: 128 and the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Those that there are; Windows has no SIGTERM. */
function namesOfSignals(): (keyof typeof SIGNALS)[] {
  return Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
}

/** Waits for a signal; the next one ends the program at once. */
export async function untilSignal(): Promise<void> {
  using signals = new DisposableStack();
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const name of namesOfSignals()) {
    const listener = () => resolve();
    Deno.addSignalListener(name, listener);
    signals.defer(() => Deno.removeSignalListener(name, listener));
  }
  await promise;
}

/** Listens for signals as long as it is not disposed of. */
export class Interruption implements Disposable {
  /** Those that listen; a signal is for the last one, which knows best what is at work. */
  static readonly #listening: Interruption[] = [];
  readonly #ending = new AbortController();
  readonly #owned = new DisposableStack();
  #code: number | undefined;
  #grows = false;

  /** @param hint what to do to go on after a signal that ends the program at once */
  constructor(hint: string) {
    Interruption.#listening.push(this);
    this.#owned.defer(() => {
      Interruption.#listening.splice(Interruption.#listening.indexOf(this), 1);
    });
    for (const name of namesOfSignals()) {
      const code = SIGNALS[name];
      const listener = () => {
        if (Interruption.#listening.at(-1) !== this) return;
        const again = this.#code !== undefined;
        this.#code ??= code;
        if (again || !this.#grows) {
          complain(`\nstopped; ${hint}`);
          Deno.exit(code);
        }
        complain("\nending after this step, all is kept; once more to stop at once");
        this.#ending.abort();
      };
      Deno.addSignalListener(name, listener);
      this.#owned.defer(() => Deno.removeSignalListener(name, listener));
    }
  }

  /** Somebody asked, from elsewhere, that the run be stopped and kept. */
  asked(): void {
    if (this.#code !== undefined) return;
    this.#code = SIGNALS.SIGINT;
    complain("asked to stop: ending after this step, all is kept");
    this.#ending.abort();
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
