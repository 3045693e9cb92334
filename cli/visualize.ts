/** `visualize`: pictures of what a layer sees in a folder of images. */
import { basename, join } from "node:path";
import { openGpu } from "../kernels/device.ts";
import { UserError } from "../kernels/errors.ts";
import { createModel, type Model } from "../models/registry.ts";
import { openSafetensors, type SafetensorsFile } from "../models/safetensors.ts";
import type { Parameters } from "../vis/parameters.ts";
import { readPhoto, readPhotos } from "../vis/photos.ts";
import { chooseOctaves, PRESETS } from "../vis/presets.ts";
import type { Start } from "../vis/start.ts";
import { openTrunk } from "../vis/trunk.ts";
import { type Config, keyValues, mergedKeyValues, readConfig, withConfig } from "./config.ts";
import { type Arguments, type Command, UsageError } from "./options.ts";
import { Progress, say } from "./progress.ts";
import { describeParameters } from "./presets.ts";
import { runAndReport } from "./run.ts";

/**
 * The model and its weights: the file given, or those that come with the program.
 *
 * @throws {UserError} when neither is there.
 */
export function openModel(
  name: string,
  options: Record<string, string>,
  weightsPath: string | undefined,
): { model: Model; weights: SafetensorsFile } {
  if (weightsPath !== undefined) {
    const weights = openSafetensors(weightsPath);
    return { model: createModel(name, options, weights), weights };
  }
  const model = createModel(name, options);
  if (!model.builtInWeights) {
    throw new UserError(
      `${name} needs weights: give its safetensors file with --weights ` +
        `(only motifs has weights built in)`,
    );
  }
  return { model, weights: model.builtInWeights() };
}

