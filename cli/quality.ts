/** `quality`: presets and networks compared by number, on one folder of photos. */
import { join } from "node:path";
import { writeWhole } from "../base/atomic_file.ts";
import { requireWritableFolder } from "../base/writable_folder.ts";
import { readPhotos } from "../vis/photos/photos.ts";
import { chooseOctaves, PRESETS } from "../vis/presets.ts";
import { Judge, saturated, totalVariation } from "../vis/quality.ts";
import { summarise } from "../vis/report/report.ts";
import { openTrunk, type Trunk } from "../vis/trunk.ts";
import { mergedKeyValues } from "./shared/config.ts";
import { type Arguments, type Command, UsageError } from "./shared/options.ts";
import { Progress, say } from "./shared/progress.ts";
import { runAndReport } from "./shared/run.ts";
import { GPU_OPTIONS, openGpuFor } from "./shared/gpu.ts";
import { openModel } from "./shared/model.ts";
import { concatenate } from "../base/concatenate.ts";

/** A number of the start picture and of the final one. */
type StartAndEnd = readonly [start: number, end: number];

/** What is measured of one facet's picture. */
export interface Quality {
  readonly preset: string;
  readonly model: string;
  readonly layer: string;
  /** From 1. */
  readonly facet: number;
  /** The own channels' activation over the photos'. */
  readonly own: StartAndEnd;
  /** Mean |out − target| over the other channels. */
  readonly distance: StartAndEnd;
  /** Mean difference between neighbouring pixels, in levels of 255. */
  readonly variation: StartAndEnd;
  /** Share of saturated pixels. */
  readonly saturated: StartAndEnd;
  /** Centred cosine to the target in each other network, by its name. */
  readonly transfer: Readonly<Record<string, StartAndEnd>>;
}

const mean = (values: readonly number[]) =>
  values.reduce((total, value) => total + value, 0) / values.length;

/** Start and end, averaged. */
function meanOf(pairs: readonly StartAndEnd[]): StartAndEnd {
  return [mean(pairs.map(([start]) => start)), mean(pairs.map(([, end]) => end))];
}

/** The table, with a line for each facet and one for their mean. */
export function qualityTable(rows: readonly Quality[]): string {
  const arrow = ([start, end]: StartAndEnd, digits: number) =>
    `${start.toFixed(digits)} → ${end.toFixed(digits)}`;
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const cells = (row: Omit<Quality, "facet">, facet: string) => {
    const transfers = Object.values(row.transfer);
    return [
      row.preset,
      `${row.model} ${row.layer}`,
      facet,
      arrow(row.own, 2),
      arrow([1, row.distance[1] / row.distance[0]], 2),
      arrow(row.variation, 1),
      arrow(row.saturated.map((share) => 100 * share) as unknown as StartAndEnd, 1),
      transfers.length > 0 ? arrow(meanOf(transfers), 2) : "—",
    ];
  };
  const groups = Object.values(
    Object.groupBy(rows, ({ preset, model, layer }) => `${preset} ${model} ${layer}`),
  ) as Quality[][];
  const lines = groups.flatMap((group) => {
    const all = {
      ...group[0]!,
      own: meanOf(group.map((row) => row.own)),
      distance: [1, mean(group.map(({ distance: [start, end] }) => end / start))] as const,
      variation: meanOf(group.map((row) => row.variation)),
      saturated: meanOf(group.map((row) => row.saturated)),
      transfer: Object.fromEntries(
        Object.keys(group[0]!.transfer).map((judge) =>
          [judge, meanOf(group.map((row) => row.transfer[judge]!))] as const
        ),
      ),
    };
    return [...group.map((row) => line(cells(row, String(row.facet)))), line(cells(all, "mean"))];
  });
  const head = [
    "preset",
    "network and layer",
    "facet",
    "own",
    "distance",
    "variation",
    "saturated %",
    "transfer",
  ];
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}

/** `NAME:LAYER` or `NAME:LAYER:FILE`. */
function parseNet(text: string): { name: string; layer: string; file: string | undefined } {
  const [name, layer, ...file] = text.split(":");
  if (!name || !layer) {
    throw new UsageError(`--net: expected NAME:LAYER or NAME:LAYER:FILE, got "${text}"`);
  }
  return { name, layer, file: file.length > 0 ? file.join(":") : undefined };
}

