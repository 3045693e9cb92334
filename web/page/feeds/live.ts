/// <reference lib="dom" />
/** Runs as they go on, told by the server whose page this is: web/server.ts. */
import { RunView } from "../../state/run_view.ts";
import type { Line } from "../../state/lines.ts";
import type { Feed } from "./feed.ts";

/** What the server says of its runs. */
interface RunList {
  readonly runs: readonly { readonly run: number; readonly name: string }[];
}

/** Hears lines, and asks again by itself where the connection breaks. */
export class LiveFeed implements Feed {
  runs: readonly RunView[] = [];
  trouble: string | undefined;
  readonly #byNumber = new Map<number, RunView>();
  #changed = () => {};

  /** Listens from now on. */
  constructor(source = new EventSource("events")) {
    source.addEventListener("open", () => this.#say(undefined));
    source.addEventListener("error", () => {
      this.#say(
        source.readyState === EventSource.CLOSED
          ? "The program does not answer; what it told so far is shown. Load the page again to ask again."
          : "The connection is lost; what was told so far is shown. Trying again …",
      );
    });
    source.addEventListener("runs", ({ data }) => this.#list(JSON.parse(data)));
    source.addEventListener("message", ({ data }) => this.#take(data));
    source.addEventListener("end", () => {
      source.close();
      const open = this.runs.some((run) => run.running);
      this.#say(open ? "The program has ended; nothing more will come." : undefined);
    });
  }

  subscribe(changed: () => void): void {
    this.#changed = changed;
  }

  /** Asks the process that is at work on a run to stop and keep what it has. */
  async stop(run: RunView): Promise<void> {
    const [number] = [...this.#byNumber].find(([, view]) => view === run) ?? [];
    const { status } = await fetch("stop", { method: "POST", body: String(number) });
    if (status === 409) throw new Error("No process is at work on this run.");
    if (status !== 202) throw new Error("It could not be stopped from here.");
  }

  #say(trouble: string | undefined): void {
    this.trouble = trouble;
    this.#changed();
  }

  #list({ runs }: RunList): void {
    const numbers = runs.map(({ run }) => run);
    for (const number of this.#byNumber.keys()) {
      if (!numbers.includes(number)) this.#byNumber.delete(number);
    }
    for (const { run, name } of runs) {
      if (this.#byNumber.has(run)) continue;
      const view = new RunView();
      view.head = { version: "", title: name };
      this.#byNumber.set(run, view);
    }
    this.runs = numbers.map((number) => this.#byNumber.get(number)!);
    this.#changed();
  }

  #take(data: string): void {
    const space = data.indexOf(" ");
    let line: Line;
    try {
      line = JSON.parse(data.slice(space + 1));
    } catch {
      return; // half a line of one that was killed
    }
    this.#byNumber.get(Number(data.slice(0, space)))?.take(line);
    this.#changed();
  }
}
