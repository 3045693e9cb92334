/** `presets`: every parameter, its value in each preset and what it may be. */
import { allowed, optionName, type Parameters, PRESETS } from "../vis/parameters.ts";
import type { Command } from "./options.ts";

function show(value: unknown): string {
  if (Array.isArray(value)) return value.length ? value.join("+") : "none";
  return typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value);
}

/** The command. */
export const presetsCommand: Command = {
  summary: "List every parameter with its value in each preset and its range.",
  usage: "",
  positionals: [],
  options: {},
  // deno-lint-ignore require-await
  async run() {
    const names = Object.keys(PRESETS);
    const keys = Object.keys(PRESETS[names[0]!]!) as (keyof Parameters)[];
    const row = (cells: string[], last: string) =>
      [cells[0]!.padEnd(22), ...cells.slice(1).map((cell) => cell.padEnd(14)), last].join("");
    const lines = [
      row(["parameter", ...names], "may be"),
      ...keys.map((key) =>
        row([optionName(key), ...names.map((name) => show(PRESETS[name]![key]))], allowed(key))
      ),
    ];
    // deno-lint-ignore no-console
    console.log(lines.join("\n"));
  },
};
