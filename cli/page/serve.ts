/** `serve`: a page of any number of runs while they go on, in whichever process. */
import { UserError } from "../../base/errors.ts";
import { recordsBelow } from "../../vis/report/record_file.ts";
import { serveRuns } from "../../web/server.ts";
import { untilSignal } from "../shared/interruption.ts";
import { type Command, PORT_OPTION, portOf } from "../shared/options.ts";
import { print, say } from "../shared/progress.ts";
import { builtPage } from "../shared/report_page.ts";

/** How deep runs are looked for: a run of several layers in a folder of runs has a folder for each. */
const DEPTH = 2;

/** The command. */
export const serveCommand: Command = {
  summary: "Show runs on one page while they go on, whatever process is at work on them.",
  permissions: "--allow-read --allow-write=RUN --allow-net=127.0.0.1",
  usage: "RUN... [--port PORT]",
  positionals: ["RUN, the folder of a run, or one in which there are runs"],
  more: true,
  options: { port: PORT_OPTION },
  notes: `Only this machine can open the page, and only who knows the address; it ends with Ctrl-C.
New runs in the folders appear by themselves. Runs that are over are shown as well. What may be
written is the wish that a run stop, when that is asked for on the page.

Example, in one terminal and another:
  mindseye serve generated
  mindseye visualize photos/ants ... --out generated/ants`,

  async run(args) {
    for (const folder of args.positionals) requireFolder(folder);
    const server = serveRuns({
      page: await builtPage(),
      title: args.positionals.join(", "),
      port: portOf(args),
      folders: () => args.positionals.flatMap((folder) => recordsBelow(folder, DEPTH)),
    });
    print(server.address);
    await untilSignal();
    say("ending");
    await server.close();
  },
};

/** @throws {UserError} when it is none. */
function requireFolder(path: string): void {
  try {
    if (Deno.statSync(path).isDirectory) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
  throw new UserError(`${path} is no folder; name that of a run, or one in which there are runs`);
}
