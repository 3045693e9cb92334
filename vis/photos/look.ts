/** Shows a folder of photos to a network: as many at a time as the device takes, each only once. */

import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { Gpu } from "../../kernels/runtime/device.ts";
import { UserError } from "../../base/errors.ts";
import { sha256OfPieces } from "../../base/sha256.ts";
import type { WeightsFile } from "../../models/formats/weights.ts";
import type { Model } from "../../models/registry.ts";
import type { Tensor } from "../../ops/mod.ts";
import { ActivationCache, type CacheKey } from "./activation_cache.ts";
import { Showing } from "./activations.ts";
import { Held, type StoredImage } from "./images.ts";
import { decodePhoto, readPhotoFile, type SkippedPhoto, UnreadablePhoto } from "./photos.ts";
import type { Trunks } from "../trunk.ts";

/** How to look. */
export interface LookOptions {
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** Stop after this many readable photos; by default all are looked at. */
  readonly limit?: number | undefined;
  /**
   * A folder for what was answered, so that another run need not ask again; without it
   * nothing is kept.
   */
  readonly cache?: { readonly folder: string; readonly weights: WeightsFile } | undefined;
  /**
   * What to do to a photo's pixels before the network sees them (swap colours, say), and a name for
   * it, by which kept activations are told apart.
   */
  readonly prepare?: {
    readonly name: string;
    readonly apply: (pixels: Float32Array) => Float32Array;
  } | undefined;
  /** Called after every photo: photos done, photos there are, those taken from the cache. */
  readonly onProgress?: ((done: number, total: number, reused: number) => void) | undefined;
  /** Told what of the cache could not be used. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/** Something to ask about each photo. */
export interface Question {
  /** What kept answers are told apart by: a layer's name for its pools, anything else for others. */
  readonly name: string;
  /** Numbers of an answer. */
  readonly length: number;
}

/** Questions about one network. */
export interface Questions {
  /** The network. */
  readonly model: Model;
  /** The questions. */
  readonly questions: readonly Question[];
  /**
   * The tensors [B,…] that answer some of them, sharing what they can.
   *
   * @param pictures [B,3,S,S], pixel/255 − ½
   */
  ask(pictures: Tensor, some: readonly Question[]): readonly Tensor[];
}

/** What layers saw of a folder. */
export interface Look {
  /** The readable photos, in the order given. */
  readonly images: readonly StoredImage[];
  /** SHA-256 of each one's file. */
  readonly hashes: readonly string[];
  /** The files that could not be read. */
  readonly skipped: readonly SkippedPhoto[];
  /** Per layer [n, channels]: its output for each photo, averaged over the picture. */
  readonly pooled: readonly Float32Array<ArrayBuffer>[];
  /** Photos for which no layer had to be computed. */
  readonly reused: number;
}

/** What was answered to questions about a folder. */
export interface FolderAnswers extends Omit<Look, "pooled"> {
  /** Per question [n, length]. */
  readonly answers: readonly Float32Array<ArrayBuffer>[];
}

/**
 * Shows photos to all layers in one pass, as {@linkcode askFolder} does, and takes their outputs'
 * means over the picture.
 *
 * @throws {UserError} as `askFolder` does.
 */
export async function lookAtPhotos(
  gpu: Gpu,
  layers: Trunks,
  paths: readonly string[],
  options: LookOptions,
): Promise<Look> {
  const { trunks } = layers;
  const questions = trunks.map(({ target, channels }) => ({ name: target, length: channels }));
  const { answers, ...seen } = await askFolder(
    gpu,
    {
      model: trunks[0]!.model,
      questions,
      ask: (pictures, some) =>
        layers.pool(
          pictures,
          some.map(({ name }) => trunks.find(({ target }) => target === name)!),
        ),
    },
    paths,
    options,
  );
  return { ...seen, pooled: answers };
}

/**
 * Asks a network about photos, all questions in one pass. What is held at a time: one photo at full
 * size, a batch of squares, and squares for later up to 256 MiB, so a folder may be of any size.
 *
 * @throws {UserError} when not one photo could be read, or a single one is too large for the device.
 */
export async function askFolder(
  gpu: Gpu,
  { model, questions, ask }: Questions,
  paths: readonly string[],
  { size, limit = Infinity, cache, prepare, onProgress, onNote }: LookOptions,
): Promise<FolderAnswers> {
  const caches = openCaches(model, questions, size, prepare?.name ?? "none", cache, onNote);
  const skipped: SkippedPhoto[] = [];
  const images: StoredImage[] = [];
  const seen: Seen[] = [];
  const held = new Held();
  using passes = new DisposableStack();
  // One pass for each set of questions that some photo still lacks the answers to.
  const opened = new Map<string, Showing<Seen>>();
  const passOf = async (numbers: readonly number[]): Promise<Showing<Seen>> => {
    const known = opened.get(numbers.join());
    if (known) return known;
    const asked = numbers.map((number) => questions[number]!);
    const pass = await Showing.open<Seen>(
      gpu,
      { ask: (pictures) => ask(pictures, asked), size },
      (photos, answers) => {
        numbers.forEach((number, i) => {
          photos.forEach(({ answers: mine }, at) => mine[number] = answers[i]![at]!);
          caches[number]?.add(photos.map(({ hash }, at) => [hash, answers[i]![at]!]));
        });
      },
    );
    opened.set(numbers.join(), passes.use(pass));
    return pass;
  };
  let reused = 0;

  for (const path of paths) {
    if (images.length >= limit) break;
    try {
      const bytes = await readPhotoFile(path);
      const hash = createHash("sha256").update(bytes).digest("hex");
      const photo: Seen = { hash, answers: caches.map((cache) => cache?.get(hash)) };
      const missing = [...questions.keys()].filter((number) => !photo.answers[number]);
      if (missing.length === 0) reused++;
      else {
        const { pixels } = await decodePhoto(bytes, path, size);
        held.keep(path, pixels);
        const pass = await passOf(missing);
        await pass.add(photo, prepare?.apply(pixels) ?? pixels);
      }
      seen.push(photo);
      images.push(storedImage(path, size, held));
    } catch (error) {
      if (!(error instanceof UnreadablePhoto)) throw error;
      skipped.push({ file: basename(path), reason: error.reason });
    }
    onProgress?.(images.length + skipped.length, Math.min(paths.length, limit), reused);
  }
  for (const pass of opened.values()) await pass.finish();
  if (images.length === 0) {
    const first = skipped[0];
    throw new UserError(
      first
        ? `none of ${skipped.length} photos could be read; the first, ${first.file}: ${first.reason}`
        : "no photos to look at; give at least one",
    );
  }
  const answers = questions.map(({ length }, number) => {
    const all = new Float32Array(images.length * length);
    seen.forEach(({ answers }, i) => all.set(answers[number]!, i * length));
    return all;
  });
  return { images, hashes: seen.map(({ hash }) => hash), skipped, answers, reused };
}

/** A photo that is read again when it is needed, at the side at which it was looked at by default. */
export function storedImage(path: string, size: number, held?: Held): StoredImage {
  return {
    name: basename(path),
    read: async (side = size) => {
      const decoded = async () => (await decodePhoto(await readPhotoFile(path), path, side)).pixels;
      return held && side === size ? await held.get(path, decoded) : await decoded();
    },
  };
}

function openCaches(
  model: Model,
  questions: readonly Question[],
  size: number,
  prepared: string,
  cache: LookOptions["cache"],
  onNote?: (text: string) => void,
): (ActivationCache | undefined)[] {
  if (!cache) return questions.map(() => undefined);
  const key = cacheKey(model, cache.weights, size, prepared);
  return questions.map(({ name: layer, length: channels }) =>
    new ActivationCache(cache.folder, { ...key, layer, channels }, onNote)
  );
}

/** What kept answers depend on besides the photo and the layer. */
export function cacheKey(
  { name, options, normalisation }: Model,
  weights: WeightsFile,
  size: number,
  prepared = "none",
): Omit<CacheKey, "layer" | "channels"> {
  const digest = sha256OfPieces(weights.pieces());
  return { model: name, options, weights: digest, normalisation, size, prepared };
}

/** A photo that was looked at. */
interface Seen {
  /** SHA-256 of its file. */
  readonly hash: string;
  /** Per question its answer; a hole is filled when the photo's batch has run. */
  readonly answers: (Float32Array | undefined)[];
}
