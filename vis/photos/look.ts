/** Shows a folder of photos to some layers of a network: a few photos at a time, each only once. */

import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { Gpu } from "../../kernels/runtime/device.ts";
import { UserError } from "../../base/errors.ts";
import { sha256OfPieces } from "../../base/sha256.ts";
import type { SafetensorsFile } from "../../models/formats/safetensors.ts";
import { compile, type Program, type Tensor, Variable } from "../../ops/mod.ts";
import { ActivationCache } from "./activation_cache.ts";
import type { StoredImage } from "./images.ts";
import { decodePhoto, readPhotoFile, type SkippedPhoto, UnreadablePhoto } from "./photos.ts";
import type { Trunk, Trunks } from "../trunk.ts";

/** How to look. */
export interface LookOptions {
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** Stop after this many readable photos; by default all are looked at. */
  readonly limit?: number | undefined;
  /**
   * A folder for what the layers answered, so that another run need not ask again; without it
   * nothing is kept.
   */
  readonly cache?: { readonly folder: string; readonly weights: SafetensorsFile } | undefined;
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

/** What was seen. */
export interface Look {
  /** The readable photos, in the order given. */
  readonly images: readonly StoredImage[];
  /** The files that could not be read. */
  readonly skipped: readonly SkippedPhoto[];
  /** Per layer [n, channels]: its output for each photo, averaged over the picture. */
  readonly pooled: readonly Float32Array<ArrayBuffer>[];
  /** Photos for which no layer had to be computed. */
  readonly reused: number;
}

/** Photos that go through the network together. */
const BATCH = 8;

/** Decoded photos up to this many bytes stay in memory; others are decoded again when needed. */
const HELD_BYTES = 2 ** 28;

/**
 * Shows photos to all layers in one pass. What is held at a time: one photo at full size, a batch of
 * eight squares, and squares for later up to 256 MiB, so a folder may be of any size.
 *
 * @throws {UserError} when not one photo could be read.
 */
export async function lookAtPhotos(
  gpu: Gpu,
  layers: Trunks,
  paths: readonly string[],
  { size, limit = Infinity, cache, prepare, onProgress, onNote }: LookOptions,
): Promise<Look> {
  const { trunks } = layers;
  const caches = openCaches(trunks, size, prepare?.name ?? "none", cache, onNote);
  const skipped: SkippedPhoto[] = [];
  const images: StoredImage[] = [];
  const seen: Seen[] = [];
  const held = new Held();
  using passes = new Passes(gpu, layers, size, (trunk, some, values) => {
    const layer = trunks.indexOf(trunk);
    some.forEach(({ answers }, i) => answers[layer] = values[i]);
    caches[layer]?.add(some.map(({ hash }, i) => [hash, values[i]!]));
  });
  let reused = 0;

  for (const path of paths) {
    if (images.length >= limit) break;
    try {
      const bytes = await readPhotoFile(path);
      const hash = createHash("sha256").update(bytes).digest("hex");
      const photo: Seen = { hash, answers: caches.map((cache) => cache?.get(hash)) };
      const missing = trunks.filter((_, layer) => !photo.answers[layer]);
      if (missing.length === 0) reused++;
      else {
        const { pixels } = await decodePhoto(bytes, path, size);
        held.keep(path, pixels);
        await passes.add(missing, photo, prepare?.apply(pixels) ?? pixels);
      }
      seen.push(photo);
      images.push({
        name: basename(path),
        read: () =>
          held.get(path, async () => {
            return (await decodePhoto(await readPhotoFile(path), path, size)).pixels;
          }),
      });
    } catch (error) {
      if (!(error instanceof UnreadablePhoto)) throw error;
      skipped.push({ file: basename(path), reason: error.reason });
    }
    onProgress?.(images.length + skipped.length, Math.min(paths.length, limit), reused);
  }
  await passes.finish();
  if (images.length === 0) {
    const first = skipped[0];
    throw new UserError(
      first
        ? `none of ${skipped.length} photos could be read; the first, ${first.file}: ${first.reason}`
        : "no photos to look at; give at least one",
    );
  }
  const pooled = trunks.map(({ channels }, layer) => {
    const all = new Float32Array(images.length * channels);
    seen.forEach(({ answers }, i) => all.set(answers[layer]!, i * channels));
    return all;
  });
  return { images, skipped, pooled, reused };
}

function openCaches(
  trunks: readonly Trunk[],
  size: number,
  prepared: string,
  cache: LookOptions["cache"],
  onNote?: (text: string) => void,
): (ActivationCache | undefined)[] {
  if (!cache) return trunks.map(() => undefined);
  const weights = sha256OfPieces(cache.weights.pieces());
  return trunks.map(({ model, target, channels }) => {
    const { name, options, normalisation } = model;
    const layer = { model: name, options, weights, layer: target, channels };
    const key = { ...layer, size, normalisation, prepared };
    return new ActivationCache(cache.folder, key, onNote);
  });
}

/** Decoded photos, as many as fit. */
class Held {
  readonly #pixels = new Map<string, Float32Array>();
  #left = HELD_BYTES;
  #decoding: Promise<unknown> = Promise.resolve();

