/** `quality`: presets and networks compared by number, on one folder of photos. */
import { join } from "node:path";
import { writeWhole } from "../base/atomic_file.ts";
import { requireWritableFolder } from "../base/writable_folder.ts";
import { readPhoto, readPhotos } from "../vis/photos/photos.ts";
import { chooseOctaves, PRESETS } from "../vis/presets.ts";
import { ClassJudge, Judge, saturated, type Sureness, totalVariation } from "../vis/quality.ts";
import { summarise } from "../vis/report/findings.ts";
import { RunFolder } from "../vis/report/run_folder.ts";
import { type SheetRow, sheetSvg } from "../vis/report/sheet_svg.ts";
import { atSide, type Square, tileRows, webpUri } from "../vis/report/tiles.ts";
import { UserError } from "../base/errors.ts";
import type { Target } from "../vis/facets/targets.ts";
import { Network } from "../vis/network.ts";
import { pixelsAt, type StoredImage } from "../vis/photos/images.ts";
import { changesPhotos } from "../vis/photos/seen.ts";
import { seenSide, usualSide } from "../vis/loop/schedule.ts";
import { writePng } from "../vis/photos/png.ts";
import { fileName, shortName } from "./shared/examine.ts";
import { type Measured, type Quality, qualityTable } from "./shared/quality_table.ts";
import { openTrunk, type Trunk } from "../vis/trunk.ts";
import { keyValues, mergedKeyValues } from "./shared/config.ts";
import {
  type Arguments,
  type Command,
  COUNTS,
  FACETS,
  SEEDS,
  SIDES,
  UsageError,
} from "./shared/options.ts";
import { print, Progress, say } from "./shared/progress.ts";
import { KEEP_OPTIONS } from "./shared/kept_run.ts";
import { runAndReport } from "./shared/run.ts";
import { GPU_OPTIONS, keepGpuFor } from "./shared/gpu.ts";
import { openModel } from "./shared/model.ts";
import { concatenate } from "../base/concatenate.ts";

/** Side at which networks look at pictures, where nothing else is said. */
const LOOK = 224;

/** Side of a picture on the sheet. */
const TILE = 224;

/** `NAME:LAYER` or `NAME:LAYER:FILE`. */
function parseNet(text: string): { name: string; layer: string; file: string | undefined } {
  const [name, layer, ...file] = text.split(":");
  if (!name || !layer) {
    throw new UsageError(`--net: expected NAME:LAYER or NAME:LAYER:FILE, got "${text}"`);
  }
  return { name, layer, file: file.length > 0 ? file.join(":") : undefined };
}

/** `FILE.onnx:CLASS`, or `FILE.onnx:CLASS,CLASS`. */
function parseJudge(text: string): { file: string; classes: number[] } {
  const at = text.lastIndexOf(":");
  const classes = text.slice(at + 1).split(",").map(Number);
  const valid = classes.every((index) => Number.isInteger(index) && index >= 0);
  if (at < 1 || text.endsWith(":") || !valid) {
    throw new UsageError(
      `--judge: expected FILE.onnx:CLASS, the number of a class from 0, got "${text}"`,
    );
  }
  return { file: text.slice(0, at), classes };
}

