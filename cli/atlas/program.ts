/** How the program that runs now is started elsewhere. */
import { join } from "node:path";
import { type OptionSpec, UsageError } from "../shared/options.ts";

/** Says how to start the program where a scheduler does. */
export const PROGRAM_OPTION: OptionSpec = {
  type: "string",
  value: "COMMAND",
  help: "How to start the program there (default: as it runs here)",
};

/**
 * The words that start the program.
 *
 * @param text what was given
 */
export function programWords(text: string | undefined): string[] {
  if (text !== undefined) {
    const words = text.split(/\s+/).filter((word) => word !== "");
    if (words.length === 0) throw new UsageError("--program: expected a command, got nothing");
    return words;
  }
  const deno = Deno.execPath();
  if (Deno.build.standalone) return [deno];
  const root = join(import.meta.dirname!, "..", "..");
  return [
    ...[deno, "run", "--no-prompt", "--allow-read", "--allow-write", "--allow-env"],
    ...["--config", join(root, "deno.json"), join(root, "cli", "main.ts")],
  ];
}
