/**
 * The loop: a picture for each facet, grown by gradient descent. Its programs are compiled once
 * and replayed; the pictures stay on the GPU; results come back ten iterations at a time.
 */
import type { Gpu } from "../kernels/device.ts";
import { sheetBytes, sheetSize, unpackSheet } from "../kernels/sheet.ts";
import {
  add,
  affine,
  clampTo,
  compile,
  constant,
  conv2d,
  div,
  floor,
  gaussianBlur,
  gaussianKernel,
  gradients,
  mean,
  mix,
  mul,
  type Program,
  type ProgramOptions,
  radialMask,
  Random,
  roll,
  type Shape,
  sqrt,
  sub,
  type Tensor,
  tvDenoise,
  Variable,
  warp,
} from "../ops/mod.ts";
import {
  buildObjective,
  type Goals,
  type Metrics,
  metricsShape,
  readMetrics,
} from "./objective.ts";
import type { Parameters } from "./parameters.ts";
import {
  blurRadius,
  blurWeights,
  drawWarp,
  largestRadius,
  NO_BLUR,
  scheduleAt,
  type Warp,
  warpMatrix,
} from "./schedule.ts";
import { Optimizer } from "./optimizer.ts";
import { divideByFrequency, withMagnitudes } from "./spectrum.ts";
import type { Trunk } from "./trunk.ts";
import { type Offset, Window } from "./window.ts";

/** Iterations between two looks at the results: a readback costs 11 ms whatever its size. */
const READ_EVERY = 10;

/** What a loop needs. */
export interface LoopOptions {
  /** The network and its layers. */
  readonly trunk: Trunk;
  /** What the pictures should come to excite. */
  readonly goals: Goals;
  /** Start pictures, [K,3,S,S] in 0..255. */
  readonly start: Float32Array;
  /** S. */
  readonly size: number;
  /** What to do. */
  readonly parameters: Parameters;
  /** Seeds the warps and the window's moves. */
  readonly seed: number;
  /** Iterations the schedule counts as done before the first (0). */
  readonly done?: number | undefined;
  /** With magnitude=images: {@linkcode meanMagnitudes} of each facet's images, [K,3,S,S]. */
  readonly magnitudes?: Float32Array | undefined;
  /** What distance `adaptive` has learned so far: {@linkcode Loop.learned}. */
  readonly learned?: Learned | undefined;
  /** The warp of iteration i instead of a random one, for tests. */
  readonly warpAt?: (i: number) => Warp;
  /** A circular shift (dx, dy) at iteration i, undone on the gradient, for tests. */
  readonly rollAt?: (i: number) => readonly [dx: number, dy: number];
}

/** The latent numbers of distance `adaptive`, one per channel. */
export interface Learned {
  /** Of the shape α. */
  readonly alpha: Float32Array;
  /** Of the scale c. */
  readonly scale: Float32Array;
}

/** One iteration's results. */
export interface IterationResult {
  /** From 1. */
  readonly iteration: number;
  /** One per facet. */
  readonly metrics: readonly Metrics[];
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
  return affine(sqrt(mean(mul(x, x), [1, 2, 3])), 1, 1e-20);
}

