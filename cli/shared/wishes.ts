/** `visualize --channels …` and the other wishes: what the command line says of them. */
import { basename, join } from "node:path";
import type { Gpu } from "../../kernels/runtime/device.ts";
import { UserError } from "../../base/errors.ts";
import type { WeightsFile } from "../../models/formats/weights.ts";
import { openWeights } from "../../models/formats/open_weights.ts";
import { type Start } from "../../vis/loop/start.ts";
import { Network } from "../../vis/network.ts";
import { readWishes, WISH_NAMES, WISHES, type WishName } from "../../vis/objectives/kinds.ts";
import {
  answeringChannels,
  answersOf,
  canAnswer,
  metricsOf,
  namesOf,
  type Objective,
} from "../../vis/objectives/objective.ts";
import { seenSide, usualSide } from "../../vis/loop/schedule.ts";
import type { Parameters } from "../../vis/parameters.ts";
import { describeOctaves } from "../../vis/presets.ts";
import { DRAWINGS, drawings } from "../../vis/drawings.ts";
import { askFolder, lookAtPhotos } from "../../vis/photos/look.ts";
import { listPhotos, readPhoto } from "../../vis/photos/photos.ts";
import { filmSide } from "../../vis/report/film.ts";
import type { RunFolder } from "../../vis/report/run_folder.ts";
import { openTrunks, type Trunk } from "../../vis/trunk.ts";
import { growWishes } from "../../vis/wishes.ts";
import { mergedKeyValues } from "./config.ts";
import { folderName, preparation, shortName } from "./examine.ts";
import { keepGpuFor } from "./gpu.ts";
import { classNamesOf } from "./class_names.ts";
import { textOf } from "./text_file.ts";
import { openModelFor, requireModel } from "./model.ts";
import { type Arguments, COUNTS, type OptionSpec, SIDES, UsageError } from "./options.ts";
import { print, Progress, say } from "./progress.ts";
import { keptRun } from "./kept_run.ts";
import { largeFolder, sharedActivations } from "./sharing.ts";
import { again, follow, provenance } from "./run.ts";

/** Options for wishes: those of the table, and what goes with them. */
export const WISH_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  ...Object.fromEntries(
    WISH_NAMES.map((name): [string, OptionSpec] => {
      const { value, help } = WISHES[name];
      return [name, { type: "string", value, help }];
    }),
  ),
  "classes-file": { type: "string", value: "FILE", help: "Names of the classes, one a line" },
  "cosine-power": {
    type: "string",
    value: "P",
    help: "Of directions: how much the angle counts beside the length, 0 to 16 (1)",
    schema: { anyOf: [{ type: "number", minimum: 0, maximum: 16 }, { type: "string" }] },
  },
  weigh: {
    type: "string",
    multiple: true,
    value: "WISH=NUMBER,...",
    help: "How much wishes count that are given together, e.g. like=0.5 (1)",
  },
};

