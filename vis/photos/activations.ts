/** What a network answers to pictures, shown to it as many at a time as the device takes. */
import { UserError } from "../../base/errors.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import { megabytes } from "../../base/megabytes.ts";
import { withinMemory } from "../../kernels/runtime/out_of_memory.ts";
import { fitsDevice } from "../../kernels/runtime/sheet.ts";
import { planProgram, type ProgramMemory } from "../../ops/compiler/compile.ts";
import { compile, type Program, sizeOf, type Tensor, Variable } from "../../ops/mod.ts";
import { requireSize } from "./images.ts";
import type { Trunk } from "../trunk.ts";

/**
 * What is asked of a network about pictures.
 *
 * @param pictures [B,3,S,S], pixel/255 − ½
 * @returns tensors [B,…]; what lies in row b is the answer to picture b
 */
export type Ask = (pictures: Tensor) => readonly Tensor[];

/** Pictures shown together, at most: more are hardly faster. */
const BATCH = 8;

/** Nor are more whose activations take more bytes than this. */
const BATCH_BYTES = 2 ** 30;

function planned(gpu: Gpu, ask: Ask, batch: number, size: number): ProgramMemory {
  using input = new Variable(gpu, [batch, 3, size, size]);
  const plan = planProgram(gpu, { outputs: ask(input.tensor) });
  return { ...plan, fits: plan.fits && fitsDevice(gpu, input.shape) };
}

/**
 * How many pictures to show together: no tensor of theirs is too large for the device, and all
 * together do not take so much memory that fewer would do as well.
 *
 * @throws {UserError} when the device cannot hold a tensor of a single one.
 */
export function batchThatFits(gpu: Gpu, ask: Ask, most: number, size: number): number {
  for (let batch = most; batch > 1; batch--) {
    const { fits, own } = planned(gpu, ask, batch, size);
    if (fits && own <= BATCH_BYTES) return batch;
  }
  const { fits, own, largest } = planned(gpu, ask, 1, size);
  if (fits) return 1;
  throw new UserError(
    `a picture of ${size} pixels needs ${megabytes(own)} on this device, ${
      megabytes(largest)
    } of ` +
      "them in one piece, which is more than it takes; use a smaller size",
  );
}

/**
 * Pictures on their way through a network: they are gathered, each with something of the caller's that
 * belongs to it, until a batch is full.
 */
export class Showing<T> implements Disposable {
  readonly #size: number;
  readonly #input: Variable;
  readonly #outputs: readonly Tensor[];
  readonly #program: Program;
  readonly #take: Take<T>;
  readonly #pixels: Float32Array<ArrayBuffer>;
  #waiting: T[] = [];

  private constructor(size: number, opened: Opened, take: Take<T>) {
    this.#size = size;
    this.#input = opened.input;
    this.#outputs = opened.outputs;
    this.#program = opened.program;
    this.#take = take;
    this.#pixels = new Float32Array(sizeOf(opened.input.shape));
  }

  /**
   * Compiles what is asked, for as many pictures at a time as the device takes.
   *
   * @param options.most Pictures there are.
   * @param options.size Their side in pixels.
   * @param take Is handed the answers of each batch.
   * @throws {UserError} when a single picture is too large for the device.
   */
  static async open<T>(
    gpu: Gpu,
    { ask, size, most = BATCH }: { ask: Ask; size: number; most?: number },
    take: Take<T>,
  ): Promise<Showing<T>> {
    let batch = batchThatFits(gpu, ask, Math.min(BATCH, most), size);
    for (;; batch = Math.floor(batch / 2)) {
      const opened = await withinMemory(gpu, () => openBatch(gpu, ask, batch, size));
      if (opened) return new Showing(size, opened, take);
      if (batch > 1) continue;
      const { own } = planned(gpu, ask, 1, size);
      throw new UserError(
        `a picture of ${size} pixels needs ${megabytes(own)} on this device besides the weights, ` +
          "which is more than is left there; use a smaller size",
      );
    }
  }

  /** Pictures shown together. */
  get batch(): number {
    return this.#input.shape[0];
  }

