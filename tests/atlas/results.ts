/** What an atlas leaves that is to be the same however it was made. */
import { basename } from "node:path";
import { filesOf } from "../cli/run_files.ts";

/** Files that hold times, or tell twice what was done twice. */
const NOT_THE_SAME = ["events.jsonl", "report.html"];

/** Digests of all files of some runs but those. */
export function resultsOf(folder: string): Map<string, string> {
  return new Map([...filesOf(folder)].filter(([name]) => !NOT_THE_SAME.includes(basename(name))));
}
