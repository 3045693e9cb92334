/**
 * Who does which job, kept in a folder that any number of processes on any number of machines share.
 * All it asks of the file system is that a file can be made so that only one of many makes it. Nobody's
 * clock counts but one's own.
 *
 * - `claims/JOB.1`: who took the job, by the worker's name; who makes the file has it. `JOB.2` is who
 *   took it over, and so on: the highest number counts, and no claim is ever changed or removed
 * - `workers/NAME.beat`: changes as long as the worker lives, and says so when it ended
 * - `workers/NAME.jsonl`: what came of the worker's jobs, a line each; only the worker adds to it
 */
import { join } from "node:path";
import { UserError } from "../base/errors.ts";
import { isLast } from "./beat.ts";
import { Pulse } from "./pulse.ts";

/** What came of a job. */
export interface Outcome {
  /** The job's name. */
  readonly job: string;
  /** Why it cannot be done; without that it is done. */
  readonly failed?: string | undefined;
  /** How long it took. */
  readonly seconds: number;
  /** How long it took besides the job's own work: to claim it, to put its results in place. */
  readonly overhead?: number | undefined;
  /** Bytes of its results. */
  readonly bytes?: number | undefined;
  /** What it was computed on. */
  readonly adapter?: string | undefined;
}

/** A job that is ours. */
export interface Claim {
  /** The job's name. */
  readonly job: string;
  /** How many had it before, and this one. */
  readonly generation: number;
}

/** How to share. */
export interface LedgerOptions {
  /** Seconds without a beat after which a worker is dead (60). */
  readonly patience?: number | undefined;
  /** Failures of earlier goes are no outcomes: what failed is tried again. */
  readonly retry?: boolean | undefined;
}

/** A worker's beats come so many times in what others have of patience. */
const BEATS = 10;

const CLAIMS = "claims";
const WORKERS = "workers";

/** Reads what may not be there. */
function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): UserError {
  return new UserError(`${path} cannot be used: ${(error as Error).message}`);
}

/** What came of the jobs of a folder, as far as workers have told. */
export class Outcomes {
  /** By job; of several the last that was read. */
  readonly known = new Map<string, Outcome>();
  /** Jobs that were done more than once. */
  readonly twice: string[] = [];
  readonly #folder: string;
  /** How much of each worker's file was read. */
  readonly #read = new Map<string, number>();

  /** Nothing is read yet. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads what was added since the last time. */
  refresh(): void {
    const folder = join(this.#folder, WORKERS);
    for (const { name } of list(folder)) {
      if (name.endsWith(".jsonl")) this.#readOn(join(folder, name));
    }
  }

  #readOn(path: string): void {
    const from = this.#read.get(path) ?? 0;
    using file = Deno.openSync(path);
    const { size } = file.statSync();
    if (size <= from) return;
    file.seekSync(from, Deno.SeekMode.Start);
    const bytes = new Uint8Array(size - from);
    let got = 0;
    for (let read: number | null = 0; read !== null && got < bytes.length; got += read ?? 0) {
      read = file.readSync(bytes.subarray(got));
    }
    // The last line may be on its way.
    const end = bytes.subarray(0, got).lastIndexOf(0x0a) + 1;
    this.#read.set(path, from + end);
    const text = new TextDecoder().decode(bytes.subarray(0, end));
    for (const line of text.split("\n").filter((each) => each !== "")) {
      let outcome: Outcome;
      try {
        outcome = JSON.parse(line);
      } catch {
        continue; // of a worker whose machine went down: the job is done again
      }
      this.take(outcome);
    }
  }

  /** Takes note of one. */
  take(outcome: Outcome): void {
    const before = this.known.get(outcome.job);
    if (before && before.failed === undefined && outcome.failed === undefined) {
      this.twice.push(outcome.job);
    }
    if (before && before.failed === undefined) return; // a failure takes nothing back
    this.known.set(outcome.job, outcome);
  }
}

function list(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw unusable(folder, error);
  }
}

