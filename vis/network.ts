/** A network as the method looks at it: pictures go in, and what any module makes of them comes out. */
import { UserError } from "../base/errors.ts";
import { defaultPenalty, findModule, resolveModule, stagesUpTo } from "../models/names.ts";
import { channelsOf, LIGHTNESS, type Normalisation } from "../models/normalisation.ts";
import type { Model } from "../models/registry.ts";
import { checkWeights, type KnownWeights, type Trace, traceModel } from "../models/trace.ts";
import type { WeightSource } from "../models/formats/weights.ts";
import {
  add,
  constant,
  conv2d,
  detach,
  globalAveragePool,
  multiplyAdd,
  type Shape,
  sub,
  type Tensor,
} from "../ops/mod.ts";

/** Something of a network that can be looked at. */
export interface Tap {
  /** The module's path; `""` is the whole network, whose output is what it says in the end. */
  readonly module: string;
  /** Its output, [K,C,H,W]; the mean of that over the picture, [K,C,1,1]; or its input. */
  readonly of: "output" | "pool" | "input";
}

/** (x + ½ − mean)/std, in the order and the channels that the network wants. */
function normalise(x: Tensor, normalisation: Normalisation): Tensor {
  const { mean, std, order } = normalisation;
  const scales = std.map((s) => 1 / s), shifts = mean.map((m, c) => (0.5 - m) / std[c]!);
  const perChannel = (values: readonly number[]) =>
    constant([1, values.length, 1, 1], () => Float32Array.from(values));
  if (channelsOf(normalisation) === 1) {
    return multiplyAdd(lightness(x), perChannel([scales[0]!]), perChannel([shifts[0]!]));
  }
  const y = multiplyAdd(x, perChannel(scales), perChannel(shifts));
  if (order !== "bgr") return y;
  const swap = constant([3, 3, 1, 1], () => Float32Array.of(0, 0, 1, 0, 1, 0, 1, 0, 0));
  return conv2d(y, swap);
}

/**
 * How light a picture is, [N,3,S,S] → [N,1,S,S]. Its gradient is that of the mean of the colours,
 * which is the same function of pictures without colours: so these stay without.
 */
function lightness(x: Tensor): Tensor {
  const weighted = (weights: readonly number[]) =>
    conv2d(x, constant([1, 3, 1, 1], () => Float32Array.from(weights)));
  const even = weighted([1 / 3, 1 / 3, 1 / 3]);
  return add(even, detach(sub(weighted(LIGHTNESS), even)));
}

/** What the modules of a network make of some pictures, as tensors. Only what is asked for is computed. */
export interface Seen {
  /**
   * What a tap gives.
   *
   * @throws {UserError} when there is no such module, or the network does not get there at this size.
   */
  get(tap: Tap): Tensor;
}

/** What an objective needs of a network; {@linkcode Network} is one. */
export interface Viewer {
  /** How it wants its pictures. */
  readonly model: Pick<Model, "normalisation"> & Partial<Pick<Model, "inputSize">>;
  /**
   * Adds the network to a graph.
   *
   * @param pictures [K,3,H,W], pixel/255 − ½
   */
  see(pictures: Tensor): Seen;
}

/** A traced network that can be asked. */
class TracedView implements Seen {
  readonly #trace: Trace;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  get({ module, of }: Tap): Tensor {
    if (module === "") {
      const { output, stopped, model } = this.#trace;
      if (output) return output;
      throw new UserError(`${model} does not run to its end: ${stopped}; use larger pictures`);
    }
    const found = findModule(this.#trace, module);
    if (of === "input") return found.input;
    return of === "pool" ? globalAveragePool(found.output) : found.output;
  }
}

/** A network and its weights. */
export class Network implements Viewer {
  readonly #known: KnownWeights = new Map();

  /** Nothing is read yet. */
  constructor(
    /** The network. */
    readonly model: Model,
    /** Where its weights come from. */
    readonly weights: WeightSource,
  ) {}

  /**
   * Adds the network to a graph.
   *
   * @param pictures [K,3,H,W], pixel/255 − ½
   */
  see(pictures: Tensor): Seen {
    return new TracedView(this.#trace(normalise(pictures, this.model.normalisation)));
  }

  /** One picture as the network gets it. */
  #shape(size: number): Shape {
    return [1, channelsOf(this.model.normalisation), size, size];
  }

  #trace(x: Tensor | Shape): Trace {
    return traceModel(this.model, x, this.weights, this.#known);
  }

  /**
   * The full path of a module, from that or from `vis.py`'s numbering.
   *
   * @throws {UserError} when there is none; lists the nearest.
   */
  resolve(name: string): string {
    const { inputSize } = this.model;
    return resolveModule(this.#trace(this.#shape(inputSize)), name);
  }

  /**
   * Checks that the network can be run up to some taps and that its weights have all they need.
   * Nothing is computed and no weight is read.
   *
   * @param size side of the pictures in pixels
   * @returns the shapes of what the taps give of one picture
   * @throws {UserError} when a module does not exist, the network cannot run up to it at this size,
   * or the weights lack something.
   */
  check(taps: readonly Tap[], size: number): Shape[] {
    const trace = this.#trace(this.#shape(size));
    const seen = new TracedView(trace);
    const tensors = taps.map((tap) => seen.get(tap));
    checkWeights(trace, tensors);
    return tensors.map(({ shape }) => shape);
  }

  /**
   * The layer whose input is penalised when none was named: the last convolution before another.
   *
   * @throws {UserError} as {@linkcode check}, and when there is no convolution before it.
   */
  penaltyFor(target: string, size: number): string {
    return defaultPenalty(this.#trace(this.#shape(size)), target);
  }

  /**
   * The modules that give the last maps of each size up to a module, that one included.
   *
   * @param size side of the pictures in pixels
   * @throws {UserError} when there is no such module.
   */
  stagesUpTo(target: string, size: number): string[] {
    return stagesUpTo(this.#trace(this.#shape(size)), target);
  }
}