/** The command. */
export const qualityCommand: Command = {
  summary: "Compare presets and networks by number, on one folder of images.",
  permissions: "--allow-read --allow-write=OUT,CACHE",
  usage: "IMAGES --net NAME:LAYER:FILE [--net ...] [--judge FILE.onnx:CLASS] [options]",
  positionals: ["IMAGES, the folder of images"],
  options: {
    net: {
      type: "string",
      multiple: true,
      value: "NAME:LAYER:FILE",
      help: "A network, the layer to visualise and its weights; given again, another one",
    },
    preset: {
      type: "string",
      multiple: true,
      value: "NAME",
      help: `${Object.keys(PRESETS).join(", ")}; may be given again (default default)`,
    },
    set: {
      type: "string",
      multiple: true,
      value: "NAME=VALUE,...",
      help: "Change parameters of all presets",
    },
    octave: {
      type: "string",
      multiple: true,
      value: "NAME=VALUE,...",
      help: "An octave of all presets with these parameters; given again, another one after it",
    },
    judge: {
      type: "string",
      multiple: true,
      value: "FILE.onnx:CLASS,...",
      help: "A classifier, and the numbers of the classes that pictures should show",
    },
    facets: { type: "string", short: "k", value: "K", help: "Number of facets (default 3)" },
    size: {
      type: "string",
      value: "PIXELS",
      help: "Side of the pictures (default 224, with views 448)",
    },
    seed: { type: "string", value: "SEED", help: "Seeds everything random (default 0)" },
    seeds: { type: "string", value: "N", help: "Run each with so many seeds (default 1)" },
    limit: { type: "string", value: "N", help: "Use only the first N images" },
    out: {
      type: "string",
      short: "o",
      value: "FOLDER",
      help: "Where to write (default generated/quality)",
    },
    ...KEEP_OPTIONS,
    ...GPU_OPTIONS,
  },
  notes: `Of the photos of each facet, of the pictures it starts from and of those it ends with:
  own          the own channels' activation over the photos'
  distance     mean distance of the other channels from their targets, over the start's
  variation    mean difference between neighbouring pixels, in levels of 255
  saturated %  pixels that are black or fully bright in a channel
  transfer     the mean over the other networks of the cosine between what the picture and what its
               facet's photos make of that network's layer, both less the mean of the folder: whether
               the picture shows what the photos share or merely fools one network
  judges       the probability of the classes given, of the whole picture and ten crops of it: the
               best of them, and their mean

Writes the pictures of every run, quality.json and quality.md, and all that was judged on one sheet:
quality.svg with captions, quality.png without.`,

  async run(args: Arguments) {
    const [folder] = args.positionals as [string];
    const nets = args.list("net").map(parseNet);
    if (nets.length === 0) throw new UsageError("quality: missing --net NAME:LAYER:FILE");
    const given = args.list("preset");
    const presets = given.length > 0 ? given : ["default"];
    const facets = args.integer("facets", FACETS) ?? 3;
    const wanted = args.integer("size", SIDES);
    const firstSeed = args.integer("seed", SEEDS) ?? 0;
    const count = args.integer("seeds", { min: 1, max: 100 }) ?? 1;
    const seeds = Array.from({ length: count }, (_, i) => firstSeed + i);
    const asked = args.list("judge").map(parseJudge);
    const limit = args.integer("limit", COUNTS);
    const out = args.text("out") ?? join("generated", "quality");
    // What is in the command's own folder is what it wrote before.
    const force = args.flag("force") || args.text("out") === undefined;
    const changes = mergedKeyValues("set", args.list("set"));
    const typed = args.list("octave").map((list) => keyValues("octave", list));
    const runs = presets.map((preset) => {
      const octaves = chooseOctaves(preset, changes, typed);
      const size = wanted ?? usualSide(octaves[0]!, LOOK);
      // All networks look at pictures of one size.
      const parameters = octaves.map((octave) => ({
        ...octave,
        seen: seenSide(octave, octave.size || size, LOOK),
      }));
      return { preset, parameters, size, seen: parameters[0]!.seen };
    });
    const seen = runs[0]!.seen;
    if (runs.some((run) => run.seen !== seen)) {
      throw new UserError("quality: presets that look at pictures of different sizes; set seen");
    }

    using files = new DisposableStack();
    const trunks: { trunk: Trunk; weights: string }[] = [];
    for (const { name, layer, file } of nets) {
      const { model, weights } = await openModel(name, { weights: file });
      files.use(weights);
      trunks.push({ trunk: openTrunk(model, weights, { layer }, seen), weights: weights.name });
    }
    const classifiers: { name: string; network: Network; classes: number[] }[] = [];
    for (const { file, classes } of asked) {
      const { model, weights } = await openModel(file);
      files.use(weights);
      const network = new Network(model, weights);
      const [shape] = network.check([{ module: "", of: "output" }], model.inputSize);
      const most = shape![1] - 1;
      if (classes.some((index) => index > most)) {
        throw new UserError(`${file} has classes 0 to ${most}, none is ${classes.join(" or ")}`);
      }
      classifiers.push({ name: `${shortName(file)} ${classes.join("+")}`, network, classes });
    }
    requireWritableFolder(out);
    using keeper = await keepGpuFor(args);
    const { gpu } = keeper;
    const reading = new Progress("photos");
    const { photos: read, skipped } = await readPhotos(folder, {
      size: seen,
      ...(limit === undefined ? {} : { limit }),
      onProgress: (done, total) => reading.update(done, Math.min(total, limit ?? total)),
    });
    const photos = read.map((photo): StoredImage => ({
      name: photo.name,
      read: async (side = seen) =>
        side === seen ? photo.pixels : (await readPhoto(photo.path, side)).pixels,
    }));
    const judges = new Map<Trunk, Judge>();
    for (const { trunk } of trunks) {
      say(`${trunk.model.name} ${trunk.target} looks at the photos`);
      judges.set(trunk, await Judge.create(gpu, trunk, photos, seen));
    }

    const classJudges = classifiers.map(({ name, network, classes }) => ({
      name,
      judge: new ClassJudge(gpu, network, classes),
    }));

    const rows: Quality[] = [];
    const sheet: SheetRow[] = [];
    const plain: Square[][] = [];
    for (const { preset, parameters, size } of runs) {
      for (const { trunk, weights } of trunks) {
        for (const seed of seeds) {
          const { model, target: layer } = trunk;
          const name = shortName(model.name);
          const title = `${preset}, ${name} ${layer}` + (count > 1 ? `, seed ${seed}` : "");
          say(title);
          const called = `${preset}-${name}-${layer}${count > 1 ? `-${seed}` : ""}`;
          using folder = RunFolder.open(join(out, fileName(called)), { force });
          const run = await runAndReport(keeper, {
            trunk,
            images: photos,
            pooled: changesPhotos(parameters[0]!) ? undefined : judges.get(trunk)!.pooled,
            skipped,
            size,
            facets,
            parameters,
            preset,
            seed,
            saveEvery: 1e6,
            folder,
            weightsName: weights,
            title,
          });
          const starts = run.targets.map(({ start }) => start);
          const plane = 3 * run.size ** 2;
          const finals = run.targets.map((_, k) =>
            run.pictures.subarray(k * plane, (k + 1) * plane)
          );
          const transfers = await transfersOf(
            judges,
            trunk,
            run.targets,
            starts,
            size,
            finals,
            run.size,
          );
          const judged = new Map<string, Measured<Sureness>[]>();
          for (const { name, judge } of classJudges) {
            const before = await judge.judge(starts, size);
            const after = await judge.judge(finals, run.size);
            const own = await judge.judgePhotos(photos, run.targets, size);
            judged.set(
              name,
              own.map((each, k) => ({ photos: each, start: before[k]!, final: after[k]! })),
            );
          }
          for (const [k, { facet, own, distance }] of summarise(run).entries()) {
            const shown = await Promise.all(
              run.targets[k]!.indices.map((image) => pixelsAt(photos[image]!, size)),
            );
            const measured = (measure: (picture: Float32Array, side: number) => number) => ({
              photos: mean(shown.map((photo) => measure(photo, size))),
              start: measure(starts[k]!, size),
              final: measure(finals[k]!, run.size),
            });
            const of = <T>(all: ReadonlyMap<string, readonly T[]>) =>
              Object.fromEntries([...all].map(([judge, each]) => [judge, each[k]!]));
            rows.push({
              ...{ preset, model: name, layer, seed, facet },
              own: { photos: 1, start: own[0], final: own[1] },
              distance: { photos: undefined, start: distance[0], final: distance[1] },
              variation: measured(totalVariation),
              saturated: measured((picture) => saturated(picture)),
              transfer: of(transfers),
              judged: of(judged),
            });
          }
          const hrefs: string[] = [];
          for (const picture of finals) hrefs.push(await webpUri(picture, 2 * TILE));
          sheet.push({
            title,
            pictures: hrefs.map((href, k) => ({
              href,
              caption: captionOf(rows.at(k - finals.length)!),
            })),
          });
          // Not at their own size: that of a long list of runs.
          plain.push(finals.map((picture) => atSide(picture, TILE)));
          // After every run: what is known so far survives an interruption.
          await writeWhole(out, "quality.json", JSON.stringify(rows, null, 2) + "\n");
          await writeWhole(out, "quality.md", qualityTable(rows) + "\n");
          const drawn = sheetSvg(sheet, {
            title: "quality",
            description: `The pictures of ${sheet.length} runs, with what was measured of them`,
            tile: TILE,
            columns: 1,
          });
          await writeWhole(out, "quality.svg", drawn);
          await writePng(out, "quality.png", tileRows(plain, { tile: TILE, columns: 1 }));
        }
      }
    }
    print(qualityTable(rows));
  },
};

