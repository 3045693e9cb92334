/**
 * The program as one file that needs no Deno:
 *
 *     deno task compile          # leaves ./mindseye
 *     deno task compile:check    # is all in it that the program reads?
 *
 * `deno compile` puts an archive of the program behind a base runtime, `denort`, that it downloads
 * from dl.deno.land once. Where that cannot be reached, DENORT_BIN names a file that was brought
 * along.
 */
import { basename, join } from "node:path";
import { SMALL_PHOTOS } from "../tests/vis/small_photos.ts";
import { encodePng } from "../vis/photos/png.ts";

const ROOT = join(import.meta.dirname!, "..");

/** What is read while the program runs and is imported by nothing: data, the page, a thread's script. */
const DATA = [
  "models/motifs/motifs.safetensors",
  "web/dist",
  "web/server_worker.ts",
  "atlas/pulse_worker.ts",
];

const { deno } = Deno.version;
const DENORT = `https://dl.deno.land/release/v${deno}/denort-${Deno.build.target}.zip`;

interface Outcome {
  readonly code: number;
  readonly text: string;
}

async function run(
  args: readonly string[],
  { cwd = ROOT, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  return { code, text };
}

/** Compiles; of the packages only those that the program imports come along, not those of tests. */
async function compile(output: string, denort?: string): Promise<Outcome> {
  const page = await run(["run", "-A", "scripts/web.ts", "--if-needed"]);
  if (page.code !== 0) return page;
  const permissions = ["--no-prompt", "--allow-read", "--allow-write", "--allow-env"];
  return await run([
    ...[
      "compile",
      ...permissions,
      "--allow-net=download.pytorch.org,127.0.0.1",
      "--exclude-unused-npm",
    ],
    ...DATA.flatMap((file) => ["--include", file]),
    ...["--output", output, "cli/main.ts"],
  ], { env: denort ? { DENORT_BIN: denort } : {} });
}

/** Files that a program asked to read, from any folder, whether it was allowed or not. */
async function reads(args: readonly string[], cwd: string): Promise<Set<string>> {
  const audit = await Deno.makeTempFile();
  try {
    const { code, text } = await run([
      "run",
      "-A",
      "--no-check",
      join(ROOT, "cli/main.ts"),
      ...args,
    ], {
      cwd,
      env: { DENO_AUDIT_PERMISSIONS: audit },
    });
    if (code !== 0) throw new Error(`${args.join(" ")}: ${text}`);
    const lines = (await Deno.readTextFile(audit)).trim().split("\n");
    const asked = lines.map((line) => JSON.parse(line) as { permission: string; value: string });
    return new Set(asked.flatMap(({ permission, value }) => permission === "read" ? [value] : []));
  } finally {
    await Deno.remove(audit);
  }
}

/**
 * Compares what the program reads while it runs with what is in the archive.
 *
 * @returns what is read and neither in it nor named on the command line
 */
async function missing(folder: string): Promise<string[]> {
  // Deno itself may stand in for its base runtime: the archive is the same, only nothing runs it.
  const denort = Deno.env.get("DENORT_BIN") ?? Deno.execPath();
  const { code, text } = await compile(join(folder, "mindseye"), denort);
  if (code !== 0) throw new Error(text);
  const embedded = text.split("\n").map((line) => line.replace(/^[│├└─┬ ]+/, "").trim());
  const photos = join(folder, "photos");
  await Deno.mkdir(photos);
  for (const [name, bytes] of Object.entries(SMALL_PHOTOS)) {
    await Deno.writeFile(join(photos, name), bytes);
  }
  const grey = new Uint8ClampedArray(4 * 16 * 16).fill(200);
  await Deno.writeFile(join(photos, "e.png"), await encodePng(grey, 16, 16));
  const empty = join(folder, "empty");
  await Deno.mkdir(empty);
  const short = ["--no-tune", "--out"];
  const net = ["--model", "motifs", "--layer", "features.4", "--size", "32", "--facets", "2"];
  const found = new Set([
    ...await reads(["demo", "--iterations", "2", ...short, join(folder, "demo")], empty),
    ...await reads(["facets", photos, ...net, ...short, join(folder, "facets")], empty),
    ...await reads(["presets"], empty),
  ]);
  if ([...Deno.readDirSync(empty)].length > 0) throw new Error("something was left where it ran");
  // deno-lint-ignore no-console
  console.log(`${embedded.length} lines of contents; ${found.size} paths asked for`);
  const others = [...found].filter((path) => !path.startsWith(folder));
  return others.filter((path) => {
    // A package is in it with all its files.
    const [, name, version] = /\/npm\/[^/]+\/(.+?)\/(\d[^/]*)\//.exec(path) ?? [];
    if (name && version) {
      const last = name.split("/").at(-1);
      return !embedded.some((line) =>
        [`${last}/${version}/*`, `${last}/*`].includes(line.split(" ")[0]!)
      );
    }
    const data = DATA.find((file) =>
      path === join(ROOT, file) || path.startsWith(join(ROOT, file, "/"))
    );
    if (!data) return true;
    // Of a folder that is in it whole, the list has one line.
    const names = [`${basename(data)} (`, `${basename(data)}/* (`];
    return !embedded.some((line) => names.some((name) => line.startsWith(name)));
  });
}

if (import.meta.main) {
  if (Deno.args.includes("--check")) {
    const folder = await Deno.makeTempDir();
    try {
      const found = await missing(folder);
      // deno-lint-ignore no-console
      for (const path of found) console.error(`read, but not in the program: ${path}`);
      Deno.exit(found.length > 0 ? 1 : 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  const { code, text } = await compile("mindseye");
  const line = new TextEncoder().encode(
    code === 0 || !/denort|base binary/i.test(text)
      ? text
      : `deno compile needs its base runtime denort, and could not get it from ${DENORT}\n` +
        "Fetch and unpack that where it can be reached, and name the file:\n" +
        "  DENORT_BIN=/path/to/denort deno task compile\n",
  );
  Deno.stderr.writeSync(line);
  Deno.exit(code);
}
