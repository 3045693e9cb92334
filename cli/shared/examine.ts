/** What `visualize` and `facets` share: a network's layers, a folder of photos, and the facets. */
import { basename, join, resolve } from "node:path";
import type { GpuKeeper } from "../../kernels/runtime/keeper.ts";
import { type Embedding, type EmbeddingOptions, EMBEDDINGS } from "../../vis/facets/embedding.ts";
import { type FacetAnalysis } from "../../vis/facets/facets.ts";
import { poolActivations } from "../../vis/photos/activations.ts";
import { resizeSquare } from "../../vis/photos/area_resize.ts";
import { DRAWINGS, drawings } from "../../vis/drawings.ts";
import { requireImages, type SourceImage } from "../../vis/photos/images.ts";
import { type Look, lookAtPhotos, type LookOptions } from "../../vis/photos/look.ts";
import type { Parameters } from "../../vis/parameters.ts";
import { listPhotos, readPhotos } from "../../vis/photos/photos.ts";
import { asSeen } from "../../vis/photos/seen.ts";
import { changesPhotos } from "../../vis/photos/seen.ts";
import { seenSide, usualSide } from "../../vis/loop/schedule.ts";
import { RunFolder } from "../../vis/report/run_folder.ts";
import { openTrunks, type Trunk } from "../../vis/trunk.ts";
import type { FoundFacets } from "../../vis/visualize.ts";
import { GPU_OPTIONS, keepGpuFor } from "./gpu.ts";
import { isNetworkFile } from "../../models/open_model.ts";
import { NETWORK_OPTIONS, openModelFor, requireModel } from "./model.ts";
import {
  type Arguments,
  COUNTS,
  FACETS,
  type OptionSpec,
  SEEDS,
  SIDES,
  UsageError,
  wholeNumber,
  type WholeNumbers,
} from "./options.ts";
import { announce, Progress, say } from "./progress.ts";
import { largeFolder, sharedActivations } from "./sharing.ts";

/** Options that choose the network, its layers and the photos. */
export const LOOK_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  ...NETWORK_OPTIONS,
  layer: {
    type: "string",
    short: "l",
    multiple: true,
    value: "LAYER",
    help: "Module to look at; give it again for several layers in one run",
  },
  size: {
    type: "string",
    value: "PIXELS",
    help: "Side of the pictures (default: the network's, with views twice that)",
    schema: wholeNumber(SIDES),
  },
  seed: {
    type: "string",
    value: "SEED",
    help: "Seeds everything random (default 0)",
    schema: wholeNumber(SEEDS),
  },
  limit: {
    type: "string",
    value: "N",
    help: "Use only the first N images",
    schema: wholeNumber(COUNTS),
  },
  out: { type: "string", short: "o", value: "FOLDER", help: "Where to write" },
  force: { type: "boolean", help: "Replace a run that is in that folder" },
  ...GPU_OPTIONS,
};

const PERPLEXITIES: WholeNumbers = { min: 2, max: 1000 };
const EMBEDDING_ITERATIONS: WholeNumbers = { min: 1, max: 100_000 };

/** Options that say where facets are looked for. */
export const EMBEDDING_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  embedding: {
    type: "string",
    value: "NAME",
    help: `Where images are grouped: ${Object.keys(EMBEDDINGS).join(", ")} (tsne)`,
    schema: { enum: Object.keys(EMBEDDINGS) },
  },
  perplexity: {
    type: "string",
    value: "P",
    help: "Neighbours that count in t-SNE (30) or UMAP (15), 2 to 1000",
    schema: wholeNumber(PERPLEXITIES),
  },
  "embedding-iterations": {
    type: "string",
    value: "N",
    help: "Iterations of t-SNE (1000) or UMAP (200 to 500), 1 to 100000",
    schema: wholeNumber(EMBEDDING_ITERATIONS),
  },
};

/** `--facets`: a number or `auto`. */
export function facetsOption(args: Arguments, fallback: number | "auto"): number | "auto" {
  if (args.text("facets") === "auto") return "auto";
  try {
    return args.integer("facets", FACETS) ?? fallback;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.message.replace(", got", " or auto, got"));
  }
}

