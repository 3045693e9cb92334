/** `layers`: the networks, and the modules of one. */
import { channelsOf } from "../models/normalisation.ts";
import { modelsCommand } from "./models.ts";
import { traceModel } from "../models/trace.ts";
import type { Command } from "./shared/options.ts";
import { print, say } from "./shared/progress.ts";
import { mergedKeyValues } from "./shared/config.ts";
import { openNetwork } from "./shared/model.ts";

/** The command. */
export const layersCommand: Command = {
  summary: "List the networks, or every module of one with its type and output shape.",
  permissions: "--allow-read",
  usage: "[--model NAME|FILE.onnx] [--size PIXELS]",
  positionals: [],
  options: {
    model: {
      type: "string",
      short: "m",
      value: "NAME|FILE.onnx",
      help: "Network; without it all are listed, as by: models",
    },
    size: {
      type: "string",
      value: "PIXELS",
      help: "Side of the pictures (default: the network's)",
    },
    "model-option": {
      type: "string",
      multiple: true,
      value: "NAME=VALUE,...",
      help: "Options of the network",
    },
  },
  async run(args) {
    const name = args.text("model");
    if (name === undefined) {
      await modelsCommand.run(args);
      return;
    }
    const options = mergedKeyValues("model-option", args.list("model-option"));
    using opened = new DisposableStack();
    const { model, close } = await openNetwork(name, options);
    opened.defer(close);
    const size = args.integer("size", { min: 1, max: 8192 }) ?? model.inputSize;
    const trace = traceModel(model, [1, channelsOf(model.normalisation), size, size]);
    const rows = [...trace.modules].filter(([path]) => path !== "");
    const width = Math.max(...rows.map(([path]) => path.length));
    for (const [path, { type, output }] of rows) {
      const shape = output ? output.shape.slice(1).join("×") : "-";
      print(`${path.padEnd(width)}  ${type.padEnd(18)} ${shape}`);
    }
    if (trace.stopped) say(trace.stopped);
  },
};
