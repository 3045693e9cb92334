/**
 * `deno task web`: builds the page into web/dist/, a folder that any web server can serve and that
 * reports are made of. With `--if-needed`, only where what it is made of has changed.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BROWSERS } from "./browsers.ts";

const ROOT = join(import.meta.dirname!, "..");
const DIST = join(ROOT, "web", "dist");

/** All that may come into the page. */
const SOURCES = [
  ...["base", "kernels", "ops", "models", "vis", "atlas", "web"],
  ...["deno.json", "deno.lock", "scripts/browsers.ts", "scripts/web.ts"],
];

/** Scripts that are one file, by the names of these in dist. */
const SCRIPTS: Readonly<Record<string, string>> = {
  "page.js": "web/page/main.tsx",
  "atlas.js": "web/atlas/main.tsx",
};

/** A script with files beside it that it loads when it needs them. */
const WORKER = ["worker.js", "web/worker/main.ts"] as const;

/** The script that stores all others in the browser. */
const STORE = ["sw.js", "web/worker/sw.ts"] as const;

/** Files that are there as they are. */
const COPIES: Readonly<Record<string, string>> = {
  "page.css": "web/page/page.css",
  "atlas.css": "web/atlas/atlas.css",
  "index.html": "web/page/index.html",
  "motifs.safetensors": "models/motifs/motifs.safetensors",
};

/** A digest of the sources, in order of their names. */
function digest(): string {
  const hash = createHash("sha256");
  for (const source of SOURCES) {
    const path = join(ROOT, source);
    const files = Deno.statSync(path).isFile ? [path] : readdirSync(path, {
      recursive: true,
      withFileTypes: true,
    }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !file.startsWith(DIST)).toSorted();
    for (const file of files) hash.update(file.slice(ROOT.length)).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 16);
}

function read(name: string): string | undefined {
  try {
    return Deno.readTextFileSync(join(DIST, name));
  } catch {
    return undefined;
  }
}

async function bundle(entry: string, ...options: readonly string[]): Promise<Uint8Array> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", ...options, join(ROOT, entry)],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(`deno bundle ${entry}: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}

/** A script and the files beside it, by their names. */
async function bundleInPieces(name: string, entry: string): Promise<Record<string, Uint8Array>> {
  const folder = Deno.makeTempDirSync();
  try {
    await bundle(entry, "--code-splitting", "--outdir", folder);
    const own = basename(entry).replace(/\.ts$/, ".js");
    return Object.fromEntries(
      readdirSync(folder).map((
        file,
      ) => [file === own ? name : file, readFileSync(join(folder, file))]),
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Makes scripts small, and their syntax that of the oldest browsers. */
async function lower(files: Record<string, Uint8Array>): Promise<void> {
  const { stop, transform } = await import("esbuild");
  try {
    for (const [name, bytes] of Object.entries(files)) {
      if (!name.endsWith(".js")) continue;
      const options = { target: BROWSERS, format: "esm", minify: true } as const;
      files[name] = new TextEncoder().encode((await transform(bytes, options)).code);
    }
  } finally {
    await stop();
  }
}

const version = digest();
if (!Deno.args.includes("--if-needed") || read("version") !== version) {
  const files: Record<string, Uint8Array> = {};
  for (const [name, entry] of Object.entries(SCRIPTS)) files[name] = await bundle(entry);
  Object.assign(files, await bundleInPieces(...WORKER));
  for (const [name, source] of Object.entries(COPIES)) {
    files[name] = readFileSync(join(ROOT, source));
  }
  const [store, source] = STORE;
  const build = JSON.stringify({ version, files: Object.keys(files).toSorted() });
  const script = new TextDecoder().decode(await bundle(source));
  files[store] = new TextEncoder().encode(`const BUILD = ${build};\n${script}`);
  await lower(files);
  // Whoever reads meanwhile finds the old or the new, and the version last.
  for (
    const [name, bytes] of [...Object.entries(files), [
      "version",
      new TextEncoder().encode(version),
    ]] as const
  ) {
    const path = join(DIST, name);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeFileSync(`${path}.part`, bytes);
    Deno.renameSync(`${path}.part`, path);
  }
  // Files of earlier builds.
  for (const name of readdirSync(DIST)) {
    if (name === "version" || name.endsWith(".part") || Object.hasOwn(files, name)) continue;
    Deno.removeSync(join(DIST, name));
  }
}
