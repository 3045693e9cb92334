/**
 * The server of runs in a thread of its own: while pictures grow, readbacks and the search for facets
 * keep the main one busy for many seconds at a time. It needs nothing of it but the runs' files.
 */
import { UserError } from "../base/errors.ts";
import type { Doing, ServeOptions } from "./server.ts";

/** What it serves from the beginning. */
type Begun = Omit<ServeOptions, "folders" | "doing">;

/** What the thread is told. */
export type ToThread =
  | { kind: "serve"; options: Begun }
  | { kind: "folder"; folder: string }
  | { kind: "doing"; doing: Doing | undefined }
  | { kind: "close" };

/** What it tells. */
export type FromThread =
  | { kind: "listening"; address: string }
  | { kind: "failed"; message: string }
  | { kind: "closed" };

/** A server in a thread. */
export class ServerThread implements AsyncDisposable {
  /** Where the page is. */
  readonly address: string;
  readonly #worker: Worker;

  private constructor(worker: Worker, address: string) {
    this.#worker = worker;
    this.address = address;
  }

  /**
   * Begins to serve; there are no runs yet.
   *
   * @throws {UserError} when it cannot be listened on the port.
   */
  static async begin(options: Begun): Promise<ServerThread> {
    const worker = new Worker(new URL("./server_worker.ts", import.meta.url), { type: "module" });
    const told = answerOf(worker);
    tell(worker, { kind: "serve", options });
    const answer = await told;
    if (answer.kind === "listening") return new ServerThread(worker, answer.address);
    worker.terminate();
    throw new UserError(answer.kind === "failed" ? answer.message : "the page cannot be served");
  }

  /** Shows the run in a folder as well. */
  show(folder: string): void {
    tell(this.#worker, { kind: "folder", folder });
  }

  /** Shows how far the work is. */
  doing(doing: Doing | undefined): void {
    tell(this.#worker, { kind: "doing", doing });
  }

  /** Ends it, when all pages have got all there is. */
  async [Symbol.asyncDispose](): Promise<void> {
    const told = answerOf(this.#worker);
    tell(this.#worker, { kind: "close" });
    await told;
    this.#worker.terminate();
  }
}

function tell(worker: Worker, message: ToThread): void {
  worker.postMessage(message);
}

/** The next thing that a thread tells; an error in it is one too. */
function answerOf(worker: Worker): Promise<FromThread> {
  return new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<FromThread>) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      resolve({ kind: "failed", message: `the page cannot be served: ${event.message}` });
    };
  });
}