/** What becomes of the raw gradient before the step: colour, bands, size. */
export function precondition(gradient: Tensor, p: Parameters, mask?: Tensor): Tensor {
  let g = gradient;
  const keepMean = (v: Tensor) =>
    p.gradientMean === "remove" && mask
      ? sub(v, div(mean(mul(v, mask), [2, 3]), mean(mask, [2, 3])))
      : v;
  if (p.gradientColour) g = conv2d(g, colourMatrix());
  if (p.gradientPower > 0) g = divideByFrequency(g, p.gradientPower);
  if (p.gradientBands.length > 0) {
    const size = Math.min(g.shape[2], g.shape[3]);
    g = p.gradientBands.map((sigma) => {
      const radius = blurRadius(sigma, "three_sigma", size);
      const band = sigma <= NO_BLUR ? g : gaussianBlur(
        g,
        constant([1, radius + 1, 1, 1], () => gaussianKernel(sigma, radius)),
      );
      return div(band, rms(band));
    }).reduce(add);
  }
  g = keepMean(g);
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

/** The running loop. Owns its GPU memory: give it back with `using`. */
export class Loop implements Disposable {
  readonly #gpu: Gpu;
  readonly #options: LoopOptions;
  readonly #owned = new DisposableStack();
  readonly #random: Random;
  readonly #optimizer: Optimizer;
  readonly #shape: Shape;

  /** pixel/255 − ½: float32 is twice as fine around zero as around one. */
  readonly #picture: Variable;
  readonly #metrics: Variable;
  readonly #lr: Variable;
  readonly #lambda: Variable;
  readonly #first: Variable;
  readonly #l1Start: Variable;
  readonly #latents: { alpha: Variable; scale: Variable } | undefined;
  readonly #maskNumbers: Variable;
  readonly #blurWeights: Variable;
  readonly #denoiseSettings: Variable;
  readonly #theta: Variable;
  readonly #shift: Variable;
  readonly #ring: GPUBuffer;
  readonly #staging: GPUBuffer;

  #step!: Program;
  #blur!: Program;
  #brighten!: Program;
  #denoise!: Program;
  #evaluate!: Program;
  #window: Window | undefined;
  #gradient: Tensor | undefined;
  #iteration = 0;
  #pending: number[] = [];

  private constructor(gpu: Gpu, options: LoopOptions) {
    const { size, parameters: p, seed } = options;
    const k = options.goals.channels.length;
    this.#gpu = gpu;
    this.#options = options;
    this.#random = new Random(seed);
    this.#shape = [k, 3, size, size];
    const variable = (shape: Shape, storage?: "buffer") =>
      this.#owned.use(new Variable(gpu, shape, storage));
    this.#picture = variable(this.#shape);
    this.#metrics = variable(metricsShape(k), "buffer");
    this.#lr = variable([1, 1, 1, 1]);
    this.#lambda = variable([1, 1, 1, 1]);
    this.#first = variable([1, 1, 1, 1]);
    this.#l1Start = variable([k, 1, 1, 1]);
    this.#maskNumbers = variable([1, 4, 1, 1]);
    this.#blurWeights = variable([1, largestRadius(p, size) + 1, 1, 1]);
    this.#denoiseSettings = variable([1, 2, 1, 1]);
    this.#theta = variable([1, 6, 1, 1]);
    this.#shift = variable([1, 2, 1, 1]);
    const ringBytes = this.#metricsBytes * READ_EVERY;
    this.#ring = this.#buffer(ringBytes, GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC);
    this.#staging = this.#buffer(ringBytes, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);

    this.#optimizer = this.#owned.use(new Optimizer(gpu, p));
    if (p.distance === "adaptive") {
      const latent = (values: Float32Array | undefined) => {
        const made = variable([1, options.trunk.channels, 1, 1]);
        if (values) made.write(values);
        return made;
      };
      this.#latents = {
        alpha: latent(options.learned?.alpha),
        scale: latent(options.learned?.scale),
      };
    }
    this.#iteration = options.done ?? 0;
    this.#picture.write(this.#start());
  }

  /** The start pictures, pixel/255 − ½. */
  #start(): Float32Array<ArrayBuffer> {
    const whole = this.#options.parameters.wholeLevels;
    return Float32Array.from(this.#options.start, (v) => (whole ? Math.round(v) : v) / 255 - 0.5);
  }

  /** Compiles the loop's programs. Ask for `gradient` to be able to read it after a step. */
  static async create(gpu: Gpu, options: LoopOptions & { gradient?: boolean }): Promise<Loop> {
    const loop = new Loop(gpu, options);
    try {
      await loop.#compile(options.gradient ?? false);
      return loop;
    } catch (error) {
      loop[Symbol.dispose]();
      throw error;
    }
  }

  #buffer(size: number, usage: number): GPUBuffer {
    const buffer = this.#gpu.device.createBuffer({ size, usage });
    this.#owned.defer(() => buffer.destroy());
    return buffer;
  }

  get #metricsBytes(): number {
    return sheetBytes(this.#metrics.sheet);
  }

  async #compile(keepGradient: boolean): Promise<void> {
    const { trunk, goals, parameters: p, size, seed } = this.#options;
    const x = this.#picture.tensor;
    const blended = p.wholeLevels ? cutOff : same;
    const rounded = p.wholeLevels ? roundOff : same;
    const black = constant([1, 1, 1, 1], () => new Float32Array([-0.5]));
    const white = constant([1, 1, 1, 1], () => new Float32Array([0.5]));
    const mask = radialMask(this.#maskNumbers.tensor, size, size, p.maskRadius > 0);

    // Forward through the warped picture, and back.
    const warps = this.#options.warpAt || p.warpShift > 0 || p.warpZoom > 0 || p.warpTurn > 0;
    let seen: Tensor = x;
    if (this.#options.rollAt) seen = roll(seen, this.#shift.tensor);
    if (warps) seen = warp(seen, this.#theta.tensor);
    const latents = this.#latents &&
      { alpha: this.#latents.alpha.tensor, scale: this.#latents.scale.tensor };
    const inputs = {
      lambda: this.#lambda.tensor,
      l1Start: this.#l1Start.tensor,
      first: this.#first.tensor,
      latents,
    };
    const { loss, metrics, l1Start } = buildObjective(trunk.observe(seen), goals, inputs, p);
    const learned = latents ? [latents.alpha, latents.scale] : [];
    const [raw, ...slopes] = gradients(loss, [x, ...learned]) as [Tensor, ...Tensor[]];

    // The step. In normalised values gradients are std times those of pixels, and so are steps.
    const { std } = trunk.model.normalisation;
    const perChannel = (value: (s: number) => number) =>
      constant([1, 3, 1, 1], () => Float32Array.from(std, value));
    const normalised = p.gradientSpace === "normalised";
    const gradient = normalised ? mul(raw, perChannel((s) => s)) : raw;
    const { gain } = this.#optimizer;
    const { update, assign } = this.#optimizer.step(precondition(gradient, p, mask));
    const scale = perChannel((s) => normalised ? gain * s : gain);
    const step = mul(mul(update, mul(scale, this.#lr.tensor)), mask);
    const stepped = rounded(clampTo(sub(x, step), black, white));

    const program = async (options: ProgramOptions) =>
      this.#owned.use(await compile(this.#gpu, options));
    this.#gradient = keepGradient ? raw : undefined;
    this.#step = await program({
      outputs: keepGradient ? [raw] : [],
      assign: [
        [this.#picture, stepped],
        ...assign,
        ...this.#learn(slopes),
        [this.#metrics, metrics],
        [this.#l1Start, l1Start],
      ],
    });
    const blurred = mix(x, rounded(gaussianBlur(x, this.#blurWeights.tensor)), mask);
    const clamped = blended(clampTo(blurred, black, white));
    this.#blur = await program({ assign: [[this.#picture, clamped]] });
    const brighter = clampTo(affine(x, 1, 5 / 255), black, white);
    this.#brighten = await program({ assign: [[this.#picture, brighter]] });
    const denoised = tvDenoise(x, this.#denoiseSettings.tensor, p.denoiseSweeps);
    const finished = p.magnitude === "images"
      ? clampTo(withMagnitudes(denoised, this.#wantedMagnitudes()), black, white)
      : denoised;
    this.#denoise = await program({ assign: [[this.#picture, blended(mix(x, finished, mask))]] });
    const plain = buildObjective(trunk.observe(x), goals, inputs, p);
    this.#evaluate = await program({ assign: [[this.#metrics, plain.metrics]] });
    if (p.scale > 1) {
      const start = this.#start();
      const options = { picture: this.#picture, start, parameters: p, seed, finish: rounded };
      this.#window = this.#owned.use(await Window.create(this.#gpu, options));
    }
  }

  #wantedMagnitudes(): Tensor {
    const { magnitudes } = this.#options;
    if (!magnitudes) throw new Error("loop: magnitude=images needs the images' magnitudes");
    return constant(this.#shape, () => magnitudes);
  }

  /** What distance `adaptive` learns from the slopes of the loss along its latent numbers. */
  #learn(slopes: readonly Tensor[]): (readonly [Variable, Tensor])[] {
    const { goals, trunk, parameters: p } = this.#options;
    // Restarted after every step, nothing is ever learned.
    if (!this.#latents || p.optimizerRestart) return [];
    // The distance is a mean over channels and the loss a sum over pictures; each channel learns
    // from its own mean over pictures.
    const each = trunk.channels / goals.channels.length;
    return Object.values(this.#latents).flatMap((latent, i) => {
      const { update, assign } = this.#optimizer.step(affine(slopes[i]!, each));
      const step = mul(affine(update, this.#optimizer.gain * p.adaptiveLr), this.#lr.tensor);
      return [[latent, sub(latent.tensor, step)] as const, ...assign];
    });
  }

  /** Bytes of GPU memory planned for everything but weights, and for weights. */
  get memory(): { plan: number; constants: number } {
    const programs = [this.#step, this.#blur, this.#brighten, this.#denoise, this.#evaluate];
    return {
      plan: programs.reduce(
        (bytes, program) => bytes + program.planBytes,
        this.#window?.planBytes ?? 0,
      ),
      constants: programs.reduce((bytes, program) => bytes + program.constantBytes, 0),
    };
  }

  /** Iterations done, by the schedule's count. */
  get iteration(): number {
    return this.#iteration;
  }

  /**
   * Does the next iteration. Its results come with the next {@linkcode results}; call that at
   * least every ten iterations.
   */
  step(): void {
    if (this.#pending.length >= READ_EVERY) throw new Error("loop: read the results first");
    const { parameters: p, size, warpAt, rollAt } = this.#options;
    const i = ++this.#iteration;
    const s = scheduleAt(p, i, size);
    const window = this.#window?.advance(s.moveWindow);
    this.#optimizer.advance();
    this.#lr.write([s.lr]);
    this.#lambda.write([s.lambda]);
    this.#first.write([i === 1 + (this.#options.done ?? 0) ? 1 : 0]);
    this.#maskNumbers.write(s.mask);
    const drawn = warpAt?.(i) ?? drawWarp(p, size, this.#random);
    this.#theta.write(warpMatrix(drawn, size));
    if (rollAt) this.#shift.write(rollAt(i));
    if (s.regularise) {
      const channels = this.#blurWeights.shape[1];
      this.#blurWeights.write(blurWeights(p, s.sigma, size, channels));
      this.#denoiseSettings.write([s.denoiseWeight, 1e-3]);
    }

    const encoder = this.#gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const program of window?.before ?? []) program.encode(pass);
    if (s.regularise) this.#blur.encode(pass);
    if (s.brighten) this.#brighten.encode(pass);
    this.#step.encode(pass);
    if (s.regularise) this.#denoise.encode(pass);
    for (const program of window?.after ?? []) program.encode(pass);
    pass.end();
    const bytes = this.#metricsBytes;
    const metrics = this.#metrics.sheet.memory as GPUBuffer;
    encoder.copyBufferToBuffer(metrics, 0, this.#ring, this.#pending.length * bytes, bytes);
    this.#gpu.device.queue.submit([encoder.finish()]);
    this.#pending.push(i);
  }

  /** The results of the iterations since the last call. Waits for them to be finished. */
  async results(): Promise<IterationResult[]> {
    const encoder = this.#gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#ring, 0, this.#staging, 0, this.#ring.size);
    this.#gpu.device.queue.submit([encoder.finish()]);
    await this.#staging.mapAsync(GPUMapMode.READ);
    const texels = new Float32Array(this.#staging.getMappedRange().slice(0));
    this.#staging.unmap();
    this.#gpu.check();
    const lanes = this.#metricsBytes / 4;
    const shape = this.#metrics.shape;
    const unpack = (slot: number) =>
      unpackSheet(texels.subarray(slot * lanes, (slot + 1) * lanes), shape, sheetSize(shape).width);
    return this.#pending.splice(0).map((iteration, slot) => ({
      iteration,
      metrics: readMetrics(unpack(slot)),
    }));
  }

  /**
   * Goes on from other pictures, as if `iteration` iterations were done. Momentum starts anew.
   *
   * @param pictures [K,3,S,S] in 0..255
   */
  resume(pictures: Float32Array, iteration: number): void {
    this.#picture.write(pictures.map((v) => v / 255 - 0.5));
    this.#optimizer.reset();
    this.#iteration = iteration;
  }

  /** Whether it is time to read the results. */
  get full(): boolean {
    return this.#pending.length >= READ_EVERY;
  }

  /** The metrics of the pictures as they are, seen without a warp. */
  async evaluate(): Promise<Metrics[]> {
    const { parameters: p, size, done = 0 } = this.#options;
    // Before the first step as in it: the penalty's share of the start is that of these pictures.
    this.#first.write([this.#iteration === done ? 1 : 0]);
    this.#lambda.write([scheduleAt(p, Math.max(this.#iteration, done + 1), size).lambda]);
    this.#evaluate.run();
    const values = await this.#metrics.read();
    this.#gpu.check();
    return readMetrics(values);
  }

  /** The pictures, [K,3,S,S] in 0..255. */
  async pictures(): Promise<Float32Array<ArrayBuffer>> {
    return (await this.#picture.read()).map((v) => (v + 0.5) * 255);
  }

  /** Where the window on the canvas is, if there is one. */
  get windowOffset(): Offset | undefined {
    return this.#window?.offset;
  }

  /** What distance `adaptive` has learned; nothing where nothing is learned. */
  async learned(): Promise<Learned | undefined> {
    if (!this.#latents || this.#options.parameters.optimizerRestart) return;
    const { alpha, scale } = this.#latents;
    return { alpha: await alpha.read(), scale: await scale.read() };
  }

  /** The raw gradient of the last step with respect to 0..1 pixels, if it was asked for. */
  async gradient(): Promise<Float32Array<ArrayBuffer>> {
    if (!this.#gradient) throw new Error("loop: create it with gradient: true");
    return await this.#step.read(this.#gradient);
  }

  /** Runs the rest of the iterations; `onResults` gets them ten at a time. */
  async run(
    onResults?: (results: IterationResult[], loop: Loop) => void | Promise<void>,
  ): Promise<void> {
    while (this.#iteration < this.#options.parameters.iterations) {
      this.step();
      if (this.full || this.#iteration === this.#options.parameters.iterations) {
        const results = await this.results();
        await onResults?.(results, this);
      }
    }
  }

  /** Frees all GPU memory of the loop. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
