/**
 * Some of the loop's pictures, which go through the network together: their memory, and the graphs of
 * what is done to them. A loop has one group, or several that take turns where memory is short.
 */
import { channelsOf } from "../../models/normalisation.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import {
  add,
  affine,
  clampTo,
  concat,
  constant,
  conv2d,
  copy,
  div,
  finite,
  floor,
  gaussianBlur,
  gaussianKernel,
  gradients,
  maximum,
  meanOfSquares,
  mix,
  mul,
  type Program,
  type ProgramOptions,
  radialMask,
  resize,
  roll,
  type Shape,
  slice,
  sqrt,
  sub,
  type Tensor,
  tvDenoise,
  Variable,
  warp,
  where,
} from "../../ops/mod.ts";
import type { Viewer } from "../network.ts";
import {
  balance,
  buildObjective,
  isBalanced,
  metricsOf,
  type Objective,
  type TermContext,
} from "../objectives/objective.ts";
import type { Parameters } from "../parameters.ts";
import type { Inputs } from "./inputs.ts";
import type { Assignment, Learning } from "./learning.ts";
import type { Optimizer } from "./optimizer.ts";
import { blurRadius, NO_BLUR } from "./schedule.ts";
import { divideByFrequency, withMagnitudes } from "./spectrum.ts";
import type { Window } from "./window.ts";

/** What a group is made for. */
export interface GroupOptions {
  readonly network: Viewer;
  /** Of all pictures. */
  readonly objective: Objective;
  readonly size: number;
  /** Side of what the network sees of it. */
  readonly seen: number;
  readonly parameters: Parameters;
  readonly inputs: Inputs;
  readonly learning: Learning;
  readonly optimizer: Optimizer;
  /** With magnitude=images: what `meanMagnitudes` says of each picture's images, [K,3,S,S]. */
  readonly magnitudes?: Float32Array | undefined;
  /** The first picture. */
  readonly first: number;
  /** How many pictures. */
  readonly count: number;
  /** How many there are in all groups. */
  readonly total: number;
}

/** What a group's programs compute, and the slopes of the summed loss along what is learned. */
export interface GroupGraphs {
  readonly step: readonly Assignment[];
  /** Looks at the next of an iteration's views, where there are some; the step then takes them all. */
  readonly look: ProgramOptions | undefined;
  readonly blur: ProgramOptions;
  readonly brighten: ProgramOptions;
  readonly denoise: ProgramOptions;
  readonly evaluate: ProgramOptions;
  /** Brings balanced terms to the size of the others, where there are some. */
  readonly balance: ProgramOptions | undefined;
  /** The gradient for the pictures, pixel/255. */
  readonly raw: Tensor;
  readonly slopes: readonly Tensor[];
}

/** Names of a group's programs, in the order in which they take memory. */
export const PROGRAMS = ["step", "evaluate", "denoise", "blur", "brighten"] as const;

/** The name of a group's program. */
export type ProgramName = typeof PROGRAMS[number];

/** Standard deviations of natural images along brightness, red-blue and green-magenta (columns). */
const COLOUR_AXES = [[0.26, 0.09, 0.02], [0.27, 0, -0.05], [0.27, -0.09, 0.03]] as const;

/** A·Aᵀ as a 1×1 convolution. */
function colourMatrix(): Tensor {
  return constant([3, 3, 1, 1], () =>
    Float32Array.from(
      COLOUR_AXES.flatMap((a) =>
        COLOUR_AXES.map((b) => a.reduce<number>((s, v, i) => s + v * b[i]!, 0))
      ),
    ));
}

/** √mean(x²) per picture, [K,1,1,1]. */
export function rms(x: Tensor): Tensor {
  return affine(sqrt(meanOfSquares(x, [1, 2, 3])), 1, 1e-20);
}

/** What becomes of the raw gradient before the step: colour, bands, size. */
export function precondition(gradient: Tensor, p: Parameters): Tensor {
  let g = gradient;
  if (p.gradientColour) g = conv2d(g, colourMatrix());
  if (p.gradientPower > 0) g = divideByFrequency(g, p.gradientPower);
  if (p.gradientBands.length > 0) {
    const whole = g;
    const size = Math.min(g.shape[2], g.shape[3]);
    const bandOf = (sigma: number) => {
      const radius = blurRadius(sigma, "three_sigma", size);
      const band = sigma <= NO_BLUR ? whole : gaussianBlur(
        whole,
        constant([1, radius + 1, 1, 1], () => gaussianKernel(sigma, radius)),
      );
      return div(band, rms(band));
    };
    // One after the other, so that few of them are in memory at a time.
    const [first, ...others] = p.gradientBands as [number, ...number[]];
    g = others.reduce((total, sigma) => add(total, bandOf(sigma)), bandOf(first));
  }
  return p.gradientScale === "rms" ? div(g, rms(g)) : g;
}

/** Pictures (pixel/255 − ½) cut off to whole grey levels. */
function cutOff(x: Tensor): Tensor {
  // A float32 that means a whole level may lie a little below it.
  return affine(floor(affine(x, 255, 127.5 + 1e-3)), 1 / 255, -0.5);
}