/** A worker's view of the shared folder. Others have its jobs when it is disposed of. */
export class Ledger implements Disposable {
  /** This worker's name. */
  readonly worker: string = crypto.randomUUID().replaceAll("-", "").slice(0, 12);
  /** What came of the jobs. */
  readonly outcomes: Outcomes;
  readonly #folder: string;
  readonly #patience: number;
  readonly #pulse: Pulse;
  readonly #log: string;
  /** The highest claim known of jobs that others have. */
  readonly #claimed = new Map<string, { generation: number; worker: string }>();
  /** The last beat seen of each worker, and when it was new. */
  readonly #beats = new Map<string, { text: string; since: number }>();

  /**
   * Joins the work in a folder.
   *
   * @throws {UserError} when nothing can be written there.
   */
  constructor(folder: string, { patience = 60, retry = false }: LedgerOptions = {}) {
    this.#folder = folder;
    this.#patience = patience;
    try {
      for (const each of [CLAIMS, WORKERS]) {
        Deno.mkdirSync(join(folder, each), { recursive: true });
      }
      this.outcomes = new Outcomes(folder);
      this.outcomes.refresh();
      if (retry) {
        for (const [job, { failed }] of this.outcomes.known) {
          if (failed !== undefined) this.outcomes.known.delete(job);
        }
      }
      this.#log = join(folder, WORKERS, `${this.worker}.jsonl`);
      Deno.writeTextFileSync(this.#log, "", { createNew: true });
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`nothing can be written into ${folder}: ${(error as Error).message}`);
    }
    this.#pulse = new Pulse({
      path: join(folder, WORKERS, `${this.worker}.beat`),
      every: 1e3 * patience / BEATS,
    });
  }

  #claimPath(job: string, generation: number): string {
    return join(this.#folder, CLAIMS, `${job}.${generation}`);
  }

  /** Makes a claim, unless somebody else did. */
  #make(job: string, generation: number): Claim | undefined {
    const path = this.#claimPath(job, generation);
    try {
      Deno.writeTextFileSync(path, this.worker, { createNew: true });
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return undefined;
      throw unusable(path, error);
    }
    return { job, generation };
  }

  /** Takes a job that nobody ever had. */
  claim(job: string): Claim | undefined {
    return this.#make(job, 1);
  }

  /**
   * Takes over a job whose worker ended or died, or that failed and is to be tried again. Nothing is
   * taken over that turns out to be done: {@linkcode outcomes} know it then.
   */
  takeOver(job: string): Claim | undefined {
    const { generation, worker } = this.#lastClaim(job);
    if (generation > 0 && this.#lives(worker)) return undefined;
    // What a worker told it told before its end, but perhaps after we last read.
    this.outcomes.refresh();
    if (this.outcomes.known.has(job)) return undefined;
    return this.#make(job, generation + 1);
  }

  #lastClaim(job: string): { generation: number; worker: string } {
    let last = this.#claimed.get(job) ?? { generation: 0, worker: "" };
    for (;;) {
      const generation = last.worker === "" && last.generation > 0
        ? last.generation // made, but not yet written
        : last.generation + 1;
      const worker = textOf(this.#claimPath(job, generation));
      if (worker === undefined || worker === "" && generation === last.generation) break;
      last = { generation, worker };
    }
    this.#claimed.set(job, last);
    return last;
  }

  /** Whether a worker's pulse is felt, as far as that can be told by now. */
  #lives(worker: string): boolean {
    // One that died before it wrote its name has no pulse, which never changes either.
    const path = join(this.#folder, WORKERS, `${worker}.beat`);
    const text = worker === "" ? "" : textOf(path) ?? "";
    if (isLast(text)) return false;
    const now = performance.now();
    const known = this.#beats.get(worker);
    if (known?.text !== text) {
      this.#beats.set(worker, { text, since: now });
      return true;
    }
    return now - known.since < 1e3 * this.#patience;
  }

  /** Whether a claim of ours still counts: it does not where others took us for dead. */
  holds({ job, generation }: Claim): boolean {
    return textOf(this.#claimPath(job, generation + 1)) === undefined;
  }

  /** Tells what came of a job. */
  tell(outcome: Outcome): void {
    try {
      // Opened each time: others on a shared drive see what was written to a file that was closed.
      Deno.writeTextFileSync(this.#log, JSON.stringify(outcome) + "\n", { append: true });
    } catch (error) {
      throw unusable(this.#log, error);
    }
  }

  /** Ends: others may take what this worker has not done. */
  [Symbol.dispose](): void {
    this.#pulse[Symbol.dispose]();
  }
}
