/** The rooms of the house: who may import whom. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dirname!, "..");
/**
 * From the ground up: a place, a folder with all that is in it or a file, may import from itself and
 * from those before it. A file belongs to the place that names it most exactly.
 */
const PLACES = [
  "deno.json", // holds the version
  "base/",
  "kernels/runtime/",
  "kernels/",
  "ops/graph/",
  "ops/element/",
  "ops/shape/",
  "ops/image/",
  "ops/pool/",
  "ops/norm/",
  "ops/loss/",
  "ops/conv2d/",
  "ops/autograd/",
  "ops/compiler/rules/",
  "ops/compiler/",
  "ops/tuning/",
  "ops/",
  "models/formats/",
  "models/module.ts",
  "models/layers.ts",
  "models/trace.ts",
  "models/normalisation.ts",
  "models/model.ts",
  "models/onnx/",
  "models/motifs/",
  "models/architectures/",
  "models/",
  "vis/parameters.ts",
  "vis/presets.ts",
  "vis/network.ts",
  "vis/trunk.ts",
  "vis/photos/",
  "vis/facets/",
  "vis/objectives/",
  "vis/loop/",
  "vis/events.ts",
  "vis/event_lines.ts",
  "vis/grow.ts",
  "vis/batches.ts",
  "vis/visualize.ts",
  "vis/wishes.ts",
  "vis/report/",
  "vis/",
  "atlas/",
  "web/older_browsers.ts",
  "web/state/",
  "web/worker/",
  "web/page/",
  "web/",
  "bench/",
  "cli/shared/",
  "cli/",
  "bench/peers/",
];

/**
 * The only files below cli/ that touch Deno, its `node:` modules or packages with parts of their own
 * for each machine, and what for. All else runs wherever there is WebGPU.
 */
const HOST_FILES: Readonly<Record<string, string>> = {
  "base/host.ts": "looks where it runs; loads in a browser too",
  "base/atomic_file.ts": "writes files",
  "base/regular_file.ts": "looks whether a path is a file",
  "base/writable_folder.ts": "tries whether files can be written",
  "base/sha256.ts": "hashes weights while they are read",
  "base/download.ts": "fetches files",
  "ops/tuning/tuning_file.ts": "the cache folder",
  "models/formats/open_file.ts": "opens a file",
  "models/formats/open_weights.ts": "looks whether a path is a folder",
  "models/formats/sharded.ts": "reads the index of several files",
  "models/official/weights.ts": "the cache folder",
  "models/formats/onnx/open_onnx.ts": "opens the files beside an ONNX file",
  "vis/photos/photos.ts": "reads photos and decodes them",
  "vis/photos/look.ts": "hashes photos on their way to the cache",
  "vis/photos/activation_cache.ts": "the cache folder",
  "vis/photos/codecs/webp.ts": "decodes WebP",
  "vis/photos/codecs/webp_encode.ts": "encodes WebP",
  "vis/photos/codecs/avif.ts": "decodes AVIF",
  "vis/photos/png.ts": "encodes and decodes PNG",
  "vis/photos/codecs/jpeg.ts": "decodes JPEG",
  "vis/photos/codecs/gif.ts": "decodes GIF",
  "vis/report/read_manifest.ts": "reads a file",
  "vis/report/run_folder.ts": "the folder of a run",
  "vis/report/record_file.ts": "the record in the folder of a run",
  "web/follow.ts": "reads records as they grow",
  "web/loopback.ts": "listens",
  "web/server.ts": "compares the token",
  "web/static.ts": "lists the built files",
  "atlas/beat.ts": "writes a worker's pulse",
  "atlas/ledger.ts": "the folder that workers share",
  "web/report.ts": "hashes the page's script for its policy",
};

/** Where a page comes in; what can be reached from here is all it loads. */
const BROWSER_ENTRIES = [
  "tests/browser/page.ts",
  "ops/mod.ts",
  "models/registry.ts",
  "vis/loop/loop.ts",
  "vis/visualize.ts",
  "web/page/main.tsx",
  "web/worker/main.ts",
];

/** Source files. */
const isSource = (file: string) => /(?<!\.d)\.tsx?$/.test(file);

/** Packages that are plain JavaScript. */
const PLAIN_PACKAGES = [
  ...["umap-js", "@bufbuild/protobuf/wire", "gifenc", "preact", "preact/hooks"],
  ...["d3-array", "d3-selection", "d3-shape", "d3-zoom"],
  "core-js/",
];

/** The rooms, whose files are looked at. */
const ROOMS = ["base", "kernels", "ops", "models", "vis", "atlas", "web", "cli"];

/** Most files of a folder itself. */
const MOST_FILES = 20;

/** The number of the place a file belongs to; -1 if none. */
function placeOf(file: string): number {
  const found = PLACES.filter((place) =>
    place.endsWith("/") ? file.startsWith(place) : file === place
  );
  return PLACES.indexOf(found.toSorted((a, b) => b.length - a.length)[0] ?? "");
}