/** The same rounded. */
function roundOff(x: Tensor): Tensor {
  return affine(floor(affine(x, 255, 128)), 1 / 255, -0.5);
}

const same = (x: Tensor) => x;

/** Channels of a group's metrics after the objective's: whether the picture was stopped. */
const STOPPED = 1;

/** The pictures of a group. Owns their memory. */
export class Group implements Disposable {
  /** Pictures before it. */
  readonly first: number;
  /** pixel/255 − ½: float32 is twice as fine around zero as around one. */
  readonly picture: Variable;
  /** The last iteration's metrics, and whether each picture was stopped. */
  readonly metrics: Variable;
  /** Its programs, once they are compiled. */
  programs!: Readonly<Record<ProgramName, Program>> & {
    readonly balance: Program | undefined;
    readonly look: Program | undefined;
  };
  /** Its canvas, if there is one. */
  window: Window | undefined;
  /** What becomes of pictures that are to have whole grey levels. */
  readonly rounded: (x: Tensor) => Tensor;
  readonly #gpu: Gpu;
  readonly #options: GroupOptions;
  readonly #owned = new DisposableStack();
  readonly #variables: Variable[] = [];
  /** 1 for pictures that came to have a gradient or a loss that is no number; they stay as they are. */
  readonly #stopped: Variable;
  /** Of balanced terms. */
  readonly #factors: readonly Variable[];
  readonly #kept = new Map<string, Variable>();
  /** The optimizer's. */
  #momenta: readonly Variable[] = [];

  /** Nothing is allocated before it is needed. */
  constructor(gpu: Gpu, options: GroupOptions) {
    const { first, count, size, parameters, objective } = options;
    this.#gpu = gpu;
    this.first = first;
    this.#options = options;
    this.rounded = parameters.wholeLevels ? roundOff : same;
    this.picture = this.#variable([count, 3, size, size]);
    this.metrics = this.#variable([count, metricsOf(objective).length + STOPPED, 1, 1], "buffer");
    this.#stopped = this.#variable([count, 1, 1, 1]);
    const balanced = objective.terms.filter(({ term }) => term.balanced);
    this.#factors = isBalanced(objective)
      ? balanced.map(() => this.#variable([count, 1, 1, 1]))
      : [];
  }

  #variable(shape: Shape, storage?: "buffer"): Variable {
    const made = this.#owned.use(new Variable(this.#gpu, shape, storage));
    this.#variables.push(made);
    return made;
  }

  /** How many pictures. */
  get count(): number {
    return this.#options.count;
  }

  /** Its pictures of [K,3,S,S]. */
  of(all: Float32Array): Float32Array {
    const { count, size } = this.#options;
    const plane = 3 * size * size;
    return all.subarray(this.first * plane, (this.first + count) * plane);
  }

  /** Factors of balanced terms, a list for each term: see `balance`. */
  get factors(): readonly Variable[] {
    return this.#factors;
  }

  /** All that it takes from one iteration to the next, by names that are the same in every group. */
  get saved(): ReadonlyMap<string, Variable> {
    return new Map([
      ["picture", this.picture],
      ["stopped", this.#stopped],
      ...this.#factors.map((factor, i) => [`factor ${i}`, factor] as const),
      ...[...this.#kept].map(([name, kept]) => [`kept ${name}`, kept] as const),
      ...this.#momenta.map((momentum, i) => [`momentum ${i}`, momentum] as const),
      ...(this.window ? [["canvas", this.window.canvas] as const] : []),
    ]);
  }

  #magnitudes(): Tensor {
    const { magnitudes } = this.#options;
    if (!magnitudes) throw new Error("loop: magnitude=images needs the images' magnitudes");
    return constant(this.picture.shape, () => this.of(magnitudes));
  }

  /** Bytes of its variables. */
  get bytes(): number {
    return this.#variables.reduce((bytes, variable) => bytes + variable.bytes, 0);
  }

  /**
   * What terms are given.
   *
   * @param see how pictures are seen
   * @param keep filled with the new values of what terms keep
   */
  #contextOf(term: number, see: TermContext["see"], keep: Assignment[]): TermContext {
    const { first, count, total, parameters, inputs, learning } = this.#options;
    return {
      pictures: { first, count, total },
      picture: this.picture.tensor,
      parameters,
      rows: (values, [c, h, w]) => {
        const size = c * h * w;
        return values.length === size
          ? constant([1, c, h, w], () => values)
          : constant([count, c, h, w], () => values.slice(first * size, (first + count) * size));
      },
      see,
      scheduled: (name, at) => inputs.scheduled(name, at),
      kept: (name, shape, next) => {
        const key = `${term} ${name}`;
        let variable = this.#kept.get(key);
        if (!variable) this.#kept.set(key, variable = this.#variable(shape));
        const value = next(variable.tensor);
        keep.push([variable, value]);
        return value;
      },
      learned: (name, shape, gain) => learning.tensor(name, shape, gain),
    };
  }

