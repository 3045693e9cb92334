/**
 * The page of a run: its record, which a page shows while it goes on (`--serve`), and `report.html`,
 * made of the record at the end.
 */
import { join } from "node:path";
import { writeWhole } from "../../base/atomic_file.ts";
import { dataUri } from "../../base/data_uri.ts";
import { UserError } from "../../base/errors.ts";
import { VERSION } from "../../base/version.ts";
import type { RunEvent } from "../../vis/events.ts";
import { encodeWebp } from "../../vis/photos/codecs/webp_encode.ts";
import type { SourceImage } from "../../vis/photos/images.ts";
import { Recorder } from "../../vis/report/record.ts";
import { readRecord, RecordFile } from "../../vis/report/record_file.ts";
import type { RunFolder } from "../../vis/report/run_folder.ts";
import { type PageParts, pageParts, reportHtml } from "../../web/report.ts";
import { ServerThread } from "../../web/server_thread.ts";
import { complain, say, shareProgress } from "./progress.ts";

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

/** Shows this command's runs while they go on. */
let server: ServerThread | undefined;

/**
 * Begins to serve the page of this command's runs, and says where it is.
 *
 * @param port 0 for any that is free
 * @returns what ends it
 * @throws {UserError} when the page is not there, or nothing can listen on the port.
 */
export async function serveLive(port: number): Promise<AsyncDisposable> {
  const begun = await ServerThread.begin({ page: await builtPage(), title: "mindseye", port });
  server = begun;
  shareProgress((doing) => begun.doing(doing));
  // Also to whom else nothing is to be said: it was asked for.
  complain(`the page, while this goes on: ${begun.address}`);
  return begun;
}

/** A run's record that is being written. */
export interface OpenRecord extends Disposable {
  /** Writes down an event. */
  take(event: RunEvent): Promise<void>;
}

/**
 * Begins the record of a run in its folder, or goes on with it.
 *
 * @param head what the run is
 * @throws {UserError} when it cannot be written.
 */
export function beginRecord(
  folder: RunFolder,
  images: readonly SourceImage[],
  head: Readonly<Record<string, unknown>>,
): OpenRecord {
  const file = new RecordFile(folder.path, folder.manifest !== undefined);
  const recorder = new Recorder({
    images,
    hasPhotos: file.hasPhotos,
    encode: async (picture, quality) => dataUri(await encodeWebp(picture, quality), "image/webp"),
    write: (line) => file.write(line),
  });
  recorder.begin(VERSION, head);
  server?.show(folder.path);
  return {
    take: (event) => recorder.take(event),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

/**
 * Writes a page of some runs. Whoever makes it as something beside may be without: what is missing is
 * said.
 *
 * @param runs folders with their records
 * @returns its path; nothing where it cannot be made
 */
export async function leavePage(
  folder: string,
  name: string,
  { title, runs }: { title: string; runs: readonly string[] },
): Promise<string | undefined> {
  try {
    await writeWhole(folder, name, reportHtml(await builtPage(), title, runs.map(readRecord)));
    return join(folder, name);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say(`note: no ${name}: ${error.message}`);
  }
}

/** Writes the report of a run into its folder, as {@linkcode leavePage} does. */
export async function leaveReport(folder: string, title: string): Promise<string | undefined> {
  return await leavePage(folder, REPORT, { title, runs: [folder] });
}