/** A source without its comments, whose examples import nothing and may name anything. */
function withoutComments(source: string): string {
  return source.replace(/^\s*(\*|\/\/|\/\*).*$/gm, "");
}

/** Everything a source file imports, however it is written. */
function importsOf(source: string): string[] {
  const code = withoutComments(source);
  const patterns = [
    /^\s*import\s+["']([^"']+)["']/gm,
    /^\s*(?:import|export)\s[^;"']*?\sfrom\s+["']([^"']+)["']/gm,
    /\bimport\(\s*["']([^"']+)["']/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1]!));
}

Deno.test("imports are found in every form", () => {
  const source = `
    import a, { type B } from "./a.ts";
    import "./b.ts";
    import {
      c,
    } from "../room/c.ts";
    import text from "./d.wgsl" with { type: "text" };
    export * from "./e.ts";
    const f = await import("./f.ts");
    // import g from "./g.ts";
    /**
     * import h from "./h.ts"; */
    export const from = "i.ts";`;
  assert.deepEqual(
    importsOf(source).toSorted(),
    ["../room/c.ts", "./a.ts", "./b.ts", "./d.wgsl", "./e.ts", "./f.ts"],
  );
});

Deno.test("imports go one way, between rooms and within them", () => {
  const wrong: string[] = [];
  let checked = 0;
  for (const file of [...ROOMS, "bench"].flatMap(filesOf)) {
    if (!isSource(file)) continue;
    for (const path of importsOf(readFileSync(join(ROOT, file), "utf8"))) {
      if (!path.startsWith(".")) continue;
      checked++;
      const target = relative(ROOT, join(ROOT, dirname(file), path));
      const [from, to] = [placeOf(file), placeOf(target)];
      if (to < 0 || to > from) wrong.push(`${file}: ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(checked > 500, `only ${checked} imports found`);
});

Deno.test("only the command line knows its options and commands", () => {
  const wrong: string[] = [];
  for (const file of ROOMS.filter((room) => room !== "cli").flatMap(filesOf)) {
    if (!isSource(file) || file.startsWith("bench/peers/")) continue; // a program of its own
    const code = withoutComments(readFileSync(join(ROOT, file), "utf8"));
    const named = code.match(/["'`\s]--[a-z]+|\bmindseye (bench|facets|layers|tune|visualize)\b/g);
    if (named) wrong.push(`${file}: ${named.join(", ")}`);
  }
  assert.deepEqual(wrong, []);
});

/** Whether a source file touches what only Deno has. */
function needsHost(source: string): boolean {
  const code = source.replace(/^\s*(\*|\/\/|\/\*).*$/gm, "");
  const packages = importsOf(source).filter((path) =>
    !path.startsWith(".") &&
    !PLAIN_PACKAGES.some((name) => path === name || name.endsWith("/") && path.startsWith(name))
  );
  return /\bDeno\./.test(code) || packages.length > 0;
}

Deno.test("below bench/ and cli/, only named files touch Deno", () => {
  const files = ROOMS.filter((room) => !["bench", "cli"].includes(room)).flatMap(filesOf)
    .filter(isSource);
  const touching = files.filter((file) => needsHost(readFileSync(join(ROOT, file), "utf8")));
  assert.deepEqual(touching.toSorted(), Object.keys(HOST_FILES).toSorted());
});

for (const entry of BROWSER_ENTRIES) {
  Deno.test(`a page reaches no file that needs Deno, from ${entry}`, () => {
    const reached = new Map<string, string>([[entry, ""]]); // each by whom it is imported
    for (const [file] of reached) {
      if (!isSource(file)) continue;
      const code = readFileSync(join(ROOT, file), "utf8");
      // Types alone are not there when it runs.
      for (const path of importsOf(code.replace(/^\s*(import|export) type\s[^;]*;/gm, ""))) {
        if (!path.startsWith(".")) continue;
        const target = relative(ROOT, join(ROOT, dirname(file), path));
        if (!reached.has(target)) reached.set(target, file);
      }
    }
    const wrong = [...reached].filter(([file]) => file !== "base/host.ts" && file in HOST_FILES);
    assert.deepEqual(wrong, []);
    assert.ok(reached.size > 25, `only ${reached.size} files reached`);
  });
}

Deno.test("nothing depends on the time of day, which may be set back", () => {
  const files = ROOMS.flatMap(filesOf).filter(isSource);
  const asking = files.filter((file) => {
    const code = readFileSync(join(ROOT, file), "utf8").replace(/^\s*(\*|\/\/|\/\*).*$/gm, "");
    return /\bDate\b|\.[mac]time\b|birthtime/.test(code);
  });
  assert.deepEqual(asking, []);
});

Deno.test("no folder is a corridor", () => {
  const count = new Map<string, number>();
  for (const file of [...ROOMS, "tests", "docs", "scripts", "bench"].flatMap(filesOf)) {
    count.set(dirname(file), (count.get(dirname(file)) ?? 0) + 1);
  }
  const full = [...count].filter(([, files]) => files > MOST_FILES);
  assert.deepEqual(full, []);
});

/** The files below a folder, by their paths from the root. */
function filesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}
