/** The rooms of the house: who may import whom. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dirname!, "..");
/** From the ground up: a room may import from itself and from those before it. */
const ROOMS = ["kernels", "ops", "models", "vis", "cli"];

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

Deno.test("imports go one way: cli to vis to models to ops to kernels", () => {
  const wrong: string[] = [];
  let checked = 0;
  for (const [level, room] of ROOMS.entries()) {
    for (const name of readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts")) continue;
      const file = join(ROOT, room, name);
      for (const path of importsOf(readFileSync(file, "utf8"))) {
        if (!path.startsWith(".")) continue;
        checked++;
        const target = relative(ROOT, join(dirname(file), path));
        const below = ROOMS.slice(0, level + 1).some((r) => target.startsWith(`${r}/`));
        const fact = target === "deno.json"; // holds the version
        if (!below && !fact) wrong.push(`${room}/${name}: ${path}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(checked > 100, `only ${checked} imports found`);
});