/** The options of {@linkcode EMBEDDING_OPTIONS}. */
export function embeddingOption(args: Arguments): EmbeddingOptions {
  const embedding = args.text("embedding") ?? "tsne";
  if (!Object.hasOwn(EMBEDDINGS, embedding)) {
    const names = Object.keys(EMBEDDINGS).join(", ");
    throw new UsageError(`--embedding: expected one of ${names}, got "${embedding}"`);
  }
  const perplexity = args.integer("perplexity", PERPLEXITIES);
  const iterations = args.integer("embedding-iterations", EMBEDDING_ITERATIONS);
  const arranges = embedding === "tsne" || embedding === "umap";
  if (!arranges && (perplexity !== undefined || iterations !== undefined)) {
    const option = perplexity !== undefined ? "perplexity" : "embedding-iterations";
    throw new UsageError(`--${option}: the embedding ${embedding} has none`);
  }
  return { embedding: embedding as Embedding, perplexity, iterations };
}

/** A folder as some layers of a network see it. */
export interface Examined extends Disposable {
  /** The adapter. */
  readonly keeper: GpuKeeper;
  /** The layers. */
  readonly trunks: readonly Trunk[];
  /** The photos and what each layer answered. */
  readonly look: Omit<Look, "images" | "hashes"> & {
    readonly images: readonly SourceImage[];
    /** Facets that are known already. */
    readonly found?: FoundFacets;
  };
  /** Side of the pictures. */
  readonly size: number;
  /** Side at which the network saw the photos. */
  readonly seen: number;
  /** What the weights are called. */
  readonly weightsName: string;
  /** Per layer the folder for its results. */
  readonly folders: readonly RunFolder[];
  /** Per layer a title for its plots. */
  readonly titles: readonly string[];
}

/**
 * Opens the network, checks everything that can be wrong before the long work, and shows the photos
 * to the layers. What these answer is kept in the folder `activations` of the results.
 *
 * @param facets Facets wanted at least.
 * @param octaves What pictures will be grown with; the first says how the network sees the photos.
 */
