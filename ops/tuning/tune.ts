/**
 * Tuning: the ways to compute a convolution are measured on the device itself, and the fastest is
 * remembered. On a GPU that happens when a convolution is first compiled, for a moment at most; on
 * software adapters, whose defaults are measured ones, only when asked for.
 */
import type { Gpu } from "../../kernels/runtime/device.ts";
import { compile, geometriesOf, type ProgramOptions } from "../compiler/compile.ts";
import { conv2d } from "../conv2d/conv2d.ts";
import { candidates, chooseVariant, useVariants } from "../conv2d/variants.ts";
import type { Geometry, Variant } from "../graph/convolution.ts";
import { measure } from "./measure.ts";
import { constant, sizeOf, type Tensor } from "../graph/tensor.ts";
import { cacheFolder, type Measured, TuningFile } from "./tuning_file.ts";
import { Variable } from "../graph/variable.ts";

/** How tuning should behave. */
export interface TuningOptions {
  /** Folder of the files; the user's folder for such things by default, nothing kept if `null`. */
  cache?: string | null;
  /** Seconds to spend on measuring in all, when programs are compiled (2 on a GPU, else 0). */
  budget?: number;
  /** Is told, in a phrase for people, what went wrong. */
  note?: (text: string) => void;
}

/** A convolution, what it gets unmeasured, and what is fastest. */
export interface Tuned {
  /** The convolution. */
  readonly geometry: Geometry;
  /** What {@linkcode chooseVariant} gives it, and how long that takes. */
  readonly usual: Measured;
  /** The fastest. */
  readonly best: Measured;
}

/**
 * From now on programs compiled for this device take the variants that were fastest when measured,
 * and measure what they do not know, within the budget.
 */
export function tuned(gpu: Gpu, options: TuningOptions = {}): Tuning {
  const tuning = new Tuning(gpu, options);
  useVariants(gpu, tuning.choose, (geometries) => tuning.prepare(geometries));
  return tuning;
}

/** What is known of an adapter's speed. Made by {@linkcode tuned}. */
export class Tuning {
  /** Where measurements are kept. */
  readonly file: TuningFile;
  readonly #gpu: Gpu;
  readonly #note: (text: string) => void;
  #seconds: number;

  /** Use {@linkcode tuned}. */
  constructor(gpu: Gpu, { cache, budget, note = () => {} }: TuningOptions) {
    const folder = cache === undefined ? cacheFolder() : cache ?? undefined;
    this.file = new TuningFile(gpu, folder, note);
    this.#gpu = gpu;
    this.#note = note;
    this.#seconds = budget ?? (gpu.software ? 0 : 2);
  }

  /** The fastest variant where it is known. */
  readonly choose = (gpu: Gpu, geometry: Geometry): Variant =>
    this.#known(gpu, geometry) ?? chooseVariant(gpu, geometry);

