/**
 * Feeds damaged files to everything that reads files. Whatever comes in, only a {@linkcode UserError}
 * may come out, within a second, and without asking for much more memory than the file has.
 *
 *     deno task reliability:fuzz [--target NAME]... [--count 100000] [--first 0]
 *
 * With `--show` the file of the first number goes to stdout.
 */
// deno-lint-ignore-file no-console
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import type { Photo } from "../../vis/photos/photos.ts";
import { allocated, countAllocations } from "./allocations.ts";
import { mutated } from "./mutate.ts";
import { type Target, TARGETS } from "./targets.ts";

/** Most milliseconds for one file, and for each pixel of a picture that is read. */
const MOST_MS = 1000, PIXEL_MS = 2e-5;

/** Most bytes for a file, and for each of its own; a picture may take more, by what its header says. */
const MOST_BYTES = 2 ** 26, MOST_TIMES = 3, PICTURE_BYTES = 2 ** 31;

/** What came of a target. */
export interface Outcome {
  /** Files that were read without complaint. */
  read: number;
  /** Files that were refused in a line. */
  refused: number;
  /** What must not be, with the number of the file. */
  readonly findings: string[];
  /** The most milliseconds for one file. */
  slowest: number;
  /** The most bytes of arrays for one file. */
  largest: number;
}

/** The file of a number, always the same. */
function inputOf(
  { inside }: Target,
  seeds: readonly Uint8Array[],
  number: number,
): Uint8Array<ArrayBuffer> {
  const random = new Random(number);
  return inside && number % 2 === 0 ? inside(random.pick(seeds), random) : mutated(seeds, random);
}

async function empty(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    await Deno.remove(join(folder, name), { recursive: true });
  }
}

/** Damages files of a target, from number `first`, and looks at what comes of each. */
export async function fuzz(
  name: string,
  target: Target,
  first: number,
  count: number,
  began: (number: number) => void = () => {},
): Promise<Outcome> {
  const { read, pictures = false } = target;
  const files = await target.seeds();
  const outcome: Outcome = { read: 0, refused: 0, findings: [], slowest: 0, largest: 0 };
  const folder = await Deno.makeTempDir();
  // What is loaded and compiled at the first use is not the file's doing.
  if (files[0]) await Promise.try(read, Uint8Array.from(files[0]), folder).catch(() => {});
  for (let number = first; number < first + count && files.length > 0; number++) {
    const bytes = inputOf(target, files, number);
    const { length } = bytes;
    const wrong = (what: string) => outcome.findings.push(`${name} ${number}: ${what}`);
    await empty(folder);
    began(number);
    allocated();
    const start = performance.now();
    let pixels = 0;
    try {
      const result = await read(bytes, folder);
      if (pictures) pixels = (result as Photo).width * (result as Photo).height;
      outcome.read++;
    } catch (error) {
      if (error instanceof UserError) outcome.refused++;
      else wrong(error instanceof Error ? `${error.stack}` : String(error));
      if (error instanceof UserError && error.message.length > 2000) {
        wrong(`a message of ${error.message.length} characters`);
      }
    }
    const ms = performance.now() - start;
    const size = allocated();
    outcome.slowest = Math.max(outcome.slowest, ms);
    outcome.largest = Math.max(outcome.largest, size);
    if (ms > MOST_MS + PIXEL_MS * pixels) wrong(`took ${Math.round(ms)} ms`);
    const most = MOST_TIMES * length + (pictures ? PICTURE_BYTES : MOST_BYTES);
    if (size > most) wrong(`asked for ${size} bytes of arrays, the file has ${length}`);
  }
  await Deno.remove(folder, { recursive: true });
  return outcome;
}

/** Ends the process when a file takes forever: a loop that never ends lets no timer fire here. */
function watch(): (number: number) => void {
  const now = new Int32Array(new SharedArrayBuffer(4));
  const source = `onmessage = ({ data }) => {
    let last = -1;
    setInterval(() => {
      const number = Atomics.load(data, 0);
      if (number === last) { console.error("number " + number + " does not end"); Deno.exit(3); }
      last = number;
    }, 20000);
  };`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  new Worker(url, { type: "module" }).postMessage(now);
  return (number) => Atomics.store(now, 0, number);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      target: { type: "string", multiple: true, default: Object.keys(TARGETS) },
      count: { type: "string", default: "100000" },
      first: { type: "string", default: "0" },
      show: { type: "boolean", default: false },
    },
  });
  countAllocations();
  const began = watch();
  let bad = false;
  for (const name of values.target) {
    const target = TARGETS[name];
    if (!target) throw new Error(`no target "${name}"; there are ${Object.keys(TARGETS)}`);
    const [first, count] = [Number(values.first), Number(values.count)];
    if (values.show) await Deno.stdout.write(inputOf(target, await target.seeds(), first));
    const { read, refused, findings, slowest, largest } = await fuzz(
      ...[name, target, first, count, began] as const,
    );
    const [ms, mb] = [slowest.toFixed(0), (largest / 2 ** 20).toFixed(1)];
    console.log(
      `${name}: ${read + refused} files, ${read} read, ${refused} refused, at most ${ms} ms and ` +
        `${mb} MB of arrays, ${findings.length} findings`,
    );
    for (const finding of findings.slice(0, 20)) console.log(`  ${finding}`);
    bad ||= findings.length > 0;
  }
  Deno.exit(bad ? 1 : 0);
}