export async function examine(
  command: string,
  args: Arguments,
  facets: number | "auto",
  octaves: readonly Parameters[] = [],
): Promise<Examined> {
  const [folder] = args.positionals as [string];
  const name = args.text("model");
  requireModel(command, args);
  const layers = args.list("layer");
  if (layers.length === 0) {
    throw new UsageError(
      `${command}: missing --layer; list the layers with: layers --model ${name ?? "NAME"}`,
    );
  }
  const penalty = args.text("penalty");
  if (penalty !== undefined && layers.length > 1) {
    throw new UsageError(`${command}: --penalty goes with one --layer; each layer has its own`);
  }
  const limit = args.integer("limit", COUNTS);
  const wantedSize = args.integer("size", SIDES);

  using opened = new DisposableStack();
  const { model, weights } = await openModelFor(args);
  opened.use(weights);
  const [first = { views: 0, seen: 0, size: 0 }] = octaves;
  const size = wantedSize ?? usualSide(first, model.inputSize);
  const seen = seenSide(first, size, model.inputSize);
  const wanted = layers.map((layer) => ({ layer, penalty }));
  const open = openTrunks(model, weights, wanted, seen);
  const { trunks } = open;
  for (const octave of octaves) {
    openTrunks(model, weights, wanted, seenSide(octave, octave.size || size, model.inputSize));
  }
  const called = folderName(folder);
  const out = args.text("out") ??
    join("generated", fileName(`${called}-${shortName(model.name)}-${layers.join("-")}`));
  const drawn = folder === DRAWINGS ? drawings(size).slice(0, limit) : undefined;
  const large = largeFolder();
  const paths = drawn || large ? [] : listPhotos(folder);
  const most = large ? Infinity : drawn?.length ?? Math.min(paths.length, limit ?? Infinity);
  if (facets !== "auto" && most < facets) {
    if (!drawn) await readPhotos(paths, { size: 8 }); // if none can be read, that is the thing to say
    requireImages(most, facets);
  }
  const keeping = { force: args.flag("force"), resume: args.flag("resume") };
  const folders = trunks.map(({ target }) =>
    opened.use(RunFolder.open(trunks.length > 1 ? join(out, fileName(target)) : out, keeping))
  );
  const keeper = opened.use(await keepGpuFor(args));
  const { gpu } = keeper;
  say(`${gpu.name}${gpu.software ? " (software)" : ""}`);

  const looking = new Progress("photos");
  const parameters = octaves[0];
  const prepare = preparation(parameters);
  const look = await keeper.use<Examined["look"]>(async (gpu) => {
    if (drawn) {
      const picture = (i: number) => {
        const { pixels } = drawn[i]!;
        return Promise.resolve(resizeSquare(prepare?.apply(pixels) ?? pixels, size, seen));
      };
      const pooled: Float32Array<ArrayBuffer>[] = [];
      for (const trunk of trunks) {
        const show = (done: number, total: number) => looking.update(done, total);
        pooled.push(await poolActivations(gpu, trunk, drawn.length, seen, picture, show));
      }
      return { images: drawn, skipped: [], pooled, reused: 0 };
    }
    if (large && parameters) {
      const question = {
        trunk: trunks[0]!,
        weights,
        size: seen,
        prepared: prepare?.name,
        parameters,
      };
      const seed = args.integer("seed", SEEDS) ?? 0;
      const how = { ...embeddingOption(args), facets, seed, out: folders[0]!.path };
      const { images, found } = await large.facets(question, how);
      return { images, skipped: [], pooled: [], reused: images.length, found };
    }
    return await lookAtPhotos(gpu, open, paths, {
      size: seen,
      limit,
      prepare,
      cache: { folder: sharedActivations() ?? join(out, "activations"), weights },
      onProgress: (done, total, reused) => {
        looking.update(done, total, reused > 0 ? `${reused} known` : "");
        announce({ kind: "activations", done, total });
      },
      onNote: (text) => say(`note: ${text}`),
    });
  });
  const { images, skipped } = look;
  for (const { file, reason } of skipped) say(`skipped ${file}: ${reason}`);
  if (skipped.length > 0) say(`${skipped.length} of ${skipped.length + images.length} skipped`);
  requireImages(images.length, facets);
  const keep = opened.move();
  return {
    keeper,
    trunks,
    look,
    size,
    seen,
    weightsName: weights.name,
    folders,
    titles: trunks.map(({ target }) => `${called} in ${shortName(model.name)} ${target}`),
    [Symbol.dispose]: () => keep.dispose(),
  };
}

/** What is done to photos before a network sees them, and what it is called; nothing if it is nothing. */
export function preparation(parameters: Parameters | undefined): LookOptions["prepare"] {
  if (!parameters || !changesPhotos(parameters)) return undefined;
  return {
    name: `${parameters.colourOrder}, ${parameters.wholeLevels ? "whole" : "all"} levels`,
    apply: (pixels) => asSeen(pixels, parameters),
  };
}

/** A network's name without the folders and the ending of its file. */
export function shortName(name: string): string {
  return isNetworkFile(name) ? basename(name).replace(/\.onnx$/i, "") : name;
}

/** A name as that of a file or folder: without what parts folders. */
export function fileName(name: string): string {
  return name.replace(/^[/\\]+/, "").replace(/[/\\:\0]+/g, "_");
}

/** What to call a folder: its own name, also where it is given as `.` or `..`. */
export function folderName(folder: string): string {
  return basename(resolve(folder)) || "root";
}

/** What to tell a person about the facets, in two lines. */
export function describeFacets({ facets, judgement }: FacetAnalysis): string {
  const { verdict, stability, resampling, images } = judgement;
  const samples = resampling === undefined
    ? ""
    : `, with a fifth of the images left out ${resampling.toFixed(2)}`;
  const judged = images < facets.labels.length ? ` (judged on ${images} images)` : "";
  return `${verdict}${judged}\n` +
    `stability: five seeds agree to ${stability.toFixed(2)}${samples} (adjusted Rand index)`;
}