const mean = (values: readonly number[]) =>
  values.reduce((total, value) => total + value, 0) / values.length;

/** What stands under a picture: its transfer, then how sure the judges are. */
function captionOf({ facet, transfer, judged }: Quality): string {
  const transfers = Object.values(transfer).map(({ final }) => final);
  const numbers = [
    ...(transfers.length > 0 ? [`transfer ${mean(transfers).toFixed(2)}`] : []),
    ...Object.entries(judged).map(([judge, { final }]) => `${judge} ${final.best.toFixed(2)}`),
  ];
  return [`facet ${facet}`, ...numbers].join(", ");
}

/** What the other networks make of a run's photos and pictures. */
async function transfersOf(
  judges: ReadonlyMap<Trunk, Judge>,
  trunk: Trunk,
  targets: readonly Target[],
  starts: readonly Float32Array[],
  size: number,
  finals: readonly Float32Array[],
  finalSize: number,
): Promise<Map<string, Measured<number>[]>> {
  const transfers = new Map<string, Measured<number>[]>();
  for (const [other, judge] of judges) {
    if (other === trunk) continue;
    const before = await judge.transfer(concatenate(starts), size, targets);
    const after = await judge.transfer(concatenate(finals), finalSize, targets);
    transfers.set(
      `${shortName(other.model.name)} ${other.target}`,
      judge.transferOfPhotos(targets).map((photos, k) => ({
        ...{ photos, start: before[k]!, final: after[k]! },
      })),
    );
  }
  return transfers;
}
