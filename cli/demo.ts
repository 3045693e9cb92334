/** `demo`: the whole method on built-in images with the built-in network. */
import { createModel } from "../models/registry.ts";
import { drawClass, FACETS } from "../models/motifs/draw.ts";
import { chooseParameters } from "../vis/presets.ts";
import { adjustedRandIndex } from "../vis/facets/rand_index.ts";
import { openTrunk } from "../vis/trunk.ts";
import type { SourceImage } from "../vis/photos/images.ts";
import { RunFolder } from "../vis/report/run_folder.ts";
import { FILM_OPTION, wantsFilm } from "./shared/film.ts";
import { GPU_OPTIONS, keepGpuFor } from "./shared/gpu.ts";
import { KEEP_OPTIONS } from "./shared/kept_run.ts";
import type { Command } from "./shared/options.ts";
import { print, say } from "./shared/progress.ts";
import { runAndReport } from "./shared/run.ts";

const SIZE = 192;
const LAYER = "features.20";

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
    const iterations = args.integer("iterations", { min: 1, max: 1e6 }) ?? 100;
    const seed = args.integer("seed", { min: 0, max: 2 ** 32 - 1 }) ?? 0;
    const film = wantsFilm(args);
    const out = args.text("out") ?? "generated/demo";
    // What is in the demo's own folder is an earlier demo.
    const force = args.flag("force") || args.text("out") === undefined;
    using folder = RunFolder.open(out, { force });
    const model = createModel("motifs");
    using weights = await model.builtInWeights!();
    const trunk = openTrunk(model, weights, { layer: LAYER }, model.inputSize);
    using keeper = await keepGpuFor(args);
    const { gpu } = keeper;
    say(`${gpu.name}${gpu.software ? " (software)" : ""}`);
    const drawings = drawClass({ size: SIZE });
    say(`${drawings.length} drawings of one class; its facets: ${FACETS.join(", ")}`);
    const images = drawings.map(({ name, pixels }): SourceImage => ({
      name,
      pixels: planar(pixels, SIZE * SIZE),
    }));
    const run = await runAndReport(keeper, {
      trunk,
      images,
      skipped: [],
      size: SIZE,
      facets: FACETS.length,
      parameters: [chooseParameters("default", { iterations })],
      preset: "default",
      seed,
      saveEvery: 40,
      film,
      folder,
      weightsName: weights.name,
      title: `built-in drawings in ${model.name} ${trunk.target}`,
    });
    const known = drawings.map(({ facet }) => facet);
    const index = adjustedRandIndex(known, run.facets.labels);
    print(`adjusted Rand index of the facets found: ${index.toFixed(3)}`);
  },
};

/** Interleaved RGB to planes. */
export function planar(rgb: Uint8ClampedArray, pixels: number): Float32Array {
  const out = new Float32Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) out[c * pixels + i] = rgb[3 * i + c]!;
  }
  return out;
}