  /** Adds all it does to the graph. */
  graphs(): GroupGraphs {
    const { network, objective, parameters: p, size, seen } = this.#options;
    const { inputs, learning, optimizer } = this.#options;
    const x = this.picture.tensor;
    const blended = p.wholeLevels ? cutOff : same;
    const { rounded } = this;
    const mask = radialMask(inputs.maskNumbers, size, size, p.maskRadius > 0);
    const factors = this.#factors.map(({ tensor }) => tensor);

    // Forward through the warped picture, and back.
    const { views } = inputs;
    const theta = views ? slice(views.tensor, { size: [6, 1, 1] }) : inputs.theta;
    const warped = (pictures: Tensor): Tensor => {
      const shifted = inputs.shift ? roll(pictures, inputs.shift) : pictures;
      return theta ? warp(shifted, theta, seen) : whole(shifted);
    };
    const whole = (pictures: Tensor): Tensor =>
      seen === size ? pictures : resize(pictures, { size: seen, mode: "area" });
    const view = (pictures: Tensor) => network.see(warped(pictures));
    const kept: Assignment[] = [];
    const { loss, metrics, parts } = buildObjective(
      objective,
      view(x),
      (term) => this.#contextOf(term, view, kept),
      factors,
    );
    const [slope, ...ofLearned] = gradients(loss, [x, ...learning.tensors]) as [
      Tensor,
      ...Tensor[],
    ];
    // Of several views the step takes the means.
    const looks: Assignment[] = [];
    const taken: Assignment[] = [];
    const overViews = (value: Tensor): Tensor => {
      if (!views) return value;
      const sum = this.#variable(value.shape);
      looks.push([sum, add(sum.tensor, affine(value, 1 / p.views))]);
      taken.push([sum, affine(sum.tensor, 0)]);
      return sum.tensor;
    };
    const raw = overViews(slope);
    const slopes = ofLearned.map(overViews);
    const written = overViews(metrics);
    if (views) {
      const next = constant([1, 2, 1, 1], () => Float32Array.of(0, -1));
      looks.push([views, roll(views.tensor, next)], ...kept);
    }

    // The step. In normalised values gradients are std times those of pixels, and so are steps.
    const { normalisation } = network.model;
    const { std } = normalisation;
    // What has no colours gets none.
    const coloured = channelsOf(normalisation) === 3;
    const perChannel = (value: (s: number) => number) =>
      constant([1, 3, 1, 1], () => Float32Array.from(std, value));
    const normalised = p.gradientSpace === "normalised";
    const gradient = normalised ? mul(raw, perChannel((s) => s)) : raw;

    // A picture whose loss or gradient is no number keeps the last good state; clamping would make
    // numbers of what is none.
    const total = views ? slice(written, { size: [1, 1, 1] }) : loss;
    const good = mul(finite(total), finite(meanOfSquares(gradient, [1, 2, 3])));
    const stopped = maximum(this.#stopped.tensor, affine(good, -1, 1));
    const unless = (value: Tensor, now: Tensor = this.#stopped.tensor) => where(now, x, value);

    const { gain } = optimizer;
    const { update, assign } = optimizer.step(
      precondition(gradient, coloured ? p : { ...p, gradientColour: false }),
    );
    this.#momenta = assign.map(([variable]) => variable);
    const scale = perChannel((s) => normalised ? gain * s : gain);
    const step = mul(mul(update, mul(scale, inputs.lr)), mask);
    const stepped = unless(rounded(clampTo(sub(x, step), -0.5, 0.5)), stopped);

    const blurred = mix(x, rounded(gaussianBlur(x, inputs.blurWeights)), mask);
    const brighter = clampTo(affine(x, 1, 5 / 255), -0.5, 0.5);
    const smooth = tvDenoise(x, inputs.denoiseSettings, p.denoiseSweeps);
    const denoised = p.magnitude === "images"
      ? clampTo(withMagnitudes(smooth, this.#magnitudes()), -0.5, 0.5)
      : smooth;
    const plain = buildObjective(
      objective,
      network.see(whole(x)),
      (term) => this.#contextOf(term, (pictures) => network.see(whole(pictures)), []),
      factors,
    );
    return {
      step: [
        [this.picture, stepped],
        ...assign,
        [this.metrics, concat([written, stopped])],
        ...(views ? taken : kept),
        [this.#stopped, stopped],
      ],
      look: views ? { assign: looks } : undefined,
      blur: { assign: [[this.picture, unless(blended(clampTo(blurred, -0.5, 0.5)))]] },
      brighten: { assign: [[this.picture, unless(brighter)]] },
      denoise: { assign: [[this.picture, unless(blended(mix(x, denoised, mask)))]] },
      evaluate: {
        assign: [[this.metrics, concat([plain.metrics, this.#stopped.tensor])]],
      },
      balance: factors.length === 0 ? undefined : {
        assign: this.#factors.map((factor, i) => {
          const [others] = gradients(parts.plain, [x]) as [Tensor];
          const [own] = gradients(parts.balanced[i]!, [x]) as [Tensor];
          return [factor, balance(factor.tensor, others, own)] as const;
        }),
      },
      raw: views ? copy(raw) : raw,
      slopes,
    };
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
