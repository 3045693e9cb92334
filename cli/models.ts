/** `models`: the networks, and what is known of each. */
import { stateDict } from "../models/module.ts";
import { fetchedWeights } from "../models/official/weights.ts";
import { createModel, MODELS } from "../models/registry.ts";
import { describeNormalisation } from "./shared/check_network.ts";
import type { Command } from "./shared/options.ts";
import { print } from "./shared/progress.ts";

/** The command. */
export const modelsCommand: Command = {
  summary: "List the networks: parameters, last layer, size, normalisation, what was fetched.",
  permissions: "",
  usage: "",
  positionals: [],
  options: {},
  notes: "Any other network can be given as an ONNX file: --model FILE.onnx",
  // deno-lint-ignore require-await
  async run() {
    const rows = Object.keys(MODELS).map((name) => {
      const model = createModel(name);
      const numbers = [...stateDict(model.root)]
        .filter(([key]) => !/running_(mean|var)$/.test(key))
        .reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
      const fetched = fetchedWeights(name).map(({ weights, path }) =>
        `${weights.variant} (${(Deno.statSync(path).size / 1e6).toFixed(0)} MB)`
      ).join(", ");
      return [
        name,
        `${(numbers / 1e6).toFixed(1)} M`,
        model.options.num_classes ?? "",
        model.lastMap,
        `${model.inputSize} px`,
        describeNormalisation(model.normalisation).replace("red, green, blue, ", ""),
        fetched || (model.builtInWeights ? "built in" : ""),
      ];
    });
    const head = [
      "network",
      "numbers",
      "classes",
      "last layer",
      "size",
      "pictures",
      "weights here",
    ];
    const widths = head.map((title, i) =>
      Math.max(title.length, ...rows.map((row) => row[i]!.length))
    );
    for (const row of [head, ...rows]) {
      const cells = row.map((cell, i) =>
        i === 1 || i === 2 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
      );
      print(cells.join("  ").trimEnd());
    }
  },
};
