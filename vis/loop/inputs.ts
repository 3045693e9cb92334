/** The numbers of an iteration, on the GPU: the host sets them, and all groups of pictures read them. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import { Random, type Shape, type Tensor, Variable } from "../../ops/mod.ts";
import type { Moment } from "../objectives/objective.ts";
import type { Parameters } from "../parameters.ts";
import {
  blurWeights,
  drawView,
  drawWarp,
  largestRadius,
  scheduleAt,
  type Scheduled,
  type Warp,
  warpMatrix,
} from "./schedule.ts";

/** What iterations depend on. */
export interface InputOptions {
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** The octave. */
  readonly parameters: Parameters;
  /** Seeds the warps. */
  readonly seed: number;
  /** The warp of iteration i instead of a random one, for tests. */
  readonly warpAt?: ((i: number) => Warp) | undefined;
  /** The views of iteration i, six numbers each, instead of random ones, for tests. */
  readonly viewsAt?: ((i: number) => readonly (readonly number[])[]) | undefined;
  /** A circular shift (dx, dy) at iteration i, undone on the gradient, for tests. */
  readonly rollAt?: ((i: number) => readonly [dx: number, dy: number]) | undefined;
}

/** What changes between iterations, and is the same for all pictures. */
export class Inputs implements Disposable {
  readonly #gpu: Gpu;
  readonly #options: InputOptions;
  readonly #owned = new DisposableStack();
  readonly #variables: Variable[] = [];
  readonly #random: Random;
  readonly #lr: Variable;
  readonly #maskNumbers: Variable;
  readonly #blurWeights: Variable;
  readonly #denoiseSettings: Variable;
  readonly #theta: Variable | undefined;
  readonly #views: Variable | undefined;
  readonly #shift: Variable | undefined;
  readonly #scheduled = new Map<string, { variable: Variable; at: (moment: Moment) => number }>();

  /** Nothing is allocated yet. */
  constructor(gpu: Gpu, options: InputOptions) {
    const { size, parameters: p, seed, warpAt, rollAt } = options;
    this.#gpu = gpu;
    this.#options = options;
    this.#random = new Random(seed);
    this.#lr = this.#variable([1, 1, 1, 1]);
    this.#maskNumbers = this.#variable([1, 4, 1, 1]);
    this.#blurWeights = this.#variable([1, largestRadius(p, size) + 1, 1, 1]);
    this.#denoiseSettings = this.#variable([1, 2, 1, 1]);
    if (p.views > 0) this.#views = this.#variable([1, 6, p.views, 1]);
    else if (warpAt || p.warpShift > 0 || p.warpZoom > 0 || p.warpTurn > 0) {
      this.#theta = this.#variable([1, 6, 1, 1]);
    }
    if (rollAt) this.#shift = this.#variable([1, 2, 1, 1]);
  }

  #variable(shape: Shape): Variable {
    const made = this.#owned.use(new Variable(this.#gpu, shape));
    this.#variables.push(made);
    return made;
  }

  /** The learning rate, [1,1,1,1]. */
  get lr(): Tensor {
    return this.#lr.tensor;
  }

  /** Of the mask, as `radialMask` takes them. */
  get maskNumbers(): Tensor {
    return this.#maskNumbers.tensor;
  }

  /** Half of the blur's kernel. */
  get blurWeights(): Tensor {
    return this.#blurWeights.tensor;
  }

  /** Weight and eps of the denoiser. */
  get denoiseSettings(): Tensor {
    return this.#denoiseSettings.tensor;
  }

  /** The warp, where there is one. */
  get theta(): Tensor | undefined {
    return this.#theta?.tensor;
  }

  /** The iteration's views, a row of numbers for each; the first row is the one to look at next. */
  get views(): Variable | undefined {
    return this.#views;
  }

  /** The circular shift, where there is one. */
  get shift(): Tensor | undefined {
    return this.#shift?.tensor;
  }

  /** A number that an objective has the host set, the same one whenever its name is asked for. */
  scheduled(name: string, at: (moment: Moment) => number): Tensor {
    let known = this.#scheduled.get(name);
    if (!known) this.#scheduled.set(name, known = { variable: this.#variable([1, 1, 1, 1]), at });
    return known.variable.tensor;
  }

  /** Sets what an objective asked for. */
  writeObjective(moment: Moment): void {
    for (const { variable, at } of this.#scheduled.values()) variable.write([at(moment)]);
  }

  /**
   * Sets everything for iteration i.
   *
   * @param first whether it is the loop's first
   * @returns what the schedule says of it
   */
  write(i: number, first: boolean): Scheduled {
    const { parameters: p, size, warpAt, rollAt } = this.#options;
    const now = scheduleAt(p, i, size);
    this.#lr.write([now.lr]);
    this.writeObjective({ lambda: now.lambda, first });
    this.#maskNumbers.write(now.mask);
    // Drawn whether it is used or not: the same seed then gives the same later draws.
    if (this.#views) this.#writeViews(i);
    else {
      const drawn = warpAt?.(i) ?? drawWarp(p, size, this.#random);
      this.#theta?.write(warpMatrix(drawn, size));
    }
    if (rollAt) this.#shift?.write(rollAt(i));
    if (now.regularise) {
      const channels = this.#blurWeights.shape[1];
      this.#blurWeights.write(blurWeights(p, now.sigma, size, channels));
      this.#denoiseSettings.write([now.denoiseWeight, 1e-3]);
    }
    return now;
  }

  /** Draws as {@linkcode write} does, for an iteration that is over. */
  skip(i: number): Scheduled {
    const { parameters: p, size, warpAt } = this.#options;
    if (this.#views) this.#drawViews(i);
    else if (!warpAt) drawWarp(p, size, this.#random);
    return scheduleAt(p, i, size);
  }

  #drawViews(i: number): readonly (readonly number[])[] {
    const { parameters: p, viewsAt } = this.#options;
    return viewsAt?.(i) ?? Array.from({ length: p.views }, () => drawView(p, this.#random));
  }

  #writeViews(i: number): void {
    const views = this.#drawViews(i);
    this.#views!.write([0, 1, 2, 3, 4, 5].flatMap((number) => views.map((view) => view[number]!)));
  }

  /** Bytes of its variables. */
  get bytes(): number {
    return this.#variables.reduce((bytes, variable) => bytes + variable.bytes, 0);
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
