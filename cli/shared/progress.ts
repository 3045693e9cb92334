/** A progress line on stderr: redrawn in place on a terminal, sparse in a log. */

const encoder = new TextEncoder();
const WIDTH = 28;

/** Writes to stderr, where results do not go. */
export function say(text: string): void {
  Deno.stderr.writeSync(encoder.encode(text + "\n"));
}

/** A bar for work of known size. Drawn by the work itself: readbacks block timers. */
export class Progress {
  readonly #label: string;
  readonly #terminal = Deno.stderr.isTerminal();
  readonly #started = performance.now();
  #lastShown = -Infinity;
  #lastTenth = -1;

  constructor(label: string) {
    this.#label = label;
  }

  /** Shows that `done` of `total` is done; `note` says more. */
  update(done: number, total: number, note = ""): void {
    const share = total > 0 ? done / total : 1;
    const seconds = (performance.now() - this.#started) / 1000;
    const left = done > 0 ? seconds / done * (total - done) : 0;
    const time = done >= total ? `${format(seconds)}` : `${format(left)} left`;
    const line = `${this.#label.padEnd(12)} ${done}/${total} ${time} ${note}`.trimEnd();
    if (this.#terminal) {
      const now = performance.now();
      if (done < total && now - this.#lastShown < 80) return;
      this.#lastShown = now;
      const full = Math.round(share * WIDTH);
      const bar = "█".repeat(full) + "·".repeat(WIDTH - full);
      const rest = line.slice(13);
      const text = `\r\x1b[K${this.#label.padEnd(12)} ${bar} ${rest}`;
      Deno.stderr.writeSync(encoder.encode(text + (done >= total ? "\n" : "")));
    } else if (Math.floor(share * 10) > this.#lastTenth) {
      this.#lastTenth = Math.floor(share * 10);
      say(line);
    }
  }
}

function format(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
