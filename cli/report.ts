/** `report`: the page of one run, or of several side by side. */
import { basename, dirname, join, resolve } from "node:path";
import { writeWhole } from "../base/atomic_file.ts";
import { readRecord, recordsBelow } from "../vis/report/record_file.ts";
import { reportHtml } from "../web/report.ts";
import type { Command } from "./shared/options.ts";
import { print } from "./shared/progress.ts";
import { builtPage, REPORT } from "./shared/report_page.ts";

/** How deep in a folder runs are looked for: those of several layers are in folders of their own. */
const LAYERS = 2;

/** The command. */
export const reportCommand: Command = {
  summary: "Make a page of one run, or of several side by side.",
  permissions: "--allow-read --allow-write=OUT",
  usage: "RUN... [--out FILE.html]",
  positionals: ["RUN, the folder of a run, or one with runs in it"],
  more: true,
  options: {
    out: {
      type: "string",
      short: "o",
      value: "FILE.html",
      help: `Where to write (default: ${REPORT} in the folder of the first run)`,
    },
  },
  notes:
    `Every run leaves such a page of itself in its folder. It is one file that needs nothing else.`,

  async run(args) {
    const runs = args.positionals.flatMap((folder) => {
      const inside = recordsBelow(folder, LAYERS);
      return inside.length > 0 ? inside : [folder];
    });
    const [first] = args.positionals as [string];
    const out = args.text("out") ?? join(first, REPORT);
    const title = args.positionals.map((run) => basename(resolve(run))).join(", ");
    const html = reportHtml(await builtPage(), title, runs.map(readRecord));
    await writeWhole(dirname(out), basename(out), html);
    print(out);
  },
};
