/** Growing pictures for an objective: octave after octave, each from the pictures of the last. */
import { channelsOf, withoutColours } from "../models/normalisation.ts";
import { UserError } from "../base/errors.ts";
import type { Gpu } from "../kernels/runtime/device.ts";
import { compile, constant, resize, type Shape } from "../ops/mod.ts";
import type { Grown, GrowState, Listener, PictureInfo, StoppedPicture } from "./events.ts";
import { type IterationResult, Loop, type LoopState } from "./loop/loop.ts";
import type { Viewer } from "./network.ts";
import { type Metrics, metricsOf, namesOf, type Objective } from "./objectives/objective.ts";
import type { Parameters } from "./parameters.ts";
import { checkOctaves, firstIterations } from "./presets.ts";

/** What {@linkcode grow} needs. */
export interface GrowOptions {
  /** The network. */
  readonly network: Viewer;
  /** What the pictures are grown for. */
  readonly objective: Objective;
  /** What they start from, [K,3,size,size] in 0..255. */
  readonly start: Float32Array;
  /** Side of the start, and of the pictures of octaves that name no other. */
  readonly size: number;
  /** What the loop does; of several octaves each goes on from the pictures of the last. */
  readonly parameters: Parameters | readonly Parameters[];
  /** Seeds everything that is random. */
  readonly seed: number;
  /** Every how many iterations to hand out the pictures (200). */
  readonly saveEvery?: number | undefined;
  /** Hands out pictures more often, for a film; what is grown is the same. */
  readonly film?: boolean | undefined;
  /** Magnitudes of the pictures' images at a size, [K,3,side,side]: what magnitude=images needs. */
  readonly magnitudes?: ((side: number) => Promise<Float32Array>) | undefined;
  /** The photos that each picture is shown beside. */
  readonly photos?: readonly PictureInfo["photos"][] | undefined;
  /** Ends the run between two iterations: the pictures are then as far as they are. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Tells a state at least every so many seconds, when pictures are saved, and when the signal ends
   * the run. Default: never.
   */
  readonly stateEvery?: number | undefined;
  /** Goes on from a state of the same run. */
  readonly resume?: GrowState | undefined;
}

/** Pictures of a progress strip, the first and the last included. */
const STRIP_FRAMES = 8;

/** Their iterations are multiples of this, because results come back that often anyway. */
const STRIP_GRID = 10;

/** The same of a film, whose frames follow each other every other iteration at the start. */
const FILM_FRAMES = 64;
const FILM_GRID = 2;

/** What pictures are handed out for: to be saved, for the progress strip, or for a film alone. */
export type PictureUse = "save" | "strip" | "film";

/** Iterations whose pictures are handed out. */
export function pictureIterations(
  total: number,
  saveEvery: number,
  film = false,
): Map<number, PictureUse> {
  const at = new Map<number, PictureUse>();
  const spread = (frames: number, grid: number, use: PictureUse) => {
    for (let f = 1; f < frames; f++) {
      // Denser at the start, where more happens.
      const i = Math.ceil(total * (f / (frames - 1)) ** 2 / grid) * grid;
      if (i < total) at.set(i, use);
    }
  };
  if (film) spread(FILM_FRAMES, FILM_GRID, "film");
  spread(STRIP_FRAMES, STRIP_GRID, "strip");
  for (let i = saveEvery; i <= total; i += saveEvery) at.set(i, "save");
  if (at.get(total) !== "save") at.set(total, "strip");
  return at;
}

/**
 * Grows a picture for each wish of an objective.
 *
 * @throws {UserError} when the octaves do not go together, or the objective cannot be had of the
 * network.
 * @throws {RangeError} when the start pictures are not those of the objective and the size.
 */
