/** What a run leaves in its folder. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join, relative } from "node:path";
import { RunView } from "../../web/state/run_view.ts";

/** Gives a new folder, which is gone afterwards. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether something is there. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Files that hold times, and so differ from one run to the same once more. */
const TIMED = ["manifest.json", "events.jsonl", "report.html"];

/** Digests of all files below a folder but those that hold times. */
export function filesOf(folder: string, from = folder): Map<string, string> {
  const files = new Map<string, string>();
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (isDirectory) filesOf(path, from).forEach((content, file) => files.set(file, content));
    else if (!TIMED.includes(name)) {
      files.set(
        relative(from, path),
        createHash("sha256").update(Deno.readFileSync(path)).digest("hex"),
      );
    }
  }
  return new Map([...files].toSorted());
}

/** What a page shows of a run, but for the times. */
export function viewOf(folder: string): unknown {
  const run = new RunView();
  run.takeText(Deno.readTextFileSync(join(folder, "events.jsonl")));
  const { status, pictures, photos, facets, history, iteration, total } = run;
  return { status, pictures, photos, facets, history, iteration, total };
}

/** Waits until it is so. */
export async function until(what: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!what()) {
    assert.ok(Date.now() < end, "waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