/** What was wished for. */
export function wishesOf(args: Arguments): Partial<Record<WishName, string>> {
  return Object.fromEntries(
    WISH_NAMES.flatMap((name) => {
      const text = args.text(name);
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

/** What else `visualize` has found out. */
export interface WishRun {
  readonly octaves: readonly Parameters[];
  readonly preset: string;
  readonly seed: number;
  readonly saveEvery: number;
  /** Whether to leave films. */
  readonly film: boolean;
  /** What `--init` says, if it was given. */
  readonly init: string | undefined;
  /** The options that make the same run again. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Opens the folder. */
  readonly claim: (folder: string) => RunFolder;
  /** The picture that it names, at a size. */
  readonly startOf: (init: string, size: number) => Promise<Start>;
}

/** Grows pictures for wishes, writes the report, prints what came of it. */
export async function visualizeWishes(args: Arguments, run: WishRun): Promise<void> {
  const { octaves, preset, seed, saveEvery } = run;
  const texts = wishesOf(args);
  const [folder] = args.positionals;
  const name = args.text("model");
  requireModel("visualize", args);
  const given = Object.keys(texts) as WishName[];
  const layers = args.list("layer");
  const layered = given.find((wish) => WISHES[wish].layered);
  if (layers.length > 1) {
    throw new UsageError("visualize: wishes are about one --layer; run it once for each");
  }
  if (layered !== undefined && layers.length === 0) {
    throw new UsageError(
      `visualize: --${layered} needs --layer; list the layers with: layers --model ${
        name ?? "NAME"
      }`,
    );
  }
  const weights = weightsOf(mergedKeyValues("weigh", args.list("weigh")), given);
  const cosinePower = numberOf("cosine-power", args.text("cosine-power"), 0, 16);
  const classNames = await classNamesOf(args.text("classes-file"));
  const limit = args.integer("limit", COUNTS);

  using opened = new DisposableStack();
  const { model, weights: file } = await openModelFor(args);
  opened.use(file);
  const [first] = octaves as [Parameters];
  const size = args.integer("size", SIDES) ?? usualSide(first, model.inputSize);
  const seen = seenSide(first, size, model.inputSize);
  const network = new Network(model, file);
  const layer = layers[0] === undefined ? "" : network.resolve(layers[0]);
  const [shape] = layer === "" ? [] : network.check([{ module: layer, of: "output" }], seen);
  const objective = await readWishes(texts, {
    layer,
    channels: shape?.[1] ?? 0,
    classNames,
    cosinePower,
    vectors: readVectors,
    photo: async (path) => ({
      name: basename(path),
      pixels: (await readPhoto(path, size)).pixels,
    }),
  }, weights);
  // Accentuation begins with the photo; to be like it and nothing else is asked of something else.
  const accentuates = texts.like !== undefined && given.some((wish) => {
    return wish !== "like" && WISHES[wish].alone;
  });
  const init = run.init ?? (accentuates ? texts.like! : folder === undefined ? "noise" : "mean");
  const start = await run.startOf(init, size);

  const wish = given.map((each) => `${each}-${basename(texts[each]!)}`).join("-");
  const where = [
    folder === undefined ? undefined : folderName(folder),
    shortName(model.name),
    layers[0],
    wish,
  ];
  const out = args.text("out") ??
    join("generated", where.filter((part) => part).join("-").replaceAll(/[^\w.@,-]+/g, "_"));
  const runFolder = opened.use(run.claim(out));
  if (runFolder.finished) {
    say(`${out} is finished`);
    return;
  }
  const drawn = folder === DRAWINGS ? drawings(size).slice(0, limit) : [];
  const paths = folder === undefined || folder === DRAWINGS ? [] : listPhotos(folder);
  const keeper = opened.use(await keepGpuFor(args));
  const { gpu } = keeper;
  say(`${gpu.name}${gpu.software ? " (software)" : ""}`);

  const photos = paths.length === 0
    ? { images: drawn, skipped: [], answers: undefined }
    : await keeper.use((gpu) =>
      askAbout(gpu, network, file, objective, paths, { size: seen, limit, parameters: first })
    );
  const title = `${wish} in ${shortName(model.name)} ${layer}`.trimEnd();
  const [, shown = "loss"] = metricsOf(objective);
  const film = run.film ? filmSide(octaves.at(-1)!.size || size) : undefined;
  const started = performance.now();
  const { result: grown, shown: lookAt, end } = await keptRun({
    keeper,
    folder: runFolder,
    title,
    images: photos.images,
    size,
    film,
    show: follow(octaves.length, shown),
    manifest: {
      ...provenance(keeper.gpu, { model, size, weightsName: file.name }),
      ...again(runFolder, { ...run.config, size }),
      layer,
      wishes: texts,
      weigh: weights,
      seed,
      preset,
      init,
      octaves: describeOctaves(octaves),
      skipped: photos.skipped,
    },
    run: (gpu, { tell, signal, stateEvery, kept }) =>
      growWishes(gpu, {
        network,
        objective,
        size,
        images: photos.images,
        answers: photos.answers,
        start,
        parameters: octaves,
        set: texts.diverse === undefined ? undefined : Number(texts.diverse),
        seed,
        saveEvery,
        film: run.film,
        signal,
        stateEvery,
        resume: { done: kept.batches, state: kept.state },
      }, tell),
  });

  const seconds = (performance.now() - started) / 1000;
  const { names, before, after } = grown;
  const number = (value: number | undefined) => value?.toPrecision(3) ?? "?";
  names.slice(0, MOST_LINES).forEach((each, i) => {
    print(`${each}: ${shown} ${number(before[i]?.[shown])} → ${number(after[i]?.[shown])}`);
  });
  if (names.length > MOST_LINES) print(`and ${names.length - MOST_LINES} more`);
  print(`${lookAt} (${seconds.toFixed(0)} s)`);
  end();
}

/** Lines printed about single pictures. */
const MOST_LINES = 12;

/** Shows photos to the network, and asks what they answer to the wishes where these can tell. */
async function askAbout(
  gpu: Gpu,
  network: Network,
  weights: WeightsFile,
  objective: Objective,
  paths: readonly string[],
  { size, limit, parameters }: { size: number; limit: number | undefined; parameters: Parameters },
) {
  const looking = new Progress("photos");
  const asks = canAnswer(objective);
  const looks = {
    size,
    limit,
    prepare: preparation(parameters),
    onProgress: (done: number, total: number) => looking.update(done, total),
  };
  const shared = sharedActivations();
  const channels = answeringChannels(objective);
  if (shared !== undefined && channels) {
    const { module, numbers } = channels;
    const layers = openTrunks(network.model, weights, [{ layer: module }], size);
    const large = largeFolder();
    if (large) {
      const [trunk] = layers.trunks as [Trunk];
      const question = { trunk, weights, size, prepared: looks.prepare?.name, parameters };
      return { ...await large.best(question, numbers), skipped: [] };
    }
    const cache = { folder: shared, weights };
    const { pooled, images, skipped } = await lookAtPhotos(gpu, layers, paths, { ...looks, cache });
    const count = layers.trunks[0]!.channels;
    const answers = new Float32Array(images.length * numbers.length);
    images.forEach((_, i) =>
      numbers.forEach((channel, k) => {
        answers[i * numbers.length + k] = pooled[0]![i * count + channel]!;
      })
    );
    return { images, skipped, answers };
  }
  const wishes = { name: "wishes", length: namesOf(objective).length };
  const { images, skipped, answers } = await askFolder(
    gpu,
    {
      model: network.model,
      questions: asks ? [wishes] : [],
      ask: (pictures) => [answersOf(objective, network.see(pictures))!],
    },
    paths,
    looks,
  );
  for (const { file, reason } of skipped) say(`skipped ${file}: ${reason}`);
  return { images, skipped, answers: asks ? answers[0] : undefined };
}

function numberOf(option: string, text: string | undefined, least: number, most: number) {
  if (text === undefined) return;
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  throw new UsageError(`--${option}: expected a number from ${least} to ${most}, got "${text}"`);
}

/** `--weigh`: of wishes that were given. */
function weightsOf(
  texts: Readonly<Record<string, string>>,
  given: readonly WishName[],
): Partial<Record<WishName, number>> {
  return Object.fromEntries(
    Object.entries(texts).map(([wish, text]) => {
      if (!given.includes(wish as WishName)) {
        throw new UsageError(`--weigh: expected one of ${given.join(", ")}, got "${wish}"`);
      }
      return [wish, numberOf("weigh", text, -1e6, 1e6)];
    }),
  );
}

/** Vectors from JSON, or the rows of a safetensors file's first tensor of two sizes. */
async function readVectors(path: string): Promise<number[][]> {
  if (!path.toLowerCase().endsWith(".json")) {
    using file = openWeights(path);
    const key = file.names.find((each) => file.shape(each).length === 2);
    if (key === undefined) throw new UserError(`${path}: expected a tensor of two sizes [K,C]`);
    const [rows, columns] = file.shape(key) as [number, number];
    const values = file.read(key);
    return Array.from(
      { length: rows },
      (_, i) => [...values.subarray(i * columns, (i + 1) * columns)],
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(await textOf(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} is no JSON: ${(error as Error).message}`);
  }
  const isVector = (value: unknown): value is number[] =>
    Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === "number");
  if (isVector(json)) return [json];
  if (Array.isArray(json) && json.length > 0 && json.every(isVector)) return json;
  throw new UserError(`${path}: expected a list of numbers, or a list of such lists`);
}
