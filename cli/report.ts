/** `report`: the page of one run, or of several side by side. */
import { basename, dirname, join, resolve } from "node:path";
import { writeWhole } from "../base/atomic_file.ts";
import { readRecord } from "../vis/report/record_file.ts";
import { reportHtml } from "../web/report.ts";
import type { Command } from "./shared/options.ts";
import { print } from "./shared/progress.ts";
import { builtPage, REPORT } from "./shared/report_page.ts";

/** The command. */
export const reportCommand: Command = {
  summary: "Make a page of one run, or of several side by side.",
  permissions: "--allow-read --allow-write=OUT",
  usage: "RUN... [--out FILE.html]",
  positionals: ["RUN, the folder of a run"],
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
    const records = args.positionals.map(readRecord);
    const [first] = args.positionals as [string];
    const out = args.text("out") ?? join(first, REPORT);
    const title = args.positionals.map((run) => basename(resolve(run))).join(", ");
    await writeWhole(dirname(out), basename(out), reportHtml(await builtPage(), title, records));
    print(out);
  },
};
