/** From what a person wants of an atlas to a plan of what is there. */
import { basename, dirname, join, resolve } from "node:path";
import {
  digestOf,
  type Growth,
  type Piece,
  type Plan,
  type PlannedFolder,
  type PlannedNetwork,
  type Wanted,
  withPaths,
} from "../../atlas/plan.ts";
import { UserError } from "../../base/errors.ts";
import { unfitToRead } from "../../base/regular_file.ts";
import { sha256OfPieces } from "../../base/sha256.ts";
import { findModule } from "../../models/names.ts";
import { channelsOf } from "../../models/normalisation.ts";
import type { Model } from "../../models/registry.ts";
import { traceModel } from "../../models/trace.ts";
import { ancestors, sizeOf } from "../../ops/mod.ts";
import { seenSide, usualSide } from "../../vis/loop/schedule.ts";
import { Network } from "../../vis/network.ts";
import { describeOctaves } from "../../vis/presets.ts";
import { readWishes, WISH_NAMES } from "../../vis/objectives/kinds.ts";
import { listPhotos } from "../../vis/photos/photos.ts";
import { openTrunks } from "../../vis/trunk.ts";
import { parseConfig } from "../shared/config.ts";
import {
  embeddingOption,
  facetsOption,
  folderName,
  preparation,
  shortName,
} from "../shared/examine.ts";
import { openModelFor } from "../shared/model.ts";
import { Arguments } from "../shared/options.ts";
import { octavesOf, visualizeCommand } from "../visualize.ts";
import { fromAtlas } from "./atlas_folder.ts";

/** Photos that are looked at by one job. */
const SHARD = 4096;

/** Options that say what the octaves say already. */
const IN_OCTAVES = ["parameters", "octaves", "iterations", "distance", "optimizer"];

/** Options of a run that an atlas gives. */
const OWN_OPTIONS = ["images", "out", "layer", "limit", "json", "config", "force", "resume"];

/** Names of the options that may stand in a plan beside its parts. */
export const PLAN_OPTIONS: readonly string[] = Object.keys(visualizeCommand.options)
  .filter((name) =>
    !OWN_OPTIONS.includes(name) && !(WISH_NAMES as readonly string[]).includes(name)
  );

/**
 * Looks for all that a plan names and checks it.
 *
 * @param file of the plan; its paths are seen from there
 * @param out folder of the atlas
 * @throws {UserError} when something is not there or makes no sense.
 */
export async function findPlan(
  wanted: Wanted,
  { file, out, shard = SHARD }: { file: string; out: string; shard?: number | undefined },
): Promise<Plan> {
  const base = dirname(resolve(file));
  const here = (path: string) => resolve(base, path);
  const toAtlas = (path: string) => fromAtlas(out, here(path));
  const folders = wanted.folders.flatMap((folder) => findFolders(folder, here, toAtlas));
  const objectives = wanted.objectives.map((objective) => ({
    ...objective,
    options: withPaths(objective.options, toAtlas),
    digest: digestOf(withPaths(objective.options, digestOfFile(here))),
  }));
  const growths = wanted.presets.map((piece, i) => {
    const config = parseConfig(withPaths(piece, here), `preset ${i + 1}`, visualizeCommand);
    const args = new Arguments([], { ...config.options });
    const name = args.text("preset") ?? "default";
    const octaves = octavesOf(args, config, name);
    const options = Object.fromEntries(
      Object.entries(piece).filter(([key]) => !IN_OCTAVES.includes(key)),
    );
    return { options: { ...options, preset: name } as Piece, name, octaves };
  });
  const networks: PlannedNetwork[] = [];
  const seen: number[][] = growths.map(() => []);
  for (const [i, { options, layers }] of wanted.networks.entries()) {
    const config = parseConfig(withPaths(options, here), `network ${i + 1}`, visualizeCommand);
    const { model, weights } = await openModelFor(new Arguments([], { ...config.options }));
    using _ = weights;
    for (const [at, { octaves, options: grown }] of growths.entries()) {
      const [first] = octaves;
      const size = Number(grown.size ?? options.size ?? wanted.options.size) ||
        usualSide(first!, model.inputSize);
      seen[at]![i] = seenSide(first!, size, model.inputSize);
      openTrunks(model, weights, layers.map((layer) => ({ layer })), seen[at]![i]!);
    }
    const network = new Network(model, weights);
    const paths = layers.map((layer) => network.resolve(layer));
    const { weights: __, ...others } = options;
    networks.push({
      name: shortName(basename(model.name)),
      options: withPaths(options, toAtlas),
      digest: digestOf([
        sha256OfPieces(weights.pieces()),
        { ...others, model: basename(model.name) },
      ]),
      layers: paths.map((name) => describeLayer(model, network, name)),
    });
    for (const { options } of wanted.objectives) {
      for (const layer of networks.at(-1)!.layers) await checkObjective(options, layer);
    }
  }
  const presets = growths.map(({ options, name, octaves }, at): Growth => ({
    name,
    options: withPaths(options, toAtlas),
    digest: digestOf(withPaths(options, digestOfFile(here))),
    octaves: describeOctaves(octaves),
    seen: seen[at]!,
    prepared: preparation(octaves[0])?.name ?? "none",
    sights: octaves.reduce(
      (sum, { iterations, views }) => sum + iterations * Math.max(1, views),
      0,
    ),
  }));
  return { format: 1, folders, networks, objectives, presets, options: wanted.options, shard };
}

