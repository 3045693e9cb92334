/** `presets`: every parameter, its value in each preset and what it may be. */
import {
  allowed,
  optionName,
  PARAMETER_GROUPS,
  type ParameterName,
  PARAMETERS,
  showValue,
} from "../vis/parameters.ts";
import { PRESETS } from "../vis/presets.ts";
import type { Command } from "./shared/options.ts";
import { print } from "./shared/progress.ts";

/** Sections of lines, one for each group of parameters. */
function byGroup(line: (key: ParameterName) => string): string[] {
  return Object.entries(PARAMETER_GROUPS).flatMap(([title, group]) => [
    "",
    `${title}:`,
    ...Object.keys(group).map((key) => line(key as ParameterName)),
  ]);
}

/** Every parameter with its standard value, range, unit and purpose, for the help. */
export function describeParameters(): string {
  const NAME = 24;
  return byGroup((key) => {
    const { standard, help } = PARAMETERS[key];
    return `  ${optionName(key).padEnd(NAME)}${help}.\n` +
      `  ${"".padEnd(NAME)}${showValue(standard)}; ${allowed(key)}`;
  }).join("\n").trimStart();
}

/** The command. */
export const presetsCommand: Command = {
  summary: "List every parameter with its value in each preset and what it may be.",
  permissions: "",
  usage: "",
  positionals: [],
  options: {},
  // deno-lint-ignore require-await
  async run() {
    const names = Object.keys(PRESETS);
    const row = (cells: string[], last: string) =>
      [cells[0]!.padEnd(24), ...cells.slice(1).map((cell) => cell.padEnd(14)), last].join("")
        .trimEnd();
    const value = (preset: string, key: ParameterName) => {
      const shown = showValue(PRESETS[preset]![key]);
      return shown === showValue(PRESETS.default![key]) ? shown : `${shown} *`;
    };
    const lines = [
      row(["parameter", ...names], "may be"),
      ...byGroup((key) =>
        row([optionName(key), ...names.map((name) => value(name, key))], allowed(key))
      ),
      "",
      "* differs from default. What each one does: visualize --help",
    ];
    print(lines.join("\n"));
  },
};
