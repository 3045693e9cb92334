/**
 * Tries everything that docs/reliability.md tells of and writes down what came of it. Two hours on two
 * cores; the soak's times are only right on a machine that does nothing else.
 *
 *     deno task docs:reliability [--only fuzz,kills,soak]
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fillPlace } from "./fill_place.ts";

/** What each place of the page is filled with: the lines that a script says. */
const SCRIPTS: Readonly<Record<string, string>> = {
  fuzz: "tests/fuzz/fuzz.ts",
  kills: "tests/reliability/kills.ts",
  soak: "tests/reliability/soak.ts",
};

const { values } = parseArgs({ options: { only: { type: "string" } } });
const only = values.only?.split(",") ?? Object.keys(SCRIPTS);
const root = join(import.meta.dirname!, "..");
for (const [name, script] of Object.entries(SCRIPTS)) {
  if (!only.includes(name)) continue;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", join(root, script)],
    stderr: "inherit",
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  await fillPlace(
    join(root, "docs", "reliability.md"),
    name,
    lines.map((line) => `- ${line.trim()}`).join("\n"),
  );
}
