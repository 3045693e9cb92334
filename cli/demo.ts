/** `demo`: the whole method on built-in images with the built-in network. */
import { createModel } from "../models/registry.ts";
import { FACETS } from "../models/motifs/draw.ts";
import { DEMO, DRAWINGS, drawings } from "../vis/drawings.ts";
import { chooseParameters, describeOctaves } from "../vis/presets.ts";
import { adjustedRandIndex } from "../vis/facets/rand_index.ts";
import { openTrunk } from "../vis/trunk.ts";
import { RunFolder } from "../vis/report/run_folder.ts";
import { FILM_OPTION, wantsFilm } from "./shared/film.ts";
import { GPU_OPTIONS, keepGpuFor } from "./shared/gpu.ts";
import { KEEP_OPTIONS } from "./shared/kept_run.ts";
import { type Command, COUNTS, SEEDS } from "./shared/options.ts";
import { print, say } from "./shared/progress.ts";
import { runAndReport } from "./shared/run.ts";

/** Iterations after which pictures are saved again. */
const SAVE_EVERY = 40;

/** The command. */
export const demoCommand: Command = {
  summary: "Run the whole method on built-in images with the built-in network.",
  permissions: "--allow-read --allow-write=OUT,CACHE",
  usage: "[--out FOLDER]",
  tells: true,
  positionals: [],
  options: {
    out: { type: "string", short: "o", value: "FOLDER", help: "Where to write (generated/demo)" },
    iterations: { type: "string", short: "n", value: "N", help: "Iterations (100)" },
    seed: { type: "string", value: "SEED", help: "Seeds everything random (default 0)" },
    film: FILM_OPTION,
    ...KEEP_OPTIONS,
    ...GPU_OPTIONS,
  },
  async run(args) {
    const iterations = args.integer("iterations", COUNTS) ?? 100;
    const seed = args.integer("seed", SEEDS) ?? 0;
    const film = wantsFilm(args);
    const out = args.text("out") ?? "generated/demo";
    // What is in the demo's own folder is an earlier demo.
    const force = args.flag("force") || args.text("out") === undefined;
    using folder = RunFolder.open(out, { force });
    const model = createModel("motifs");
    using weights = await model.builtInWeights!();
    const trunk = openTrunk(model, weights, { layer: DEMO.layer }, model.inputSize);
    using keeper = await keepGpuFor(args);
    const { gpu } = keeper;
    say(`${gpu.name}${gpu.software ? " (software)" : ""}`);
    const parameters = [chooseParameters("default", { iterations })];
    const images = drawings(DEMO.size);
    say(`${images.length} drawings of one class; its facets: ${FACETS.join(", ")}`);
    const run = await runAndReport(keeper, {
      trunk,
      images,
      skipped: [],
      size: DEMO.size,
      facets: DEMO.facets,
      parameters,
      preset: "default",
      seed,
      saveEvery: SAVE_EVERY,
      film,
      folder,
      config: {
        images: DRAWINGS,
        model: model.name,
        layer: [trunk.target],
        ...{ facets: String(DEMO.facets), size: DEMO.size, seed: String(seed) },
        "save-every": String(SAVE_EVERY),
        octaves: describeOctaves(parameters),
      },
      weightsName: weights.name,
      title: `built-in drawings in ${model.name} ${trunk.target}`,
    });
    const known = images.map(({ facet }) => facet);
    const index = adjustedRandIndex(known, run.facets.labels);
    print(`adjusted Rand index of the facets found: ${index.toFixed(3)}`);
  },
};
