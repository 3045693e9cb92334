/** `web`: the program in a browser tab. */
import { serveTab } from "../../web/static.ts";
import { untilSignal } from "../shared/interruption.ts";
import type { Command } from "../shared/options.ts";
import { print } from "../shared/progress.ts";
import { builtPage } from "../shared/report_page.ts";

/** Always the same: what a browser keeps of a page, it keeps by its address. */
const PORT = 7117;

/** The command. */
export const webCommand: Command = {
  summary: "Serve the page that does all this in a browser, on the browser's own GPU.",
  permissions: "--allow-read --allow-net=127.0.0.1",
  usage: "[--port PORT]",
  positionals: [],
  options: {
    port: { type: "string", value: "PORT", help: `Where it is served (${PORT}); 0 for any` },
  },
  notes:
    `Only this machine can open the page; it ends with Ctrl-C. Photos and networks that are given
to the page stay in the browser: nothing is uploaded. The same files can be served by any web
server: they are in web/dist, which deno task web builds.`,

  async run(args) {
    const port = args.integer("port", { min: 0, max: 65535 }) ?? PORT;
    await builtPage();
    const ending = new AbortController();
    print(await serveTab(port, ending.signal));
    await untilSignal();
    ending.abort();
  },
};