export async function grow(
  gpu: Gpu,
  options: GrowOptions,
  tell: Listener = () => {},
): Promise<Grown> {
  const { network, objective, size: startSize, seed, magnitudes, signal, resume } = options;
  const { stateEvery = Infinity } = options;
  const octaves = [options.parameters].flat() as readonly Parameters[];
  checkOctaves(octaves);
  const names = namesOf(objective);
  const pictureInfos = names.map((name, i) => ({ name, photos: options.photos?.[i] ?? [] }));
  await tell({ kind: "started", pictures: pictureInfos, metrics: metricsOf(objective) });
  const clock = new Stopwatch();
  const seconds = { compile: 0, loop: 0, ...resume?.seconds };
  const identity = stateEvery < Infinity || resume ? await identityOf(options, octaves) : "";
  if (resume && resume.identity !== identity) {
    throw new UserError(
      "the state is not of this run: its photos, weights or parameters are not what they were; " +
        "begin anew",
    );
  }
  const firsts = firstIterations(octaves);
  const lengths = octaves.map(({ iterations }, i) => iterations - firsts[i]! + 1);
  const total = lengths.reduce((a, b) => a + b, 0);
  const handOut = pictureIterations(total, options.saveEvery ?? 200, options.film);
  const stopped = new Stopped(names, tell, resume?.stopped);
  // Pictures for a network without colours have none, from the start to the end.
  const grey = channelsOf(network.model.normalisation) === 1;
  let pictures = grey ? withoutColours(options.start, startSize ** 2) : options.start;
  let size = startSize;
  let before = resume?.before ?? [];
  let after: readonly Metrics[] = [];
  let state: LoopState | undefined;
  let done = 0;
  for (const [octave, parameters] of octaves.entries()) {
    if (octave > 0 && (signal?.aborted || stopped.all)) break;
    const restored = resume?.octave === octave ? resume : undefined;
    if (resume && octave < resume.octave) {
      done += lengths[octave]!;
      continue;
    }
    if (restored) {
      size = parameters.size || startSize;
      pictures = restored.snapshot.tensors.picture!.map((v) => (v + 0.5) * 255);
    }
    const side = parameters.size || startSize;
    if (side !== size) {
      pictures = await resized(gpu, pictures, size, side);
      size = side;
    }
    await tell({ kind: "stage", stage: "compiling", done: octave, total: octaves.length });
    using loop = await Loop.create(gpu, {
      network,
      objective,
      start: pictures,
      size,
      parameters,
      // Other warps in each octave.
      seed: (seed + octave * 0x9e3779b9) >>> 0,
      done: firsts[octave]! - 1,
      magnitudes: parameters.magnitude === "images" ? await magnitudes?.(size) : undefined,
      state,
    });
    const first = restored ? restored.before : await loop.evaluate();
    if (octave === 0) before = first;
    seconds.compile += clock.lap();
    await tell({ kind: "ready", octave, size, memory: loop.memory, before: first });
    if (octave === 0 && !restored) {
      pictures = await loop.pictures();
      await tell({ kind: "pictures", iteration: 0, pictures, size, save: false });
    }
    // Iterations are counted over all octaves.
    const skipped = done + 1 - firsts[octave]!;
    const pauseAt = (i: number) => handOut.has(i + skipped);
    const ending = new AbortController();
    const ends = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal;
    let reached = done;
    if (restored) {
      loop.restore(restored.snapshot);
      reached = restored.snapshot.iteration + skipped;
    }
    let stateAt = performance.now();
    const tellState = async () => {
      const spent = { ...seconds, loop: seconds.loop + clock.seconds };
      const snapshot = await loop.save();
      await tell({
        kind: "state",
        state: {
          identity,
          octave,
          snapshot,
          before,
          stopped: [...stopped.pictures],
          seconds: spent,
        },
      });
      stateAt = performance.now();
    };
    for await (const results of loop.iterate({ pauseAt, signal: ends })) {
      const counted = results.map((result) => ({
        ...result,
        iteration: result.iteration + skipped,
      }));
      reached = counted.at(-1)!.iteration;
      await tell({ kind: "iterations", results: counted, total });
      await stopped.take(counted);
      if (stopped.all) ending.abort();
      const use = handOut.get(reached);
      const save = use === "save";
      if (use !== undefined) {
        pictures = await loop.pictures();
        const film = use === "film" ? { film: true } as const : {};
        await tell({ kind: "pictures", iteration: reached, pictures, size, save, ...film });
      }
      if (stateEvery === Infinity) continue;
      if (save || signal?.aborted || performance.now() - stateAt >= stateEvery * 1000) {
        await tellState();
      }
    }
    done = reached;
    pictures = await loop.pictures();
    if ([undefined, "film"].includes(handOut.get(done)) && ends.aborted) {
      await tell({ kind: "pictures", iteration: done, pictures, size, save: false });
    }
    after = await loop.evaluate();
    state = await loop.state();
    seconds.loop += clock.lap();
  }
  const grown: Grown = {
    names,
    pictures,
    size,
    iterations: done,
    aborted: done < total && !stopped.all,
    stopped: stopped.pictures,
    learned: state?.learned,
    before,
    after,
    seconds,
  };
  await tell({ kind: "finished", grown });
  return grown;
}

/** What tells one run from another: a digest of what it starts from and of what it does. */
async function identityOf(
  { start, seed, size, objective }: GrowOptions,
  octaves: readonly Parameters[],
): Promise<string> {
  const digest = async (bytes: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  const text = JSON.stringify([octaves, seed, size, namesOf(objective)]);
  return await digest(new Uint8Array(Float32Array.from(start).buffer)) +
    await digest(new TextEncoder().encode(text));
}

/** The pictures that came to have numbers that are none. */
class Stopped {
  readonly pictures: StoppedPicture[];
  readonly #names: readonly string[];
  readonly #tell: Listener;

  constructor(names: readonly string[], tell: Listener, known: readonly StoppedPicture[] = []) {
    this.#names = names;
    this.#tell = tell;
    this.pictures = [...known];
  }

  /** Whether none goes on. */
  get all(): boolean {
    return this.pictures.length === this.#names.length;
  }

  /** Takes note of those that were stopped in some iterations. */
  async take(results: readonly IterationResult[]): Promise<void> {
    for (const { iteration, metrics, stopped } of results) {
      for (const picture of stopped) {
        if (this.pictures.some((known) => known.picture === picture)) continue;
        const { loss } = metrics[picture]!;
        const reason = Number.isFinite(loss)
          ? "its gradient is no finite number"
          : `what the network makes of it is no finite number (loss ${loss})`;
        this.pictures.push({ picture, iteration, reason });
        const text = `${this.#names[picture]} stays as it was before iteration ${iteration}: ` +
          `${reason}; check the weights, or take smaller steps`;
        await this.#tell({ kind: "note", text });
      }
    }
  }
}

/** Square pictures [K,3,from,from] at another size: means of areas, or bilinear when they grow. */
async function resized(
  gpu: Gpu,
  pictures: Float32Array,
  from: number,
  to: number,
): Promise<Float32Array<ArrayBuffer>> {
  const shape: Shape = [pictures.length / (3 * from * from), 3, from, from];
  const mode = to < from ? "area" : "bilinear";
  const output = resize(constant(shape, () => pictures), { size: to, mode });
  using program = await compile(gpu, { outputs: [output] });
  program.run();
  return await program.read(output);
}

/** Seconds between calls. */
export class Stopwatch {
  #last = performance.now();

  /** Seconds since the last lap, which goes on. */
  get seconds(): number {
    return (performance.now() - this.#last) / 1000;
  }

  /** Seconds since the last lap. */
  lap(): number {
    const now = performance.now();
    const seconds = (now - this.#last) / 1000;
    this.#last = now;
    return seconds;
  }
}
