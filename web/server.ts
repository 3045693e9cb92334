/**
 * Runs as they go on, for a page in a browser on this machine. All that is known of a run is its record
 * (`events.jsonl` in its folder, docs/events.md), so it does not matter which process is at work on it,
 * nor whether any is.
 *
 * The address is `http://127.0.0.1:PORT/TOKEN/`; the token is made anew each time, and whoever does not
 * know it gets nothing. Below it there are
 *
 * - `GET ./` the page, whose `<meta name="feed" content="live">` says how it is fed
 * - `GET ./events` the runs, as server-sent events (`new EventSource("events")`):
 *   - `runs`: which runs there are, first and whenever that changes. Its data is JSON,
 *     `{"runs": [{"run": 0, "folder": "generated/ants", "name": "ants"}, …]}`. A run that was begun anew
 *     has a new number; what is no longer listed is gone.
 *   - `message`: a line of a run's record. Its data is the run's number, a space and the line as it
 *     stands in the file: `0 {"kind":"iterations",…}`. The lines of a run come in order and each once.
 *   - `doing`: how far the command is that serves the page, in what takes long: looking at photos comes
 *     before there is any run. Its data is JSON, `{"stage": "photos", "done": 30, "total": 122,
 *     "left": 12.5}` with the seconds left as far as one can tell, or `null` when it is done.
 *   - `end`: the server is about to end; nothing more will come. Whoever does not `close()` the source
 *     then, asks in vain for ever.
 *
 *   The id of a `message` says how far each run has been told, in bytes: `0:1234,1:88`. A browser that
 *   lost the connection sends the last one it got (`Last-Event-ID`) by itself, and gets exactly what
 *   comes after. A page that is loaded anew gets all from the beginning.
 * - `POST ./stop` with a run's number as its body: asks the process that is at work on this run to stop
 *   and keep what it has, as Ctrl-C does. `fetch("stop", {method: "POST", body: "0"})` gives 202 when it
 *   is asked, 409 when no process is at work on it, 404 when there is no such run. That it stopped is
 *   told by the record: a `finished` line with `aborted`.
 */
import { timingSafeEqual } from "node:crypto";
import { basename, resolve } from "node:path";
import { askToStop } from "../vis/report/run_folder.ts";
import { FollowedRecord } from "./follow.ts";
import { listen, reply } from "./loopback.ts";
import { pageHtml, type PageParts, policyOf } from "./report.ts";

/** What to serve. */
export interface ServeOptions {
  /** The page as it was built. */
  readonly page: PageParts;
  /** What it is called before a run gives it a title. */
  readonly title: string;
  /** Where to listen; 0 for any port that is free. */
  readonly port: number;
  /** The folders of the runs, asked for again and again; where there is no record yet it is waited for. */
  readonly folders: () => readonly string[];
  /** How far the work is that serves the page. */
  readonly doing?: () => Doing | undefined;
}

/** How far something is that takes long. */
export interface Doing {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** Seconds, where that can be told. */
  readonly left: number | undefined;
}

/** A server of runs. */
export interface RunServer {
  /** Where the page is. */
  readonly address: string;
  /** Ends it, once every page that is connected has got all there is, or takes no more. */
  close(): Promise<void>;
}

/** Milliseconds between two looks at the records. */
const LOOK_EVERY = 300;

/** Milliseconds after which something is said, so that a lost connection is found. */
const HEARTBEAT = 5000;

/** Milliseconds after which a browser asks again, and for how long it is waited for at the end. */
const RETRY = 500;
const COME_BACK = 2000;

/** Milliseconds that a page which takes nothing is waited for at the end. */
const PATIENCE = 5000;

/** A run that is followed. */
interface Run {
  readonly number: number;
  readonly folder: string;
  readonly record: FollowedRecord;
}

/** The runs there are, by their numbers. */
class Runs implements Disposable {
  readonly #folders: () => readonly string[];
  #runs: Run[] = [];
  #begun = 0;

  constructor(folders: () => readonly string[]) {
    this.#folders = folders;
  }

