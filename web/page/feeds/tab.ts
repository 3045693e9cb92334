/// <reference lib="dom" />
/** Runs of the engine in a worker of this page: web/worker/protocol.ts. */
import { RunView } from "../../state/run_view.ts";
import type {
  Ended,
  Failed,
  Hello,
  Kept,
  NetworkChoice,
  Opened,
  Reply,
  Request,
  RunRequest,
} from "../../worker/protocol.ts";
import type { Feed } from "./feed.ts";

/** What the engine is doing. */
export type Busy = "starting" | "opening" | "running" | undefined;

/** The engine, and what it has told. */
export class TabFeed implements Feed {
  runs: readonly RunView[] = [];
  busy: Busy = "starting";
  hello: Hello | undefined;
  /** Why nothing can be computed here, and what to do. */
  unusable: string | undefined;
  opened: Opened | undefined;
  ended: Ended | undefined;
  failed: Failed | undefined;
  /** A run of an earlier visit. */
  kept: Kept | undefined;
  /** Whether the run was asked to end. */
  stopping = false;
  readonly #worker: Worker;
  #changed = () => {};

  /** Starts the engine, which opens the network that comes with it. */
  constructor(worker = new Worker("worker.js", { type: "module" })) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      this.#take(data);
      this.#changed();
    };
    worker.onerror = () => {
      this.unusable =
        "the program did not load: this browser may be too old for it, or a file of " +
        "the page is missing";
      this.busy = undefined;
      this.#changed();
    };
    this.#ask({ kind: "open", network: { kind: "builtin" } });
  }

  subscribe(changed: () => void): void {
    this.#changed = changed;
  }

  /** Opens a network. */
  open(network: NetworkChoice): void {
    this.opened = undefined;
    this.busy = "opening";
    this.#ask({ kind: "open", network });
  }

  /** Begins a run. */
  run(run: RunRequest): void {
    this.kept = undefined;
    this.busy = "running";
    this.#ask({ kind: "run", run });
  }

  /** Ends the run between two iterations. */
  stop(): Promise<void> {
    this.stopping = true;
    this.#ask({ kind: "stop" });
    return Promise.resolve();
  }

  /** Goes on with the run that was ended, or one of an earlier visit. */
  resume(): void {
    this.kept = undefined;
    this.busy = "running";
    this.#ask({ kind: "resume" });
  }

  /** Forgets the run of an earlier visit. */
  forget(): void {
    this.kept = undefined;
    this.#ask({ kind: "forget" });
  }

  /** Whether there is a run that can be gone on with. */
  get resumable(): boolean {
    return !this.busy && (this.ended?.aborted || this.failed?.resumable || false);
  }

  #ask(request: Request): void {
    if (request.kind !== "stop") this.failed = undefined;
    this.#worker.postMessage(request);
    this.#changed();
  }

  #take(reply: Reply): void {
    switch (reply.kind) {
      case "hello":
        this.hello = reply;
        this.busy = "opening";
        break;
      case "unusable":
        this.unusable = reply.text;
        this.busy = undefined;
        break;
      case "opened":
        this.opened = reply;
        if (this.busy === "opening") this.busy = undefined;
        break;
      case "kept":
        this.kept = reply;
        break;
      case "begun":
        this.busy = "running";
        this.stopping = false;
        this.ended = undefined;
        if (!reply.resumed || this.runs.length === 0) this.runs = [new RunView()];
        break;
      case "line":
        this.runs[0]?.takeText(reply.line);
        break;
      case "ended":
        this.ended = reply;
        this.runs[0]?.end();
        this.busy = undefined;
        break;
      case "failed":
        this.failed = reply;
        if (reply.during === "run" || reply.during === "resume") this.runs[0]?.end();
        if (reply.during !== "stop" && reply.during !== "forget") this.busy = undefined;
        break;
    }
  }
}
