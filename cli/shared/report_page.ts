/** The page that a run leaves behind: `report.html`, made of the record in its folder. */
import { join } from "node:path";
import { writeWhole } from "../../base/atomic_file.ts";
import { UserError } from "../../base/errors.ts";
import { readRecord } from "../../vis/report/record_file.ts";
import { type PageParts, pageParts, reportHtml } from "../../web/report.ts";
import { say } from "./progress.ts";

/** A report's name in a run's folder. */
export const REPORT = "report.html";

const ROOT = new URL("../../", import.meta.url);

/**
 * The page as it was built; where it was not, and may be, it is built now.
 *
 * @throws {UserError} when it is not there.
 */
export async function builtPage(): Promise<PageParts> {
  try {
    return await pageParts();
  } catch (error) {
    if (!(error instanceof UserError) || Deno.build.standalone) throw error;
    const { state } = await Deno.permissions.query({ name: "run", command: Deno.execPath() });
    if (state !== "granted" || ROOT.protocol !== "file:") throw error;
    say("building the page (once)");
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", new URL("scripts/web.ts", ROOT).pathname],
    }).output();
    if (!success) throw new UserError(`${error.message}\n${new TextDecoder().decode(stderr)}`);
    return await pageParts();
  }
}

/**
 * Writes the report of a run into its folder. A run whose report cannot be made is done all the same:
 * what is missing is said.
 *
 * @returns its path; nothing where there is none
 */
export async function leaveReport(folder: string, title: string): Promise<string | undefined> {
  try {
    const html = reportHtml(await builtPage(), title, [readRecord(folder)]);
    await writeWhole(folder, REPORT, html);
    return join(folder, REPORT);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say(`note: no ${REPORT}: ${error.message}`);
  }
}
