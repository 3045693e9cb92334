/**
 * Some of the loop's pictures, which go through the network together: their memory, and the graphs of
 * what is done to them. A loop has one group, or several that take turns where memory is short.
 */
import type { Gpu } from "../../kernels/runtime/device.ts";
import {
  add,
  affine,
  clampTo,
  constant,
  conv2d,
  div,
  floor,
  gaussianBlur,
  gaussianKernel,
  gradients,
  meanOfSquares,
  mix,
  mul,
  type Program,
  type ProgramOptions,
  radialMask,
  roll,
  type Shape,
  sqrt,
  sub,
  type Tensor,
  tvDenoise,
  Variable,
  warp,
} from "../../ops/mod.ts";
import type { Latents } from "../objectives/distances.ts";
import { buildObjective, type Goals, metricsShape } from "../objectives/objective.ts";
import type { Optimizer } from "./optimizer.ts";
import type { Parameters } from "../parameters.ts";
import { blurRadius, NO_BLUR } from "./schedule.ts";
import { divideByFrequency, withMagnitudes } from "./spectrum.ts";
import type { Trunk } from "../trunk.ts";
import type { Window } from "./window.ts";

/** Numbers that all groups read, set before each iteration. */
export interface SharedInputs {
  readonly lr: Tensor;
  readonly lambda: Tensor;
  readonly first: Tensor;
  readonly maskNumbers: Tensor;
  readonly blurWeights: Tensor;
  readonly denoiseSettings: Tensor;
  /** The warp, where there is one. */
  readonly theta: Tensor | undefined;
  /** The circular shift, where there is one. */
  readonly shift: Tensor | undefined;
  /** What distance `adaptive` learns. */
  readonly latents: Latents | undefined;
}

/** What a group is made for. */
export interface GroupOptions {
  readonly trunk: Trunk;
  /** Of all facets. */
  readonly goals: Goals;
  readonly size: number;
  readonly parameters: Parameters;
  readonly inputs: SharedInputs;
  readonly optimizer: Optimizer;
  /** With magnitude=images: what `meanMagnitudes` says of each facet's images, [K,3,S,S]. */
  readonly magnitudes?: Float32Array | undefined;
  /** The first facet. */
  readonly first: number;
  /** How many facets. */
  readonly count: number;
}

/** What a group's programs compute, and the slopes of the summed loss along the latent numbers. */
export interface GroupGraphs {
  readonly step: Required<Pick<ProgramOptions, "assign">>;
  readonly blur: ProgramOptions;
  readonly brighten: ProgramOptions;
  readonly denoise: ProgramOptions;
  readonly evaluate: ProgramOptions;
  /** The gradient for the pictures, pixel/255. */
  readonly raw: Tensor;
  readonly slopes: readonly Tensor[];
}

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

/** The pictures of a group. Owns their memory. */
export class Group implements Disposable {
  /** Facets before it. */
  readonly first: number;
  /** pixel/255 − ½: float32 is twice as fine around zero as around one. */
  readonly picture: Variable;
  /** The last iteration's metrics. */
  readonly metrics: Variable;
  /** Its programs, once they are compiled. */
  programs!: Readonly<
    Record<"step" | "blur" | "brighten" | "denoise" | "evaluate", Program>
  >;
  /** Its canvas, if there is one. */
  window: Window | undefined;
  /** What becomes of pictures that are to have whole grey levels. */
  readonly rounded: (x: Tensor) => Tensor;
  readonly #options: GroupOptions;
  readonly #owned = new DisposableStack();
  readonly #l1Start: Variable;

  /** Nothing is allocated before it is needed. */
  constructor(gpu: Gpu, options: GroupOptions) {
    const { first, count, size, parameters } = options;
    this.first = first;
    this.#options = options;
    this.rounded = parameters.wholeLevels ? roundOff : same;
    const variable = (shape: Shape, storage?: "buffer") =>
      this.#owned.use(new Variable(gpu, shape, storage));
    this.picture = variable([count, 3, size, size]);
    this.metrics = variable(metricsShape(count), "buffer");
    this.#l1Start = variable([count, 1, 1, 1]);
  }

  /** Its pictures of [K,3,S,S]. */
  of(all: Float32Array): Float32Array {
    const { count, size } = this.#options;
    const plane = 3 * size * size;
    return all.subarray(this.first * plane, (this.first + count) * plane);
  }

  #magnitudes(): Tensor {
    const { magnitudes } = this.#options;
    if (!magnitudes) throw new Error("loop: magnitude=images needs the images' magnitudes");
    return constant(this.picture.shape, () => this.of(magnitudes));
  }

  /** Bytes of its variables. */
  get bytes(): number {
    return this.picture.bytes + this.metrics.bytes + this.#l1Start.bytes;
  }

  /** Adds all it does to the graph. */
  graphs(): GroupGraphs {
    const { trunk, goals, parameters: p, size, inputs, optimizer, first } = this.#options;
    const x = this.picture.tensor;
    const blended = p.wholeLevels ? cutOff : same;
    const { rounded } = this;
    const mask = radialMask(inputs.maskNumbers, size, size, p.maskRadius > 0);

    // Forward through the warped picture, and back.
    let seen: Tensor = x;
    if (inputs.shift) seen = roll(seen, inputs.shift);
    if (inputs.theta) seen = warp(seen, inputs.theta);
    const { latents } = inputs;
    const numbers = { ...inputs, l1Start: this.#l1Start.tensor };
    const { loss, metrics, l1Start } = buildObjective(
      trunk.observe(seen),
      goals,
      numbers,
      p,
      first,
    );
    const learned = latents ? [latents.alpha, latents.scale] : [];
    const [raw, ...slopes] = gradients(loss, [x, ...learned]) as [Tensor, ...Tensor[]];

    // The step. In normalised values gradients are std times those of pixels, and so are steps.
    const { std } = trunk.model.normalisation;
    const perChannel = (value: (s: number) => number) =>
      constant([1, 3, 1, 1], () => Float32Array.from(std, value));
    const normalised = p.gradientSpace === "normalised";
    const gradient = normalised ? mul(raw, perChannel((s) => s)) : raw;
    const { gain } = optimizer;
    const { update, assign } = optimizer.step(precondition(gradient, p));
    const scale = perChannel((s) => normalised ? gain * s : gain);
    const step = mul(mul(update, mul(scale, inputs.lr)), mask);
    const stepped = rounded(clampTo(sub(x, step), -0.5, 0.5));

    const blurred = mix(x, rounded(gaussianBlur(x, inputs.blurWeights)), mask);
    const brighter = clampTo(affine(x, 1, 5 / 255), -0.5, 0.5);
    const smooth = tvDenoise(x, inputs.denoiseSettings, p.denoiseSweeps);
    const denoised = p.magnitude === "images"
      ? clampTo(withMagnitudes(smooth, this.#magnitudes()), -0.5, 0.5)
      : smooth;
    const plain = buildObjective(trunk.observe(x), goals, numbers, p, first);
    return {
      step: {
        assign: [
          [this.picture, stepped],
          ...assign,
          [this.metrics, metrics],
          [this.#l1Start, l1Start],
        ],
      },
      blur: { assign: [[this.picture, blended(clampTo(blurred, -0.5, 0.5))]] },
      brighten: { assign: [[this.picture, brighter]] },
      denoise: { assign: [[this.picture, blended(mix(x, denoised, mask))]] },
      evaluate: { assign: [[this.metrics, plain.metrics]] },
      raw,
      slopes,
    };
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