  /**
   * Shows a picture: its answers are handed over when its batch is full, or at the end.
   *
   * @param item What it is to the caller.
   * @param pixels [3,S,S], 0..255
   * @throws {UserError} when it is not of the size.
   */
  async add(item: T, pixels: Float32Array): Promise<void> {
    requireSize(pixels, this.#size);
    const at = this.#waiting.length * pixels.length;
    for (let j = 0; j < pixels.length; j++) this.#pixels[at + j] = pixels[j]! / 255 - 0.5;
    this.#waiting.push(item);
    if (this.#waiting.length === this.batch) await this.finish();
  }

  /** Shows the pictures that wait for a batch to fill. */
  async finish(): Promise<void> {
    const items = this.#waiting;
    if (items.length === 0) return;
    this.#input.write(this.#pixels);
    this.#program.run();
    // All at once: a readback waits 10 ms whatever its size.
    const read = await Promise.all(this.#outputs.map((output) => this.#program.read(output)));
    this.#waiting = [];
    this.#take(
      items,
      read.map((values) => {
        const length = values.length / this.batch;
        return items.map((_, i) => values.slice(i * length, (i + 1) * length));
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#program[Symbol.dispose]();
    this.#input[Symbol.dispose]();
  }
}

/** Takes the answers to some pictures: for each tensor asked for, those to each of the pictures. */
export type Take<T> = (
  items: readonly T[],
  answers: readonly (readonly Float32Array<ArrayBuffer>[])[],
) => void;

interface Opened extends Disposable {
  readonly input: Variable;
  readonly outputs: readonly Tensor[];
  readonly program: Program;
}

async function openBatch(gpu: Gpu, ask: Ask, batch: number, size: number): Promise<Opened> {
  using owned = new DisposableStack();
  const input = owned.use(new Variable(gpu, [batch, 3, size, size]));
  const outputs = ask(input.tensor);
  const program = owned.use(await compile(gpu, { outputs }));
  const kept = owned.move();
  return { input, outputs, program, [Symbol.dispose]: () => kept.dispose() };
}

/**
 * What a graph makes of each of some photos.
 *
 * @param asked.photo Photo i, [3,S,S] in 0..255.
 * @param asked.ask From photos [B,3,S,S], pixel/255 − ½, to their answers [B,…], K numbers each.
 * @returns [n,K]
 * @throws {UserError} when a photo is not of the size, or a single one is too large for the device.
 */
export async function askPhotos(
  gpu: Gpu,
  { count, size, photo, ask, onProgress }: {
    count: number;
    size: number;
    photo: (i: number) => Float32Array | Promise<Float32Array>;
    ask: (pictures: Tensor) => Tensor;
    onProgress?: ((done: number, total: number) => void | Promise<void>) | undefined;
  },
): Promise<Float32Array<ArrayBuffer>> {
  const rows: Float32Array[] = [];
  const options = { ask: (pictures: Tensor) => [ask(pictures)], size, most: count };
  using showing = await Showing.open<number>(gpu, options, (photos, [answers]) => {
    photos.forEach((i, at) => rows[i] = answers![at]!);
  });
  let told = 0;
  for (let i = 0; i < count; i++) {
    await showing.add(i, await photo(i));
    if (i + 1 === count) await showing.finish();
    if (rows.length > told) await onProgress?.(told = rows.length, count);
  }
  const length = rows[0]?.length ?? 0;
  const all = new Float32Array(count * length);
  rows.forEach((row, i) => all.set(row, i * length));
  return all;
}

/**
 * Global average pool of the target layer for each image.
 *
 * @param picture Image i, [3,S,S] in 0..255.
 * @returns [n,C]
 * @throws {UserError} as {@linkcode askPhotos} does.
 */
export function poolActivations(
  gpu: Gpu,
  trunk: Trunk,
  count: number,
  size: number,
  picture: (i: number) => Float32Array | Promise<Float32Array>,
  onProgress?: (done: number, total: number) => void | Promise<void>,
): Promise<Float32Array<ArrayBuffer>> {
  const ask = (pictures: Tensor) => trunk.observe(pictures).pooled;
  return askPhotos(gpu, { count, size, photo: picture, ask, onProgress });
}
