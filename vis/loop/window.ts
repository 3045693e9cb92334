/** The canvas the picture is a window of: the paper's jitter. It stays on the GPU. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import {
  clampTo,
  compile,
  constant,
  mix,
  pad,
  type Program,
  resize,
  roll,
  type Shape,
  slice,
  type Tensor,
  Variable,
} from "../../ops/mod.ts";
import { NumpyRandom } from "./numpy_random.ts";
import type { Parameters } from "../parameters.ts";

/** Where a window's upper left corner is. */
export type Offset = readonly [x: number, y: number];

/** What to run in an iteration, in order. */
export interface WindowPrograms {
  /** Before anything else. */
  readonly before: readonly Program[];
  /** After everything else. */
  readonly after: readonly Program[];
}

/** What a window needs to know. */
export interface WindowOptions {
  /** The picture, which the window reads and writes. */
  readonly picture: Variable;
  /** Start pictures, [K,3,S,S], pixel/255 − ½. */
  readonly start: Float32Array;
  /** The octave. */
  readonly parameters: Parameters;
  /** Seeds its moves. */
  readonly seed: number;
  /** What becomes of the enlarged start pictures. */
  readonly finish: (canvas: Tensor) => Tensor;
}

/** Side of the canvas of a picture. */
export function canvasSide(size: number, scale: number): number {
  return Math.round(size * scale);
}

/**
 * A normally distributed place, `window` spare widths around the middle: x, then y, in the order
 * in which `vis.py` asks numpy for them.
 */
export function drawOffset(window: number, spare: number, random: NumpyRandom): Offset {
  const place = () =>
    Math.trunc(Math.min(spare, Math.max(0, random.normal(spare / 2, spare * window))));
  return [place(), place()];
}

/** A window on a canvas. */
export class Window implements Disposable {
  readonly #p: Parameters;
  readonly #owned = new DisposableStack();
  readonly #random: NumpyRandom;
  readonly #spare: number;
  readonly #pasteAt: Variable;
  readonly #readAt: Variable;
  #canvas!: Variable;
  #paste!: Program;
  #read!: Program;
  #offset: Offset;

  private constructor(gpu: Gpu, { picture, parameters, seed }: WindowOptions) {
    const side = canvasSide(picture.shape[2], parameters.scale);
    this.#p = parameters;
    this.#random = new NumpyRandom(seed);
    this.#spare = side - picture.shape[2];
    this.#offset = [this.#spare >> 1, this.#spare >> 1];
    this.#pasteAt = this.#owned.use(new Variable(gpu, [1, 2, 1, 1]));
    this.#readAt = this.#owned.use(new Variable(gpu, [1, 2, 1, 1]));
  }

  /**
   * Enlarges the start pictures to a canvas. Where the window moves, the picture becomes what it
   * shows; where it smears, the picture is the start picture until the window is first read.
   */
  static async create(gpu: Gpu, options: WindowOptions): Promise<Window> {
    const window = new Window(gpu, options);
    try {
      await window.#compile(gpu, options);
      return window;
    } catch (error) {
      window[Symbol.dispose]();
      throw error;
    }
  }

  async #compile(gpu: Gpu, { picture, start, parameters, finish }: WindowOptions): Promise<void> {
    const [k, c, size] = picture.shape;
    const side = size + this.#spare;
    const canvas = this.#owned.use(new Variable(gpu, [k, c, side, side]));
    this.#canvas = canvas;

    // A spline overshoots at edges.
    const enlarged = resize(constant(picture.shape, () => Float32Array.from(start)), {
      size: side,
      mode: "cubicSpline",
    });
    const first = finish(clampTo(enlarged, -0.5, 0.5));
    {
      using fill = await compile(gpu, { assign: [[canvas, first]] });
      fill.run();
    }
    const around = { low: [0, 0, 0], high: [0, this.#spare, this.#spare] } as const;
    const placed = (x: Tensor) => roll(pad(x, around), this.#pasteAt.tensor);
    const ones: Shape = [1, 1, size, size];
    const inside = placed(constant(ones, () => new Float32Array(size * size).fill(1)));
    const pasted = mix(canvas.tensor, placed(picture.tensor), inside);
    this.#paste = this.#owned.use(await compile(gpu, { assign: [[canvas, pasted]] }));
    const seen = slice(roll(canvas.tensor, this.#readAt.tensor), { size: [c, size, size] });
    this.#read = this.#owned.use(await compile(gpu, { assign: [[picture, seen]] }));
    if (parameters.windowMode === "move") {
      this.#aim();
      this.#read.run();
    }
  }

  /** The canvas, [K,3,side,side], pixel/255 − ½. */
  get canvas(): Variable {
    return this.#canvas;
  }

  /** Draws as {@linkcode advance} does, for an iteration that is over. */
  skip(due: boolean): void {
    if (!due && this.#p.windowMode !== "smear") return;
    this.#offset = drawOffset(this.#p.window, this.#spare, this.#random);
  }

  /** Where the window is. */
  get offset(): Offset {
    return this.#offset;
  }

  /** Memory of its canvas and its programs in bytes. */
  get bytes(): number {
    return this.#canvas.bytes + this.#paste.planBytes + this.#read.planBytes;
  }

  /** A paste happens at the old place if it comes before the next read, else at the new one. */
  #aim(pasteAt: Offset = this.#offset): void {
    this.#pasteAt.write(pasteAt);
    this.#readAt.write(this.#offset.map((v) => -v));
  }

  /**
   * Draws the window's next place if it is time.
   *
   * @param due whether the schedule says that the window moves
   */
  advance(due: boolean): WindowPrograms {
    const smear = this.#p.windowMode === "smear";
    if (!smear && !due) return { before: [], after: [] };
    const old = this.#offset;
    this.#offset = drawOffset(this.#p.window, this.#spare, this.#random);
    if (smear) {
      this.#aim();
      return { before: due ? [this.#read] : [], after: [this.#paste] };
    }
    this.#aim(old);
    return { before: [this.#paste, this.#read], after: [] };
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
