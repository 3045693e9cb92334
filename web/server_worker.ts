/** What the thread of {@linkcode ServerThread} does. */
import { UserError } from "../base/errors.ts";
import { type Doing, type RunServer, serveRuns } from "./server.ts";
import type { FromThread, ToThread } from "./server_thread.ts";

/** What a thread has that the main one has not. */
const thread = globalThis as unknown as {
  postMessage(message: FromThread): void;
  onmessage: (event: MessageEvent<ToThread>) => void;
};

const folders: string[] = [];
let doing: Doing | undefined;
let server: RunServer | undefined;

thread.onmessage = async ({ data }) => {
  switch (data.kind) {
    case "serve":
      try {
        server = serveRuns({ ...data.options, folders: () => folders, doing: () => doing });
        thread.postMessage({ kind: "listening", address: server.address });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        thread.postMessage({ kind: "failed", message: error.message });
      }
      return;
    case "folder":
      folders.push(data.folder);
      return;
    case "doing":
      doing = data.doing;
      return;
    case "close":
      await server?.close();
      thread.postMessage({ kind: "closed" });
  }
};