/** The command. */
export const visualizeCommand: Command = {
  summary: "Grow a picture for each facet of a folder of images in a layer.",
  usage: "IMAGES --model NAME --layer LAYER [options]",
  positionals: ["IMAGES, the folder of images"],
  options: {
    model: { type: "string", short: "m", value: "NAME", help: "Network (see: layers)" },
    weights: { type: "string", short: "w", value: "FILE", help: "Its weights, a safetensors file" },
    layer: { type: "string", short: "l", value: "LAYER", help: "Module to visualise" },
    penalty: {
      type: "string",
      value: "LAYER",
      help: "Module whose input is penalised (default: the last convolution before)",
    },
    facets: { type: "string", short: "k", value: "K", help: "Number of facets (default 3)" },
    size: {
      type: "string",
      value: "PIXELS",
      help: "Side of the pictures (default: the network's)",
    },
    iterations: {
      type: "string",
      short: "n",
      value: "N",
      help: "Iterations (default: the preset's)",
    },
    preset: {
      type: "string",
      value: "NAME",
      help: `${Object.keys(PRESETS).join(" or ")} (default default)`,
    },
    config: {
      type: "string",
      short: "c",
      value: "FILE",
      help: "Options, parameters and octaves as JSON (see below)",
    },
    set: {
      type: "string",
      multiple: true,
      value: "NAME=VALUE,...",
      help: "Change parameters of the preset, for all octaves (see below)",
    },
    octave: {
      type: "string",
      multiple: true,
      value: "NAME=VALUE,...",
      help: "An octave with these parameters; given again, another one after it",
    },
    distance: { type: "string", value: "NAME", help: "Short for --set distance=NAME" },
    optimizer: { type: "string", value: "NAME", help: "Short for --set optimizer=NAME" },
    init: {
      type: "string",
      value: "mean|noise|FILE",
      help: "Start from the mean of each facet's photos (default), noise or a picture",
    },
    "model-option": {
      type: "string",
      multiple: true,
      value: "NAME=VALUE,...",
      help: "Options of the network, such as variant=google",
    },
    seed: { type: "string", value: "SEED", help: "Seeds everything random (default 0)" },
    limit: { type: "string", value: "N", help: "Use only the first N images" },
    "save-every": { type: "string", value: "N", help: "Save pictures every N iterations (200)" },
    out: { type: "string", short: "o", value: "FOLDER", help: "Where to write" },
  },
  notes: `Example:
  mindseye visualize photos/ants --model squeezenet1_1 --weights squeezenet1_1.safetensors \\
      --layer features.12 --facets 3 --size 224 --out generated/ants

Coarse to fine, in two octaves:
  ... --octave size=112,iterations=60 --octave size=224,iterations=140,start_lr=0.02

The same as a config file, which may also hold any option above by its name; the command line goes
before:
  {"facets": 3, "parameters": {"channels": 50},
   "octaves": [{"size": 112, "iterations": 60}, {"iterations": 140, "start_lr": 0.02}]}

Parameters of the method, with their values in preset default and what they may be. start_... and
end_... go linearly from an octave's first iteration to its last.

${describeParameters()}`,

  async run(given: Arguments) {
    const config = readConfig(given.text("config"), visualizeCommand);
    const args = withConfig(given, config);
    const [folder] = args.positionals as [string];
    const required = (name: string, hint: string): string => {
      const value = args.text(name);
      if (value === undefined) throw new UsageError(`visualize: missing --${name}; ${hint}`);
      return value;
    };
    const modelName = required("model", "list the networks with: layers");
    const layer = required("layer", `list the layers with: layers --model ${modelName}`);
    const facets = args.integer("facets", { min: 1, max: 100 }) ?? 3;
    const seed = args.integer("seed", { min: 0, max: 2 ** 32 - 1 }) ?? 0;
    const limit = args.integer("limit", { min: 1, max: 1e6 });
    const saveEvery = args.integer("save-every", { min: 1, max: 1e6 }) ?? 200;
    const octaves = octavesOf(args, config);

    // Everything that can be wrong is looked at before the long work, and nothing is written.
    const modelOptions = mergedKeyValues("model-option", args.list("model-option"));
    const { model, weights } = openModel(modelName, modelOptions, args.text("weights"));
    using _weights = weights;
    const size = args.integer("size", { min: 8, max: 4096 }) ?? model.inputSize;
    const layers = { layer, penalty: args.text("penalty") };
    const trunk = openTrunk(model, weights, layers, size);
    for (const octave of octaves) if (octave.size) openTrunk(model, weights, layers, octave.size);
    const start = await startOf(args.text("init") ?? "mean", size);
    const out = args.text("out") ?? join("generated", `${basename(folder)}-${modelName}-${layer}`);
    using gpu = await openGpu();
    say(`${gpu.name}${gpu.software ? " (software)" : ""}`);

    const reading = new Progress("photos");
    const { photos, skipped } = await readPhotos(folder, {
      size,
      ...(limit === undefined ? {} : { limit }),
      onProgress: (done, total) => reading.update(done, Math.min(total, limit ?? total)),
    });
    for (const { file, reason } of skipped) say(`skipped ${file}: ${reason}`);
    if (skipped.length > 0) say(`${skipped.length} of ${skipped.length + photos.length} skipped`);

    await runAndReport(gpu, {
      trunk,
      images: photos,
      skipped,
      size,
      facets,
      parameters: octaves,
      start,
      init: args.text("init") ?? "mean",
      preset: args.text("preset") ?? "default",
      seed,
      saveEvery,
      out,
      weightsName: weights.name,
      title: `${basename(folder)} in ${model.name} ${trunk.target}`,
    });
  },
};

/** The octaves a command line and a config file ask for. */
function octavesOf(args: Arguments, config: Config): Parameters[] {
  const iterations = args.integer("iterations", { min: 1, max: 1e6 });
  const short = { iterations, distance: args.text("distance"), optimizer: args.text("optimizer") };
  const common = {
    ...config.parameters,
    ...mergedKeyValues("set", args.list("set")),
    ...Object.fromEntries(Object.entries(short).filter(([, value]) => value !== undefined)),
  };
  const typed = args.list("octave").map((list) => keyValues("octave", list));
  const octaves = typed.length > 0 ? typed : config.octaves;
  return chooseOctaves(args.text("preset") ?? "default", common, octaves);
}

/** What `--init` names. */
async function startOf(init: string, size: number): Promise<Start> {
  if (init === "mean" || init === "noise") return init;
  try {
    return (await readPhoto(init, size)).pixels;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`--init: expected mean, noise or a picture; ${error.message}`);
  }
}
