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
  "ops/compiler/",
  "ops/tuning/",
  "ops/",
  "models/formats/",
  "models/module.ts",
  "models/layers.ts",
  "models/motifs/",
  "models/architectures/",
  "models/",
  "vis/parameters.ts",
  "vis/presets.ts",
  "vis/trunk.ts",
  "vis/photos/",
  "vis/facets/",
  "vis/objectives/",
  "vis/loop/",
  "vis/events.ts",
  "vis/report/",
  "vis/",
  "bench/",
  "cli/",
  "bench/peers/",
];

/** The rooms, whose files are looked at. */
const ROOMS = ["base", "kernels", "ops", "models", "vis", "cli"];

/** Most files of a folder itself. */
const MOST_FILES = 20;

/** The number of the place a file belongs to; -1 if none. */
function placeOf(file: string): number {
  const found = PLACES.filter((place) =>
    place.endsWith("/") ? file.startsWith(place) : file === place
  );
  return PLACES.indexOf(found.toSorted((a, b) => b.length - a.length)[0] ?? "");
}

/** Everything a source file imports, however it is written. */
function importsOf(source: string): string[] {
  const code = source.replace(/^\s*(\*|\/\/).*$/gm, ""); // examples in comments import nothing
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
    if (!file.endsWith(".ts")) continue;
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
