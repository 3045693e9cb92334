/**
 * A run's events as lines of JSON, so that a run that was interrupted can tell them again. Pictures
 * stand beside, a byte for each colour; what came of the network (facets, targets) is found again.
 */
import { UserError } from "../../base/errors.ts";
import type { RunEvent } from "../events.ts";
import { isObject } from "./manifest.ts";

/** An event that is written down. */
export type KeptEvent = Extract<
  RunEvent,
  { kind: "iterations" | "pictures" | "batch" | "note" }
>;

/** Whether an event is written down. */
export function isKept(event: RunEvent): event is KeptEvent {
  return ["iterations", "pictures", "batch", "note"].includes(event.kind);
}

/** Pictures of an event, that stand beside the journal. */
export interface KeptPictures {
  readonly iteration: number;
  /** The first of them. */
  readonly first: number;
  /** How many. */
  readonly count: number;
  /** Their side. */
  readonly size: number;
}

/** JSON has no word for these. */
const NUMBERS: Readonly<Record<string, number>> = { NaN, Infinity, "-Infinity": -Infinity };

type Check = (value: unknown) => boolean;
const whole: Check = (value) => Number.isSafeInteger(value) && value as number >= 0;
const text: Check = (value) => typeof value === "string";
const listOf = (of: Check): Check => (value) => Array.isArray(value) && value.every(of);
const metric: Check = (value) =>
  typeof value === "number" || typeof value === "string" && Object.hasOwn(NUMBERS, value);
const metrics: Check = (value) => isObject(value) && Object.values(value).every(metric);
const having = (checks: Readonly<Record<string, Check>>): Check => (value) =>
  isObject(value) && Object.entries(checks).every(([name, check]) => check(value[name]));
const stopped = listOf(having({ picture: whole, iteration: whole, reason: text }));

/** What makes an event of each kind. */
const EVENTS: Readonly<Record<KeptEvent["kind"], Check>> = {
  iterations: having({
    results: listOf(having({ iteration: whole, metrics: listOf(metrics), stopped: listOf(whole) })),
    total: whole,
  }),
  pictures: having({
    iteration: whole,
    size: (value) => whole(value) && value as number <= 4096,
    save: (value) => typeof value === "boolean",
    count: (value) => whole(value) && value as number <= 1e4,
  }),
  batch: having({
    first: whole,
    grown: having({
      names: listOf(text),
      size: whole,
      iterations: whole,
      aborted: (value) => typeof value === "boolean",
      stopped,
      before: listOf(metrics),
      after: listOf(metrics),
      seconds: having({ compile: metric, loop: metric }),
    }),
  }),
  note: having({ text }),
};

/** Whether a list of metrics, and pictures stopped, are what they should be: those of a state. */
export const areMetrics = listOf(metrics);
export const areStopped = stopped;

/** Numbers that JSON has no word for, put back. */
export function numbersBack<T>(value: T): T {
  if (typeof value === "string" && Object.hasOwn(NUMBERS, value)) return NUMBERS[value] as T;
  if (Array.isArray(value)) return value.map(numbersBack) as T;
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      // Of texts only metrics are numbers.
      return [
        name,
        name === "text" || name === "names" || name === "reason" ? each : numbersBack(each),
      ];
    }),
  ) as T;
}

/**
 * The events of a journal. Of batches that were done only the last pictures are there.
 *
 * @param read pictures of an event, [count,3,size,size] in 0..255; nothing where they are not there
 * @throws {UserError} when a line is none of an event, or pictures that are needed are missing.
 */
export function readJournal(
  lines: string,
  path: string,
  read: (kept: KeptPictures) => Float32Array | undefined,
): KeptEvent[] {
  const events: KeptEvent[] = [];
  const last = new Map<number, Float32Array | undefined>();
  const missing: { first: number; line: number }[] = [];
  for (const [i, line] of lines.split("\n").entries()) {
    if (line === "") continue;
    const wrong = () => new UserError(`${path}, line ${i + 1}: no event of a run; begin anew`);
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch {
      throw wrong();
    }
    const kind = isObject(json) ? json.kind as KeptEvent["kind"] : undefined;
    if (kind === undefined || !Object.hasOwn(EVENTS, kind) || !EVENTS[kind](json)) throw wrong();
    const event = numbersBack(json) as KeptEvent & { count: number };
    if (event.kind === "pictures") {
      const { count, ...others } = event;
      const { iteration, first = 0, size } = others;
      const pictures = read({ iteration, first, count, size });
      last.set(first, pictures);
      if (pictures) events.push({ ...others, pictures });
      else missing.push({ first, line: i + 1 });
    } else if (event.kind === "batch") {
      const pictures = last.get(event.first);
      if (!pictures) throw wrong();
      events.push({ ...event, grown: { ...event.grown, pictures } });
    } else events.push(event);
  }
  const done = new Set(events.flatMap((event) => event.kind === "batch" ? [event.first] : []));
  const lost = missing.find(({ first }) => !done.has(first));
  if (lost) throw new UserError(`${path}, line ${lost.line}: its pictures are gone; begin anew`);
  return events;
}