  /** What was measured, if it is one of the candidates: a file may hold anything, a kernel not. */
  #known(gpu: Gpu, geometry: Geometry): Variant | undefined {
    const found = this.file.get(keyOf(gpu, geometry));
    if (!found) return undefined;
    const text = JSON.stringify(found.variant);
    return candidates(gpu, geometry).find((variant) => JSON.stringify(variant) === text);
  }

  /** Measures what is not known while the budget lasts, the largest first. */
  async prepare(geometries: readonly Geometry[]): Promise<void> {
    if (this.#seconds <= 0) return;
    const unknown = distinct(this.#gpu, geometries).filter((geometry) =>
      this.#known(this.#gpu, geometry) === undefined
    ).sort((a, b) => products(b) - products(a));
    if (unknown.length === 0) return;
    const start = performance.now();
    const left = () => this.#seconds - (performance.now() - start) / 1e3;
    try {
      for (const geometry of unknown) await this.tune(geometry, left);
    } catch (error) {
      this.#note(`measuring stopped: ${(error as Error).message}`);
      this.#seconds = 0;
    }
    this.#seconds = Math.max(0, left());
    this.file.save();
  }

  /**
   * Measures the candidates for one convolution and remembers the fastest.
   *
   * @param left says how many seconds are left: when none are, it is given up and not remembered
   */
  async tune(geometry: Geometry, left: () => number = () => Infinity): Promise<Tuned | undefined> {
    const trial = new Trial(this.#gpu, geometry);
    let [usual, best]: (Measured | undefined)[] = [];
    try {
      for (const variant of candidates(this.#gpu, geometry)) {
        if (left() <= 0) return;
        let ms: number;
        try {
          ms = await trial.milliseconds(variant);
        } catch (error) {
          // A tile may be too much for an adapter; the usual variant has to work.
          if (!usual) throw error;
          continue;
        }
        usual ??= { variant, ms };
        if (!best || ms < best.ms) best = { variant, ms };
      }
    } finally {
      trial[Symbol.dispose]();
    }
    if (!usual || !best) return;
    // Another one must be clearly better: what is measured again never gives the same twice.
    if (best.ms > 0.95 * usual.ms) best = usual;
    this.file.set(keyOf(this.#gpu, geometry), best);
    return { geometry, usual, best };
  }

  /** Measures all convolutions of a graph that differ, the largest first, whatever time it takes. */
  async *tuneAll(options: ProgramOptions): AsyncGenerator<Tuned> {
    const all = distinct(this.#gpu, geometriesOf(this.#gpu, options));
    for (const geometry of all.sort((a, b) => products(b) - products(a))) {
      const result = await this.tune(geometry);
      if (result) yield result;
    }
    this.file.save();
  }
}

/** Multiply-adds of a convolution by its definition. */
export function products({ pictures, inputs, outputs, size, kernel, groups }: Geometry): number {
  return pictures * inputs * outputs / groups * size[0] * size[1] * kernel[0] * kernel[1];
}

/** What a measurement depends on. */
function keyOf(gpu: Gpu, g: Geometry): string {
  const { pictures, inputs, outputs, size, kernel, stride, dilation, groups } = g;
  return [
    `${pictures}x${inputs}->${outputs}`,
    `${size.join("x")}`,
    `kernel ${kernel.join("x")}`,
    `stride ${stride.join("x")}`,
    `dilation ${dilation.join("x")}`,
    `groups ${groups}`,
    ...(g.whole ? [] : ["phase"]),
    ...(g.sameSize ? ["same size"] : []),
    ...(g.constantWeights ? [] : ["variable weights"]),
    ...(gpu.precise ? ["precise"] : []),
  ].join(", ");
}

/** Those that differ and multiply anything. */
function distinct(gpu: Gpu, geometries: readonly Geometry[]): Geometry[] {
  const byKey = new Map(geometries.map((geometry) => [keyOf(gpu, geometry), geometry]));
  return [...byKey.values()].filter((geometry) => products(geometry) > 0);
}

/** A convolution with a given geometry to measure variants on. */
class Trial implements Disposable {
  readonly #gpu: Gpu;
  readonly #x: Variable;
  readonly #y: Tensor;

  constructor(gpu: Gpu, g: Geometry) {
    const { pictures, inputs, outputs, size, kernel, stride, dilation, groups, sameSize } = g;
    const span = [0, 1].map((axis) => dilation[axis]! * (kernel[axis]! - 1)) as [number, number];
    const padding = sameSize ? [Math.floor(span[0] / 2), Math.floor(span[1] / 2)] as const : 0;
    // One phase of a strided gradient is measured as the convolution it is, without its gaps.
    const sides = [0, 1].map((axis) => {
      const needed = (size[axis]! - 1) * stride[axis]! + span[axis]! + 1;
      return sameSize ? needed - 2 * Math.floor(span[axis]! / 2) : needed;
    });
    const shape = [outputs, inputs / groups, ...kernel] as const;
    const weights = new Float32Array(sizeOf(shape)).map((_, i) => (i * 37 % 101) / 101 - 0.5);
    this.#gpu = gpu;
    this.#x = new Variable(gpu, [pictures, inputs, sides[0]!, sides[1]!]);
    const weight = constant(shape, () => weights);
    const options = { stride, dilation, padding, groups };
    this.#y = conv2d(this.#x.tensor, weight, undefined, options);
  }

  /** How long a variant takes. */
  async milliseconds(variant: Variant): Promise<number> {
    const gpu = this.#gpu;
    using program = await compile(gpu, { outputs: [this.#y], choose: () => variant });
    if (gpu.software || !gpu.device.features.has("timestamp-query")) {
      const encode = (pass: GPUComputePassEncoder) => program.encode(pass);
      return 1e3 * await measure(gpu, encode, { enough: 0.04, tries: 3 });
    }
    // The first run warms up; the shortest of the others was disturbed least.
    let best = Infinity;
    for (let i = 0; i < 4; i++) {
      const kernels = await program.profile();
      if (i > 0) best = Math.min(best, kernels.reduce((total, { ms }) => total + ms, 0));
    }
    return best;
  }

  [Symbol.dispose](): void {
    this.#x[Symbol.dispose]();
  }
}
