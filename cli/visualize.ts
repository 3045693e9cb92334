/** `visualize`: pictures of what a layer sees in a folder of images. */
import { chooseParameters, PRESETS } from "../vis/parameters.ts";
import {
  EMBEDDING_OPTIONS,
  embeddingOption,
  examine,
  facetsOption,
  LOOK_OPTIONS,
} from "./examine.ts";
import { keyValues } from "./model.ts";
import type { Arguments, Command } from "./options.ts";
import { say } from "./progress.ts";
import { runAndReport } from "./run.ts";

/** The command. */
export const visualizeCommand: Command = {
  summary: "Grow a picture for each facet of a folder of images in a layer.",
  usage: "IMAGES --model NAME --layer LAYER [options]",
  positionals: ["IMAGES, the folder of images"],
  options: {
    ...LOOK_OPTIONS,
    penalty: {
      type: "string",
      value: "LAYER",
      help: "Module whose input is penalised (default: the last convolution before)",
    },
    facets: {
      type: "string",
      short: "k",
      value: "K",
      help: "Number of facets (default 3), or auto: by silhouette",
    },
    ...EMBEDDING_OPTIONS,
    iterations: {
      type: "string",
      short: "n",
      value: "N",
      help: "Iterations (default: the preset's)",
    },
    preset: { type: "string", value: "NAME", help: `${Object.keys(PRESETS).join(" or ")}` },
    octave: {
      type: "string",
      multiple: true,
      value: "NAME=VALUE,...",
      help: "Change parameters of the preset (see: presets)",
    },
    "save-every": { type: "string", value: "N", help: "Save pictures every N iterations (200)" },
  },
  notes: `Example:
  mindseye visualize photos/ants --model squeezenet1_1 --weights squeezenet1_1.safetensors \\
      --layer features.12 --facets 3 --size 224 --out generated/ants`,

  async run(args: Arguments) {
    const facets = facetsOption(args, 3);
    const embedding = embeddingOption(args);
    const seed = args.integer("seed", { min: 0, max: 2 ** 32 - 1 }) ?? 0;
    const saveEvery = args.integer("save-every", { min: 1, max: 1e6 }) ?? 200;
    const iterations = args.integer("iterations", { min: 1, max: 1e6 });
    const changes = keyValues("octave", args.list("octave"));
    const parameters = chooseParameters(args.text("preset") ?? "default", {
      ...changes,
      ...(iterations === undefined ? {} : { iterations }),
    });

    // Everything that can be wrong is looked at before the long work.
    using examined = await examine("visualize", args, facets);
    const { gpu, trunks, look, size, weightsName, folders, titles } = examined;
    for (const [i, trunk] of trunks.entries()) {
      if (trunks.length > 1) say(`${trunk.target} (${i + 1} of ${trunks.length} layers)`);
      await runAndReport(gpu, {
        trunk,
        images: look.images,
        pooled: look.pooled[i],
        skipped: look.skipped,
        size,
        facets,
        embedding,
        parameters,
        preset: args.text("preset") ?? "default",
        seed,
        saveEvery,
        out: folders[i]!,
        weightsName,
        title: titles[i]!,
      });
    }
  },
};