  /** Looks what is new. */
  look(): void {
    const folders = [...new Set(this.#folders())];
    this.#runs = this.#runs.filter(({ folder, record }) => {
      if (folders.includes(folder) && record.look()) return true;
      record[Symbol.dispose]();
      return false;
    });
    for (const folder of folders) {
      if (this.#runs.some((run) => run.folder === folder)) continue;
      const record = FollowedRecord.open(folder);
      if (!record) continue;
      record.look();
      this.#runs.push({ number: this.#begun++, folder, record });
    }
  }

  get all(): readonly Run[] {
    return this.#runs;
  }

  /** As the page is told. */
  get list(): string {
    return JSON.stringify({
      runs: this.#runs.map(({ number, folder }) => {
        return { run: number, folder, name: basename(resolve(folder)) };
      }),
    });
  }

  [Symbol.dispose](): void {
    for (const { record } of this.#runs) record[Symbol.dispose]();
    this.#runs = [];
  }
}

const encoder = new TextEncoder();
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** Serves a page that shows runs as they go on. */
export function serveRuns({ page, title, port, folders, doing }: ServeOptions): RunServer {
  const runs = new Runs(folders);
  const token = crypto.getRandomValues(new Uint8Array(16)).toHex();
  const policy = policyOf(page, "'self'");
  const html = pageHtml(page, { title, policy, feed: '<meta name="feed" content="live">' });
  const told = new Set<Told>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let lostAt = -Infinity;
  let ending = false;

  /** Has all pages told what is new, as long as there are any. */
  const look = () => {
    runs.look();
    for (const each of told) each.wake();
  };
  const left = (one: Told) => {
    told.delete(one);
    if (told.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    if (!one.ended) lostAt = performance.now();
  };
  const events = (request: Request): Response => {
    runs.look();
    const one = new Told(runs, request.headers.get("last-event-id"), {
      isEnding: () => ending,
      doing: () => JSON.stringify(doing?.() ?? null),
    });
    told.add(one);
    timer ??= setInterval(look, LOOK_EVERY);
    return new Response(one.stream(() => left(one)), {
      headers: { "Content-Type": "text/event-stream" },
    });
  };
  const stop = async (request: Request): Promise<Response> => {
    const text = await shortText(request);
    runs.look();
    const run = runs.all.find(({ number }) => String(number) === text);
    if (!run) return reply(404, "no such run");
    return askToStop(run.folder)
      ? reply(202, "it is asked to stop")
      : reply(409, "no process is at work on it");
  };
  const cut = new AbortController();
  const server = listen(port, cut.signal, (path, request) => {
    const [, given = "", ...rest] = path.split("/");
    if (!same(given, token)) return reply(404, "there is nothing here");
    switch (rest.join("/")) {
      case "":
        if (rest.length === 0) break;
        return only(request, "GET") ?? new Response(html, {
          headers: {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": `${policy}; frame-ancestors 'none'`,
          },
        });
      case "events":
        return only(request, "GET") ?? events(request);
      case "stop":
        return only(request, "POST") ?? stop(request);
    }
    return reply(404, "there is nothing here");
  });

  return {
    address: `http://${server.addr.hostname}:${server.addr.port}/${token}/`,
    async close() {
      // Whoever lost the connection just now comes back for the rest.
      while (told.size === 0 && performance.now() - lostAt < COME_BACK) await wait(RETRY / 5);
      ending = true;
      look();
      const asked = performance.now();
      const takes = ({ tookAt }: Told) => performance.now() - Math.max(tookAt, asked) < PATIENCE;
      while ([...told].some(takes)) await wait(RETRY / 10);
      clearInterval(timer);
      if (told.size === 0) await server.shutdown();
      else {
        for (const one of told) one.drop();
        cut.abort();
        await server.finished;
      }
      runs[Symbol.dispose]();
    },
  };
}

/** What one page is told. */
class Told {
  readonly #runs: Runs;
  readonly #server: { isEnding: () => boolean; doing: () => string };
  /** How far each run has been told, in bytes. */
  readonly #done: Map<number, number>;
  #list = "";
  #doing = "null";
  #begun = false;
  #wake = () => {};
  #dropped = false;
  /** Whether the page knows that nothing more will come. */
  ended = false;
  /** When it last took something. */
  tookAt = performance.now();

  constructor(
    runs: Runs,
    last: string | null,
    server: { isEnding: () => boolean; doing: () => string },
  ) {
    this.#runs = runs;
    this.#server = server;
    // An id that is not one of ours says nothing.
    this.#done = new Map(
      placesOf(last).filter(([run, at]) =>
        runs.all.some(({ number, record }) => number === run && record.begins(at))
      ),
    );
  }

  /** There may be something new. */
  wake(): void {
    this.#wake();
  }

  /** It takes nothing: it is told nothing more. */
  drop(): void {
    this.#dropped = true;
    this.#wake();
  }

  /** All that it is told, as fast as it takes it. */
  stream(left: () => void): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      pull: async (controller) => {
        this.tookAt = performance.now();
        for (;;) {
          const bytes = this.#dropped ? undefined : this.#next();
          if (bytes) return controller.enqueue(bytes);
          if (this.#dropped || this.#server.isEnding()) break;
          if (!await this.#woken()) return controller.enqueue(encoder.encode(":\n\n"));
        }
        if (!this.#dropped) {
          this.ended = true;
          controller.enqueue(encoder.encode("event: end\ndata: {}\n\n"));
        }
        controller.close();
        left();
      },
      cancel: () => {
        this.drop();
        left();
      },
    }, { highWaterMark: 0 });
  }

  /** Waits until something may be new; false when nothing was for long. */
  async #woken(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#wake = () => resolve(true);
    const timer = setTimeout(() => resolve(false), HEARTBEAT);
    const woken = await promise;
    clearTimeout(timer);
    return woken;
  }

  /** What is next. */
  #next(): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#begun) {
      this.#begun = true;
      return encoder.encode(`retry: ${RETRY}\n\n`);
    }
    const { list } = this.#runs;
    if (list !== this.#list) {
      this.#list = list;
      return encoder.encode(`event: runs\ndata: ${list}\n\n`);
    }
    const doing = this.#server.doing();
    if (doing !== this.#doing) {
      this.#doing = doing;
      return encoder.encode(`event: doing\ndata: ${doing}\n\n`);
    }
    for (const { number, record } of this.#runs.all) {
      let at = this.#done.get(number) ?? 0;
      const { lines, next } = record.from(at);
      if (lines.length === 0) continue;
      const pieces: Uint8Array[] = [];
      for (const line of lines) {
        at += line.length;
        this.#done.set(number, at);
        // In what is no JSON there may be one, which would be the end of a line.
        line.forEach((byte, i) => byte === CARRIAGE_RETURN && (line[i] = SPACE));
        pieces.push(encoder.encode(`data: ${number} `), line);
        pieces.push(encoder.encode(`id: ${placesText(this.#done)}\n\n`));
      }
      this.#done.set(number, next);
      return joined(pieces);
    }
  }
}

/** An event's id as places in the records; of none where it is no such id. */
function placesOf(id: string | null): [run: number, at: number][] {
  if (id === null || !/^\d{1,9}:\d{1,15}(,\d{1,9}:\d{1,15})*$/.test(id)) return [];
  return id.split(",").map((place) => place.split(":").map(Number) as [number, number]);
}

function placesText(places: ReadonlyMap<number, number>): string {
  return [...places].map(([run, bytes]) => `${run}:${bytes}`).join(",");
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Whether two texts are the same, in a time that does not tell how much of them is. */
function same(given: string, wanted: string): boolean {
  const [a, b] = [encoder.encode(given), encoder.encode(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** What is answered where a path is asked for in another way. */
function only({ method }: Request, allowed: string): Response | undefined {
  if (method !== allowed) return reply(405, `only ${allowed}`, { Allow: allowed });
}

/** The text of a request that has one of a few characters. */
async function shortText(request: Request): Promise<string | undefined> {
  let text = "";
  for await (const piece of request.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    if (text.length > 9) return;
  }
  return text;
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
