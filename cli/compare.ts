/** `compare`: runs side by side. */
import { basename, dirname, join, relative, resolve } from "node:path";
import { writeWhole } from "../base/atomic_file.ts";
import { UserError } from "../base/errors.ts";
import { unfitToRead } from "../base/regular_file.ts";
import { shellCommand } from "../base/shell_command.ts";
import { requireWritableFolder } from "../base/writable_folder.ts";
import { decodePng } from "../vis/photos/png.ts";
import { type ComparedPicture, differences, picturesIn } from "../vis/report/comparison.ts";
import { isObject, type Manifest } from "../vis/report/manifest.ts";
import { recordsBelow } from "../vis/report/record_file.ts";
import { type SheetRow, sheetSvg } from "../vis/report/sheet_svg.ts";
import { squareOf, webpUri } from "../vis/report/tiles.ts";
import { type Arguments, type Command, UsageError } from "./shared/options.ts";
import { manifestsIn } from "./shared/past_runs.ts";
import { print, say } from "./shared/progress.ts";
import { leavePage } from "./shared/report_page.ts";

/** A run that is compared. */
interface Run {
  /** What it is called here. */
  readonly name: string;
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Side of a picture on the sheet; of many. */
const TILE = 224;
const SMALL = 112;
/** So many pictures are many. */
const MANY = 24;

/** Side up to which a picture on the sheet may be looked into. */
const FINE = 360;

/** Bytes of the largest picture that is read. */
const MOST_BYTES = 2 ** 27;

/** The command. */
export const compareCommand: Command = {
  summary: "Compare runs: what differs in their parameters, and what came of each.",
  permissions: "--allow-read --allow-write=OUT",
  usage: "RUN RUN... [--out FOLDER]",
  positionals: ["RUN, the folders of two runs or more"],
  more: true,
  options: {
    out: {
      type: "string",
      short: "o",
      value: "FOLDER",
      help: "Where to write (default generated/compare)",
    },
  },
  notes:
    `Prints the parameters that differ and what was measured of each picture, at its start and at
its end, and writes compare.svg: the pictures, a row each, of the runs side by side; and compare.html,
a page with all there is of each run. A run of several layers counts as so many runs. Facets are compared by their numbers, the largest first: of other
photos, layers or numbers of facets they are others.`,

  async run(args: Arguments) {
    const runs = runsAt(args.positionals);
    if (runs.length < 2) {
      throw new UsageError("compare: expected two runs or more; see: compare --help");
    }
    const out = args.text("out") ?? join("generated", "compare");
    requireWritableFolder(out);
    for (const { name, folder, manifest: { status, ended_after, config } } of runs) {
      if (status === "finished") continue;
      const how = typeof ended_after === "number"
        ? `ended after iteration ${ended_after}`
        : "there is nothing of it to see yet";
      const again = shellCommand(["mindseye", "resume", folder]);
      say(`${name} is not finished: ${how}` + (isObject(config) ? `; go on with: ${again}` : ""));
    }
    const manifests = runs.map(({ manifest }) => manifest);
    const pictures = picturesIn(manifests);
    const names = runs.map(({ name }) => name);
    print(table(
      names,
      [
        ["what differs", differences(manifests)],
        [
          "what came of it",
          pictures.map(({ name, runs }) => ({
            label: name,
            cells: runs.map((each) => each?.measured),
          })),
        ],
      ],
    ));
    const rows: SheetRow[] = [];
    for (const picture of pictures) rows.push(await rowOf(picture, runs));
    if (rows.length === 0) {
      say("none of them has pictures yet");
      return;
    }
    const title = `${names.join(", ")}`;
    const sheet = sheetSvg(rows, {
      title,
      description: `${pictures.length} pictures of ${runs.length} runs side by side`,
      tile: pictures.length > MANY ? SMALL : TILE,
      lines: 3,
    });
    await writeWhole(out, "compare.svg", sheet);
    print(`\n${join(out, "compare.svg")}`);
    const folders = runs.flatMap(({ folder }) => recordsBelow(folder, 0));
    const page = folders.length > 0
      ? await leavePage(out, "compare.html", { title, runs: folders })
      : undefined;
    if (page !== undefined) print(page);
  },
};

/** The runs in some folders. */
function runsAt(paths: readonly string[]): Run[] {
  const found = paths.flatMap((path) =>
    manifestsIn(resolve(path)).map(({ file, manifest }) => ({ folder: dirname(file), manifest }))
  );
  const last = found.map(({ folder }) => basename(folder));
  const alike = new Set(last).size < last.length;
  return found.map((run, i) => ({
    ...run,
    // As short as it can be with each run having a name of its own.
    name: alike ? relative(Deno.cwd(), run.folder) || "." : last[i]!,
  }));
}

/** A picture of all runs, where they have it. */
async function rowOf({ name, runs: found }: ComparedPicture, runs: readonly Run[]) {
  const pictures: SheetRow["pictures"][number][] = [];
  for (const [i, picture] of found.entries()) {
    const run = runs[i]!;
    // A manifest may be anybody's; it names no file elsewhere.
    const path = picture && basename(picture.folder) === picture.folder
      ? join(run.folder, picture.folder, "final.png")
      : undefined;
    const href = path === undefined ? undefined : await hrefOf(path);
    const caption = [run.name, picture?.measured].filter((text) => text).join(": ");
    pictures.push(href === undefined ? undefined : { href, caption });
  }
  return { title: name, pictures };
}

/** A picture of a run as an address; nothing where there is none, as of a run that was moved apart. */
async function hrefOf(path: string): Promise<string | undefined> {
  let bytes: Uint8Array;
  try {
    const unfit = unfitToRead(path, MOST_BYTES);
    if (unfit) throw new Error(unfit);
    bytes = await Deno.readFile(path);
  } catch (error) {
    say(`${path} is left out: ${(error as Error).message}`);
    return;
  }
  try {
    return await webpUri(squareOf(await decodePng(bytes)), FINE);
  } catch {
    throw new UserError(`${path} is no square PNG; do the run again, or leave it out`);
  }
}

/** Sections of rows with a column for each run. */
function table(
  names: readonly string[],
  sections: readonly (readonly [
    string,
    readonly { label: string; cells: readonly (string | undefined)[] }[],
  ])[],
): string {
  const lines = sections.map(([title, rows]) => [
    [title, ...names],
    ...(rows.length > 0
      ? rows.map(({ label, cells }) => [label, ...cells.map((cell) => cell ?? "–")])
      : [["nothing"]]),
  ]);
  const widths = ["", ...names].map((_, i) =>
    Math.max(...lines.flat().map((line) => line[i]?.length ?? 0))
  );
  return lines.map((section) =>
    section.map((line) => line.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd())
      .join("\n")
  ).join("\n\n");
}
