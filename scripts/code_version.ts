/**
 * Writes base/code_version.ts, by which kept activations and measurements are known to be of this
 * code: a hash of all sources that make their numbers. To be run after changing one of them; a test
 * says when.
 *
 *     deno task code-version
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import config from "../deno.json" with { type: "json" };

const ROOT = join(import.meta.dirname!, "..");

/** Folders and files whose code makes the numbers. */
const SOURCES = ["kernels", "ops", "models", "vis/photos", "vis/trunk.ts"];

/** The hash of the sources as they are now, 16 hexadecimal digits. */
export function codeVersion(): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify(config.imports)); // one of them decodes the photos
  for (const file of SOURCES.flatMap(filesOf).sort()) {
    const text = readFileSync(join(ROOT, file), "utf8").replaceAll("\r\n", "\n");
    hash.update(`\0${file}\0${text}`);
  }
  return hash.digest("hex").slice(0, 16);
}

/** The sources in a folder, or the file itself, by their paths from the root. */
function filesOf(source: string): string[] {
  if (source.endsWith(".ts")) return [source];
  return readdirSync(join(ROOT, source), { recursive: true, withFileTypes: true })
    .filter(({ name }) => /\.(ts|wgsl)$/.test(name))
    .map(({ parentPath, name }) => relative(ROOT, join(parentPath, name)).replaceAll(sep, "/"));
}

if (import.meta.main) {
  Deno.writeTextFileSync(
    join(ROOT, "base", "code_version.ts"),
    `/** Written by \`deno task code-version\`. */

/** A hash of the code that makes the numbers: of another one, what was kept is not to be trusted. */
export const CODE_VERSION = "${codeVersion()}";
`,
  );
}
