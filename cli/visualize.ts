/** `visualize`: pictures of what a layer sees in a folder of images. */
import { UserError } from "../base/errors.ts";
import { PARAMETERS, type Parameters } from "../vis/parameters.ts";
import { readPhoto } from "../vis/photos/photos.ts";
import { chooseOctaves, describeOctaves, PRESETS } from "../vis/presets.ts";
import type { Start } from "../vis/loop/start.ts";
import {
  type Config,
  keyValues,
  mergedKeyValues,
  readConfig,
  withConfig,
} from "./shared/config.ts";
import {
  EMBEDDING_OPTIONS,
  embeddingOption,
  examine,
  facetsOption,
  LOOK_OPTIONS,
} from "./shared/examine.ts";
import { FILM_OPTION, wantsFilm } from "./shared/film.ts";
import {
  type Arguments,
  type Command,
  COUNTS,
  FACETS,
  SEEDS,
  UsageError,
  wholeNumber,
} from "./shared/options.ts";
import { visualizeWishes, WISH_OPTIONS, wishesOf } from "./shared/wishes.ts";
import { describeParameters } from "./presets.ts";
import { say } from "./shared/progress.ts";
import { runAndReport } from "./shared/run.ts";
import { RunFolder } from "../vis/report/run_folder.ts";

const IMAGES = "IMAGES, the folder of images";