  keep(path: string, pixels: Float32Array): void {
    if (pixels.byteLength > this.#left) return;
    this.#left -= pixels.byteLength;
    this.#pixels.set(path, pixels);
  }

  /** The photo held, or what `decode` gives; it is called for one photo after the other. */
  async get(path: string, decode: () => Promise<Float32Array>): Promise<Float32Array> {
    const pixels = this.#pixels.get(path);
    if (pixels) return pixels;
    const mine = this.#decoding.then(decode);
    this.#decoding = mine.catch(() => {});
    return await mine;
  }
}

/** A photo that was looked at. */
interface Seen {
  /** SHA-256 of its file. */
  readonly hash: string;
  /** Per layer its answer; a hole is filled when the photo's batch has run. */
  readonly answers: (Float32Array | undefined)[];
}

/** Takes what a layer answered to the photos of a batch. */
type Take = (trunk: Trunk, photos: readonly Seen[], values: readonly Float32Array[]) => void;

/** The passes through the network, one for each set of layers that some photo still lacks. */
class Passes implements Disposable {
  readonly #gpu: Gpu;
  readonly #layers: Trunks;
  readonly #size: number;
  readonly #take: Take;
  readonly #passes = new Map<string, Pass>();

  constructor(gpu: Gpu, layers: Trunks, size: number, take: Take) {
    this.#gpu = gpu;
    this.#layers = layers;
    this.#size = size;
    this.#take = take;
  }

  /** Puts a photo into the batch for these layers; a full batch runs. */
  async add(trunks: readonly Trunk[], photo: Seen, pixels: Float32Array): Promise<void> {
    const name = trunks.map(({ target }) => target).join(" ");
    let pass = this.#passes.get(name);
    if (!pass) {
      pass = await Pass.create(this.#gpu, this.#layers, trunks, this.#size, this.#take);
      this.#passes.set(name, pass);
    }
    await pass.add(photo, pixels);
  }

  /** Runs the batches that are not full. */
  async finish(): Promise<void> {
    for (const pass of this.#passes.values()) await pass.run();
  }

  [Symbol.dispose](): void {
    for (const pass of this.#passes.values()) pass[Symbol.dispose]();
  }
}

/** A batch of photos on their way through the network to some layers. */
class Pass implements Disposable {
  readonly #trunks: readonly Trunk[];
  readonly #input: Variable;
  readonly #outputs: readonly Tensor[];
  readonly #program: Program;
  readonly #take: Take;
  readonly #pixels: Float32Array<ArrayBuffer>;
  #waiting: Seen[] = [];

  private constructor(
    trunks: readonly Trunk[],
    input: Variable,
    outputs: readonly Tensor[],
    program: Program,
    take: Take,
  ) {
    this.#trunks = trunks;
    this.#input = input;
    this.#outputs = outputs;
    this.#program = program;
    this.#take = take;
    this.#pixels = new Float32Array(input.tensor.shape.reduce((a, b) => a * b, 1));
  }

  static async create(
    gpu: Gpu,
    layers: Trunks,
    trunks: readonly Trunk[],
    size: number,
    take: Take,
  ): Promise<Pass> {
    const input = new Variable(gpu, [BATCH, 3, size, size]);
    try {
      const outputs = layers.pool(input.tensor, trunks);
      return new Pass(trunks, input, outputs, await compile(gpu, { outputs }), take);
    } catch (error) {
      input[Symbol.dispose]();
      throw error;
    }
  }

  async add(photo: Seen, pixels: Float32Array): Promise<void> {
    const at = this.#waiting.length * pixels.length;
    for (let j = 0; j < pixels.length; j++) this.#pixels[at + j] = pixels[j]! / 255 - 0.5;
    this.#waiting.push(photo);
    if (this.#waiting.length === BATCH) await this.run();
  }

  async run(): Promise<void> {
    if (this.#waiting.length === 0) return;
    this.#input.write(this.#pixels);
    this.#program.run();
    // All at once: a readback waits 10 ms whatever its size.
    const read = await Promise.all(this.#outputs.map((output) => this.#program.read(output)));
    for (const [layer, trunk] of this.#trunks.entries()) {
      const rows = this.#waiting.map((_, i) =>
        read[layer]!.slice(i * trunk.channels, (i + 1) * trunk.channels)
      );
      this.#take(trunk, this.#waiting, rows);
    }
    this.#waiting = [];
  }

  [Symbol.dispose](): void {
    this.#program[Symbol.dispose]();
    this.#input[Symbol.dispose]();
  }
}