/** The command. */
export const qualityCommand: Command = {
  summary: "Compare presets and networks by number, on one folder of images.",
  usage: "IMAGES --net NAME:LAYER:FILE [--net ...] [options]",
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
    facets: { type: "string", short: "k", value: "K", help: "Number of facets (default 3)" },
    size: { type: "string", value: "PIXELS", help: "Side of the pictures (default 224)" },
    seed: { type: "string", value: "SEED", help: "Seeds everything random (default 0)" },
    limit: { type: "string", value: "N", help: "Use only the first N images" },
    out: {
      type: "string",
      short: "o",
      value: "FOLDER",
      help: "Where to write (default generated/quality)",
    },
    ...GPU_OPTIONS,
  },
  notes: `Each picture, from its start to its end:
  own          the own channels' activation over the photos'
  distance     mean distance of the other channels from their targets, over the start's
  variation    mean difference between neighbouring pixels, in levels of 255
  saturated %  pixels that are black or fully bright in a channel
  transfer     the mean over the other networks of the cosine between what the picture and what its
               facet's photos make of that network's layer, both less the mean of the folder: whether
               the picture shows what the photos share or merely fools one network

Writes the pictures of every run, quality.json and quality.md.`,

  async run(args: Arguments) {
    const [folder] = args.positionals as [string];
    const nets = args.list("net").map(parseNet);
    if (nets.length === 0) throw new UsageError("quality: missing --net NAME:LAYER:FILE");
    const given = args.list("preset");
    const presets = given.length > 0 ? given : ["default"];
    const facets = args.integer("facets", { min: 1, max: 100 }) ?? 3;
    const size = args.integer("size", { min: 8, max: 4096 }) ?? 224;
    const seed = args.integer("seed", { min: 0, max: 2 ** 32 - 1 }) ?? 0;
    const limit = args.integer("limit", { min: 1, max: 1e6 });
    const out = args.text("out") ?? join("generated", "quality");
    const changes = mergedKeyValues("set", args.list("set"));
    const runs = presets.map((preset) => ({ preset, parameters: chooseOctaves(preset, changes) }));

    using files = new DisposableStack();
    const trunks: { trunk: Trunk; weights: string }[] = [];
    for (const { name, layer, file } of nets) {
      const { model, weights } = await openModel(name, { weights: file });
      files.use(weights);
      trunks.push({ trunk: openTrunk(model, weights, { layer }, size), weights: weights.name });
    }
    requireWritableFolder(out);
    using gpu = await openGpuFor(args);
    const reading = new Progress("photos");
    const { photos, skipped } = await readPhotos(folder, {
      size,
      ...(limit === undefined ? {} : { limit }),
      onProgress: (done, total) => reading.update(done, Math.min(total, limit ?? total)),
    });
    const judges = new Map<Trunk, Judge>();
    for (const { trunk } of trunks) {
      say(`${trunk.model.name} ${trunk.target} looks at the photos`);
      judges.set(trunk, await Judge.create(gpu, trunk, photos, size));
    }

    const rows: Quality[] = [];
    for (const { preset, parameters } of runs) {
      for (const { trunk, weights } of trunks) {
        const { model, target: layer } = trunk;
        const title = `${preset}, ${model.name} ${layer}`;
        say(title);
        const run = await runAndReport(gpu, {
          trunk,
          images: photos,
          skipped,
          size,
          facets,
          parameters,
          preset,
          seed,
          saveEvery: 1e6,
          out: join(out, `${preset}-${model.name}-${layer}`),
          weightsName: weights,
          title,
        });
        const starts = run.targets.map(({ start }) => start);
        const transfers = new Map<string, StartAndEnd[]>();
        for (const [other, judge] of judges) {
          if (other === trunk) continue;
          const before = await judge.transfer(concatenate(starts), size, run.targets);
          const after = await judge.transfer(run.pictures, run.size, run.targets);
          transfers.set(
            `${other.model.name} ${other.target}`,
            before.map((value, k) => [value, after[k]!]),
          );
        }
        const plane = 3 * run.size ** 2;
        summarise(run).forEach(({ facet, own, distance }, k) => {
          const picture = run.pictures.subarray(k * plane, (k + 1) * plane);
          rows.push({
            preset,
            model: model.name,
            layer,
            facet,
            own,
            distance,
            variation: [totalVariation(starts[k]!, size), totalVariation(picture, run.size)],
            saturated: [saturated(starts[k]!), saturated(picture)],
            transfer: Object.fromEntries(
              [...transfers].map(([judge, pairs]) => [judge, pairs[k]!]),
            ),
          });
        });
        // After every run: what is known so far survives an interruption.
        await writeWhole(out, "quality.json", JSON.stringify(rows, null, 2) + "\n");
        await writeWhole(out, "quality.md", qualityTable(rows) + "\n");
      }
    }
    // deno-lint-ignore no-console
    console.log(qualityTable(rows));
  },
};