/** What a file holds, told by a digest. */
function digestOfFile(here: (path: string) => string): (path: string) => string {
  return (path) => {
    try {
      const unfit = unfitToRead(here(path));
      if (unfit) throw new Error(unfit);
      return sha256OfPieces([Deno.readFileSync(here(path))]);
    } catch (error) {
      throw new UserError(`${here(path)} cannot be read: ${(error as Error).message}`);
    }
  };
}

/** A folder, or those in it. */
function findFolders(
  { path, name, limit, each }: Wanted["folders"][number],
  here: (path: string) => string,
  toAtlas: (path: string) => string,
): PlannedFolder[] {
  if (each) {
    let entries: Deno.DirEntry[];
    try {
      entries = [...Deno.readDirSync(here(path))];
    } catch (error) {
      throw new UserError(`the folder ${here(path)} cannot be read: ${(error as Error).message}`);
    }
    const inside = entries.filter((entry) => entry.isDirectory && !entry.name.startsWith("."));
    if (inside.length === 0) throw new UserError(`there are no folders in ${here(path)}`);
    return inside.map(({ name }) => name).toSorted().flatMap((name) =>
      findFolders({ path: join(path, name), limit }, here, toAtlas)
    );
  }
  const photos = listPhotos(here(path));
  const digest = digestOf([
    limit ?? null,
    photos.map((photo) => [basename(photo), Deno.statSync(photo).size]),
  ]);
  return [{
    name: name ?? folderName(here(path)),
    path: toAtlas(path),
    photos: Math.min(photos.length, limit ?? Infinity),
    ...(limit === undefined ? {} : { limit }),
    digest,
  }];
}

/** A layer's channels, and what the convolutions up to it cost. */
function describeLayer(model: Model, network: Network, name: string) {
  const side = model.inputSize;
  const [shape] = network.check([{ module: name, of: "output" }], side);
  const trace = traceModel(model, [1, channelsOf(model.normalisation), side, side]);
  let products = 0;
  for (const tensor of ancestors([findModule(trace, name).output])) {
    if (tensor.op !== "conv2d") continue;
    const [, inputs, rows, columns] = tensor.inputs[1]!.shape;
    products += sizeOf(tensor.shape) * inputs * rows * columns;
  }
  return { name, channels: shape![1], work: Math.round(products / side ** 2) };
}

/** Checks what can be told of an objective without a run. */
async function checkObjective(
  options: Piece,
  { name, channels }: { name: string; channels: number },
): Promise<void> {
  const config = parseConfig(options, "an objective", visualizeCommand);
  const args = new Arguments([], { ...config.options });
  if (args.text("channels") !== undefined) {
    await readWishes({ channels: args.text("channels")! }, {
      layer: name,
      channels,
      vectors: () => Promise.resolve([]),
      photo: () => Promise.reject(new Error("no photo is asked for")),
    });
    return;
  }
  if (WISH_NAMES.some((wish) => args.text(wish) !== undefined)) return;
  facetsOption(args, 3);
  embeddingOption(args);
}
