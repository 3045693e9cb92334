/** What people read: results on stdout; the rest, and how far the work is, on stderr. */

import { VERSION } from "../../base/version.ts";
import { eventLine, EVENTS_FORMAT } from "../../vis/event_lines.ts";
import type { RunEvent } from "../../vis/events.ts";
import type { Doing } from "../../web/server.ts";

const encoder = new TextEncoder();
const WIDTH = 28;

/** A text that names of files and layers cannot turn into orders to the terminal. */
export function plain(text: string): string {
  // Control characters but tab and line feed, and those that turn around the direction of writing.
  // deno-lint-ignore no-control-regex
  return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** How the program speaks. */
const voice = { quiet: false, json: false, hushed: false };

/** Says nothing of what goes on, results neither, until it is disposed of. */
export function hush(): Disposable {
  const before = { ...voice };
  Object.assign(voice, { quiet: true, json: false, hushed: true });
  return { [Symbol.dispose]: () => void Object.assign(voice, before) };
}

/**
 * Chooses how the program speaks from now on.
 *
 * @param options.quiet only results and errors
 * @param options.json stdout is for a run's events, a line of JSON each; results are told on stderr
 */
export function speak(options: { readonly quiet: boolean; readonly json: boolean }): void {
  Object.assign(voice, options);
  if (voice.json) tell(JSON.stringify({ kind: "events", format: EVENTS_FORMAT, version: VERSION }));
}

function tell(line: string): void {
  const bytes = encoder.encode(line + "\n");
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}

/** Whether a bar stands on the terminal, in the place of the next line. */
let barStands = false;

function clearBar(): void {
  if (barStands) Deno.stderr.writeSync(encoder.encode("\r\x1b[K"));
  barStands = false;
}

/** Writes a line to stderr, whatever was chosen. */
export function complain(text: string): void {
  clearBar();
  Deno.stderr.writeSync(encoder.encode(plain(text) + "\n"));
}

/** Writes a line to stderr, where results do not go, unless the program is to be quiet. */
export function say(text: string): void {
  if (!voice.quiet) complain(text);
}

/** Writes a line of results to stdout. */
export function print(text: string): void {
  if (voice.hushed) return;
  if (voice.json) return say(text);
  clearBar();
  // deno-lint-ignore no-console
  console.log(plain(text));
}

/** Tells an event of a run to programs that listen. */
export function announce(event: RunEvent): void {
  if (voice.json) tell(eventLine(event).trimEnd());
}

let onProgress: ((doing: Doing | undefined) => void) | undefined;

/** Tells somebody else as well how far the work is; nothing when a stage is done. */
export function shareProgress(listener: (doing: Doing | undefined) => void): void {
  onProgress = listener;
}

/**
 * A bar for work of known size, redrawn in place on a terminal, sparse in a log. Drawn by the work itself:
 * readbacks block timers.
 */
export class Progress {
  readonly #label: string;
  readonly #silent: number;
  readonly #terminal = Deno.stderr.isTerminal();
  readonly #started = performance.now();
  /** What was done when it was first told, from where on the speed is reckoned. */
  #first: { readonly done: number; readonly at: number } | undefined;
  #lastShown = -Infinity;
  #lastTenth = -1;
  #toldTime = false;

  /** @param options.silent seconds in which nothing is shown, and nothing at all of what is quicker */
  constructor(label: string, { silent = 0 }: { readonly silent?: number } = {}) {
    this.#label = label;
    this.#silent = silent;
  }

  /** Shows that `done` of `total` is done; `note` says more. */
  update(done: number, total: number, note = ""): void {
    const now = performance.now();
    this.#first ??= { done, at: now };
    const seconds = (now - this.#started) / 1000;
    const share = total > 0 ? done / total : 1;
    const left = secondsLeft(this.#first, { done, at: now }, total);
    onProgress?.(done < total ? { stage: this.#label, done, total, left } : undefined);
    if (voice.quiet || seconds < this.#silent) return;
    const time = done >= total ? format(seconds) : left === undefined ? "" : `${format(left)} left`;
    const line = [`${this.#label.padEnd(12)} ${done}/${total}`, time, note].filter(Boolean).join(
      " ",
    );
    if (this.#terminal) {
      if (done < total && now - this.#lastShown < 80) return;
      this.#lastShown = now;
      const full = Math.round(share * WIDTH);
      const bar = "█".repeat(full) + "·".repeat(WIDTH - full);
      const rest = plain(line.slice(13));
      const text = `\r\x1b[K${this.#label.padEnd(12)} ${bar} ${rest}`;
      Deno.stderr.writeSync(encoder.encode(text + (done >= total ? "\n" : "")));
      barStands = done < total;
    } else if (Math.floor(share * 10) > this.#lastTenth || !this.#toldTime && time) {
      this.#lastTenth = Math.floor(share * 10);
      this.#toldTime ||= time !== "";
      say(line);
    }
  }
}

/** Seconds after which a stage of the work is worth a bar. */
const WORTH_A_BAR = 1;

/** Shows stages of the work one after the other, each that takes its time as a bar of its own. */
export function stages(): (
  step: { readonly stage: string; readonly done: number; readonly total: number },
) => void {
  let last = { stage: "", done: 0 };
  let progress: Progress | undefined;
  return ({ stage, done, total }) => {
    const begins = stage !== last.stage || done < last.done;
    if (!progress || begins) progress = new Progress(stage, { silent: WORTH_A_BAR });
    last = { stage, done };
    progress.update(done, total);
  };
}

/**
 * Seconds until all is done at the speed since the first telling, before which things are loaded and
 * compiled, or were done in another run; unknown where nothing has been done since.
 */
export function secondsLeft(
  first: { readonly done: number; readonly at: number },
  now: { readonly done: number; readonly at: number },
  total: number,
): number | undefined {
  if (now.done <= first.done) return;
  return (now.at - first.at) / 1000 / (now.done - first.done) * (total - now.done);
}

function format(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