/** The command. */
export const visualizeCommand: Command = {
  summary: "Grow a picture for each facet of a folder of images in a layer, or for other wishes.",
  permissions: "--allow-read --allow-write=OUT,CACHE",
  usage: "[IMAGES] --model NAME --layer LAYER [options]",
  tells: true,
  positionals: [IMAGES],
  optional: true,
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
      schema: wholeNumber(FACETS, "auto"),
    },
    ...EMBEDDING_OPTIONS,
    ...WISH_OPTIONS,
    iterations: {
      type: "string",
      short: "n",
      value: "N",
      help: "Iterations (default: the preset's)",
      schema: wholeNumber(COUNTS),
    },
    preset: {
      type: "string",
      value: "NAME",
      help: `${Object.keys(PRESETS).join(" or ")} (default; noise for wishes without images)`,
      schema: { enum: Object.keys(PRESETS) },
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
    distance: {
      type: "string",
      value: "NAME",
      help: "Short for --set distance=NAME",
      schema: PARAMETERS.distance.schema,
    },
    optimizer: {
      type: "string",
      value: "NAME",
      help: "Short for --set optimizer=NAME",
      schema: PARAMETERS.optimizer.schema,
    },
    init: {
      type: "string",
      value: "mean|noise|FILE",
      help: "Start from the mean of each facet's photos (default), noise or a picture",
    },
    resume: {
      type: "boolean",
      help: "Go on with the run in the folder, if there is one (see: resume)",
    },
    film: FILM_OPTION,
    "save-every": {
      type: "string",
      value: "N",
      help: "Save pictures every N iterations (200)",
      schema: wholeNumber(COUNTS),
    },
  },
  notes: `Example:
  mindseye visualize photos/ants --model squeezenet1_1 --weights squeezenet1_1.safetensors \\
      --layer features.12 --facets 3 --size 224 --out generated/ants

Channels, neurons, classes and directions need no images; with some, pictures start from the photos
that answer most, and these are shown beside:
  mindseye visualize --model squeezenet1_1 --weights squeezenet1_1.safetensors \\
      --layer features.12 --channels 3,7,40-47

What in a photo a channel answers to:
  ... --layer features.12 --channels 40 --like photo.jpg

Coarse to fine, in two octaves:
  ... --octave size=112,iterations=60 --octave size=224,iterations=140,start_lr=0.02

The same as a config file, which may also hold any option above by its name; the command line goes
before:
  {"facets": 3, "parameters": {"channels": 50},
   "octaves": [{"size": 112, "iterations": 60}, {"iterations": 140, "start_lr": 0.02}]}

Editors complete and check a config file that names its schema (see: schema).

Parameters of the method, with their values in preset default and what they may be. start_... and
end_... go linearly from an octave's first iteration to its last.

${describeParameters()}`,

  async run(given: Arguments) {
    const config = readConfig(given.text("config"), visualizeCommand);
    const args = withConfig(given, config);
    const wishes = Object.keys(wishesOf(args));
    if (wishes.length > 0) {
      for (const option of ["facets", "embedding", "penalty"]) {
        if (args.text(option) === undefined) continue;
        throw new UsageError(
          `visualize: --${option} is about facets, not about ${wishes.join(", ")}`,
        );
      }
      const fromNoise = args.positionals.length === 0 || args.text("init") === "noise";
      const preset = args.text("preset") ?? (fromNoise ? "noise" : "default");
      await visualizeWishes(args, {
        octaves: octavesOf(args, config, preset),
        preset,
        config: configOf(args, octavesOf(args, config, preset)),
        claim: (folder) =>
          RunFolder.open(folder, { force: args.flag("force"), resume: args.flag("resume") }),
        seed: args.integer("seed", SEEDS) ?? 0,
        saveEvery: args.integer("save-every", COUNTS) ?? 200,
        film: wantsFilm(args),
        init: args.text("init"),
        startOf,
      });
      return;
    }
    if (args.positionals.length === 0) {
      throw new UsageError(`visualize: missing ${IMAGES}; see: visualize --help`);
    }
    const facets = facetsOption(args, 3);
    const embedding = embeddingOption(args);
    const seed = args.integer("seed", SEEDS) ?? 0;
    const saveEvery = args.integer("save-every", COUNTS) ?? 200;
    const film = wantsFilm(args);
    const preset = args.text("preset") ?? "default";
    const octaves = octavesOf(args, config, preset);

    const init = args.text("init") ?? "mean";
    await startOf(init, 8); // a picture that cannot be read is told before the long work
    using examined = await examine("visualize", args, facets, octaves);
    const { keeper, trunks, look, size, weightsName, folders, titles } = examined;
    const start = await startOf(init, size);
    for (const [i, trunk] of trunks.entries()) {
      const folder = folders[i]!;
      if (folder.finished) {
        say(`${folder.path} is finished`);
        continue;
      }
      if (trunks.length > 1) say(`${trunk.target} (${i + 1} of ${trunks.length} layers)`);
      await runAndReport(keeper, {
        trunk,
        images: look.images,
        pooled: look.pooled[i],
        found: look.found,
        skipped: look.skipped,
        size,
        facets,
        embedding,
        parameters: octaves,
        start,
        init,
        preset,
        seed,
        saveEvery,
        film,
        folder,
        config: { ...configOf(args, octaves), size },
        weightsName,
        title: titles[i]!,
      });
    }
  },
};

/** The octaves a command line and a config file ask for. */
export function octavesOf(args: Arguments, config: Config, preset: string): Parameters[] {
  const iterations = args.integer("iterations", COUNTS);
  const short = { iterations, distance: args.text("distance"), optimizer: args.text("optimizer") };
  const common = {
    ...config.parameters,
    ...mergedKeyValues("set", args.list("set")),
    ...Object.fromEntries(Object.entries(short).filter(([, value]) => value !== undefined)),
  };
  const typed = args.list("octave").map((list) => keyValues("octave", list));
  const octaves = typed.length > 0 ? typed : config.octaves;
  return chooseOctaves(preset, common, octaves);
}

/** Options that a run's manifest says in other words, or that are about one go at it. */
const NOT_KEPT = [
  ...["config", "out", "force", "resume", "set", "octave", "iterations", "distance", "optimizer"],
];

/** A config that makes the same run, whatever presets come to be. */
function configOf(args: Arguments, octaves: readonly Parameters[]): Record<string, unknown> {
  const options = Object.entries(args.values).filter(([name, value]) =>
    value !== undefined && !NOT_KEPT.includes(name)
  );
  const [images] = args.positionals;
  return {
    ...(images === undefined ? {} : { images }),
    ...Object.fromEntries(options),
    octaves: describeOctaves(octaves),
  };
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
