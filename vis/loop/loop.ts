/**
 * The loop: a picture for each facet, grown by gradient descent. Its programs are compiled once
 * and replayed; the pictures stay on the GPU; results come back ten iterations at a time.
 */
import type { Gpu } from "../../kernels/runtime/device.ts";
import { fitsDevice, sheetSize, unpackSheet } from "../../kernels/runtime/sheet.ts";
import { Arena } from "../../ops/compiler/arena.ts";
import { planProgram } from "../../ops/compiler/compile.ts";
import { constantBytes as planConstants } from "../../ops/compiler/constants.ts";
import {
  add,
  affine,
  compile,
  mul,
  type Program,
  type ProgramOptions,
  Random,
  type Shape,
  sub,
  type Tensor,
  Variable,
} from "../../ops/mod.ts";
import { constantBytes } from "../../ops/compiler/program.ts";
import { Group, type SharedInputs } from "./group.ts";
import { type Goals, type Metrics, readMetrics } from "../objectives/objective.ts";
import { Optimizer } from "./optimizer.ts";
import type { Parameters } from "../parameters.ts";
import {
  blurWeights,
  drawWarp,
  largestRadius,
  scheduleAt,
  type Warp,
  warpMatrix,
} from "./schedule.ts";
import type { Trunk } from "../trunk.ts";
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
  /** With magnitude=images: what `meanMagnitudes` says of each facet's images, [K,3,S,S]. */
  readonly magnitudes?: Float32Array | undefined;
  /**
   * Bytes of GPU memory that pictures may take on their way through the network, weights not counted.
   * Where all of them need more, or a tensor of all of them is larger than the device allows, they go
   * through it in groups that take turns within each step; the results are the same. Default: as
   * many as the device's limits allow.
   */
  readonly maxBytes?: number | undefined;
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

/** Bytes of GPU memory. */
export interface LoopMemory {
  /** Everything but weights: pictures and what is made of them. */
  readonly plan: number;
  /** Weights and other constants. */
  readonly constants: number;
}

/** A variable and its new value. */
type Assignment = readonly [Variable, Tensor];

/** A group's programs. */
const NAMES = ["step", "evaluate", "denoise", "blur", "brighten"] as const;

/** In which order they take memory, the largest pieces first: in buffers that is denoising's state. */
function inOrder(gpu: Gpu): readonly (typeof NAMES[number])[] {
  return gpu.storage === "texture" ? NAMES : ["denoise", ...NAMES.filter((n) => n !== "denoise")];
}

/** What a loop's programs compute. */
interface Jobs {
  readonly groups: readonly Record<typeof NAMES[number], ProgramOptions>[];
  /** What is learned from all groups together. */
  readonly learn: ProgramOptions | undefined;
  /** The pictures' gradients, where they can be read. */
  readonly gradients: readonly Tensor[];
}

/** Results one after the other. */
async function joined(
  read: readonly (() => Promise<Float32Array<ArrayBuffer>>)[],
): Promise<Float32Array<ArrayBuffer>> {
  const parts: Float32Array[] = [];
  for (const part of read) parts.push(await part());
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Facets of each of some groups, of sizes that differ by one at most. */
function split(facets: number, groups: number): number[] {
  return Array.from(
    { length: groups },
    (_, i) => Math.floor((i + 1) * facets / groups) - Math.floor(i * facets / groups),
  );
}

/** The running loop. Owns its GPU memory: give it back with `using`. */
export class Loop implements Disposable {
  readonly #gpu: Gpu;
  readonly #options: LoopOptions;
  readonly #owned = new DisposableStack();
  readonly #random: Random;
  readonly #optimizer: Optimizer;
  readonly #variables: Variable[] = [];
  readonly #lr: Variable;
  readonly #lambda: Variable;
  readonly #first: Variable;
  readonly #latents: { alpha: Variable; scale: Variable } | undefined;
  readonly #maskNumbers: Variable;
  readonly #blurWeights: Variable;
  readonly #denoiseSettings: Variable;
  readonly #theta: Variable;
  readonly #shift: Variable;
  /** What its programs share. */
  readonly #arena: Arena;
  /** The pictures. */
  readonly #groups: readonly Group[];

  #ring!: GPUBuffer;
  #staging!: GPUBuffer;
  #programs: Program[] = [];
  #learn: Program | undefined;
  #gradients: readonly Tensor[] = [];
  #iteration = 0;
  #pending: number[] = [];

  /** Nothing is allocated yet. */
  private constructor(gpu: Gpu, options: LoopOptions, sizes: readonly number[]) {
    const { trunk, goals, size, parameters: p, seed } = options;
    this.#gpu = gpu;
    this.#options = options;
    this.#random = new Random(seed);
    const variable = (shape: Shape) => {
      const made = this.#owned.use(new Variable(gpu, shape));
      this.#variables.push(made);
      return made;
    };
    this.#lr = variable([1, 1, 1, 1]);
    this.#lambda = variable([1, 1, 1, 1]);
    this.#first = variable([1, 1, 1, 1]);
    this.#maskNumbers = variable([1, 4, 1, 1]);
    this.#blurWeights = variable([1, largestRadius(p, size) + 1, 1, 1]);
    this.#denoiseSettings = variable([1, 2, 1, 1]);
    this.#theta = variable([1, 6, 1, 1]);
    this.#shift = variable([1, 2, 1, 1]);
    this.#optimizer = this.#owned.use(new Optimizer(gpu, p));
    if (p.distance === "adaptive") {
      const latent = () => variable([1, trunk.channels, 1, 1]);
      this.#latents = { alpha: latent(), scale: latent() };
    }
    this.#arena = this.#owned.use(new Arena());
    const warps = options.warpAt || p.warpShift > 0 || p.warpZoom > 0 || p.warpTurn > 0;
    const inputs: SharedInputs = {
      lr: this.#lr.tensor,
      lambda: this.#lambda.tensor,
      first: this.#first.tensor,
      maskNumbers: this.#maskNumbers.tensor,
      blurWeights: this.#blurWeights.tensor,
      denoiseSettings: this.#denoiseSettings.tensor,
      theta: warps ? this.#theta.tensor : undefined,
      shift: options.rollAt ? this.#shift.tensor : undefined,
      latents: this.#latents &&
        { alpha: this.#latents.alpha.tensor, scale: this.#latents.scale.tensor },
    };
    let first = 0;
    this.#groups = sizes.map((count) => {
      const optimizer = this.#optimizer;
      const { magnitudes } = options;
      const common = { trunk, goals, size, parameters: p, inputs, optimizer, magnitudes };
      const group = this.#owned.use(new Group(gpu, { ...common, first, count }));
      first += count;
      return group;
    });
    this.#iteration = options.done ?? 0;
  }

  /** Compiles the loop's programs. Ask for `gradient` to be able to read it after a step. */
  static async create(gpu: Gpu, options: LoopOptions & { gradient?: boolean }): Promise<Loop> {
    const { loop, jobs } = Loop.#fitting(gpu, options, options.gradient ?? false);
    try {
      await loop.#compile(jobs);
      return loop;
    } catch (error) {
      loop[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * What a loop would allocate, found out without allocating it or reading weights; the canvas of a
   * moving window is not counted.
   */
  static plan(
    gpu: Gpu,
    options: LoopOptions & { gradient?: boolean },
  ): LoopMemory & { groups: number } {
    const { loop, jobs } = Loop.#fitting(gpu, options, options.gradient ?? false);
    using planned = loop;
    const { plan, constants } = planned.#plan(jobs);
    return { plan, constants, groups: planned.groups };
  }

  /** A loop with as few groups as fit. */
  static #fitting(gpu: Gpu, options: LoopOptions, gradient: boolean): { loop: Loop; jobs: Jobs } {
    const { goals, maxBytes = Infinity } = options;
    const facets = goals.channels.length;
    for (let groups = 1;; groups++) {
      const loop = new Loop(gpu, options, split(facets, groups));
      const jobs = loop.#jobs(gradient);
      if (groups >= facets) return { loop, jobs };
      const { fits, plan } = loop.#plan(jobs);
      if (fits && plan <= maxBytes) return { loop, jobs };
      loop[Symbol.dispose]();
    }
  }

  /** The start pictures, pixel/255 − ½. */
  #start(): Float32Array<ArrayBuffer> {
    const whole = this.#options.parameters.wholeLevels;
    return Float32Array.from(this.#options.start, (v) => (whole ? Math.round(v) : v) / 255 - 0.5);
  }

  #buffer(size: number, usage: number): GPUBuffer {
    const buffer = this.#gpu.device.createBuffer({ size, usage });
    this.#owned.defer(() => buffer.destroy());
    return buffer;
  }

  /** Of one iteration, all groups. */
  get #metricsBytes(): number {
    return this.#groups.reduce((bytes, { metrics }) => bytes + metrics.bytes, 0);
  }

  /** What its programs compute, group by group. */
  #jobs(keepGradient: boolean): Jobs {
    const graphs = this.#groups.map((group) => group.graphs());
    // One group learns in its step; of several each hands in its slopes.
    const alone = this.#groups.length === 1;
    const slopes = graphs.map(({ slopes }) => slopes.map((slope) => this.#handIn(slope, alone)));
    const total = graphs[0]!.slopes.map((_, i) => slopes.map((each) => each[i]!.value).reduce(add));
    const learned = this.#learned(total);
    const groups = graphs.map(({ raw, step, ...others }, i) => {
      const handedIn = slopes[i]!.flatMap(({ assign }) => assign);
      const assign = [...step.assign, ...(alone ? learned : handedIn)];
      return { ...others, step: { assign, outputs: keepGradient ? [raw] : [] } };
    });
    return {
      groups,
      learn: alone || learned.length === 0 ? undefined : { assign: learned },
      gradients: keepGradient ? graphs.map(({ raw }) => raw) : [],
    };
  }

  /** A group's slope, where the sum over all groups is made. */
  #handIn(slope: Tensor, alone: boolean): { value: Tensor; assign: Assignment[] } {
    if (alone || !this.#learns) return { value: slope, assign: [] };
    const kept = this.#owned.use(new Variable(this.#gpu, slope.shape));
    this.#variables.push(kept);
    return { value: kept.tensor, assign: [[kept, slope]] };
  }

  /** Whether what a distance learns is kept: restarted after every step, nothing is ever learned. */
  get #learns(): boolean {
    return this.#latents !== undefined && !this.#options.parameters.optimizerRestart;
  }

  /** What distance `adaptive` learns from the slopes of the loss along its latent numbers. */
  #learned(slopes: readonly Tensor[]): Assignment[] {
    const { goals, trunk, parameters: p } = this.#options;
    if (!this.#latents || !this.#learns) return [];
    // The distance is a mean over channels and the loss a sum over pictures; each channel learns
    // from its own mean over pictures.
    const each = trunk.channels / goals.channels.length;
    return Object.values(this.#latents).flatMap((latent, i) => {
      const { update, assign } = this.#optimizer.step(affine(slopes[i]!, each));
      const step = mul(affine(update, this.#optimizer.gain * p.adaptiveLr), this.#lr.tensor);
      return [[latent, sub(latent.tensor, step)] as const, ...assign];
    });
  }

  /** Bytes of all variables. */
  get #variableBytes(): number {
    return [...this.#variables, ...this.#groups, this.#optimizer]
      .reduce((bytes, owner) => bytes + owner.bytes, 0);
  }

  /** What {@linkcode #compile} will allocate. */
  #plan({ groups, learn }: Jobs): LoopMemory & { fits: boolean } {
    const arena = new Arena();
    const programs = [
      ...groups.flatMap((group) => inOrder(this.#gpu).map((name) => group[name])),
      learn,
    ]
      .filter((options) => options !== undefined)
      .map((options) => planProgram(this.#gpu, { ...options, arena }));
    const own = programs.reduce((bytes, program) => bytes + program.own, 0);
    const constants = new Set(programs.flatMap((program) => [...program.constants]));
    const pictures = this.#groups.every(({ picture }) => fitsDevice(this.#gpu, picture.shape));
    return {
      plan: this.#variableBytes + own + arena.bytes,
      constants: planConstants(constants),
      fits: pictures && programs.every((program) => program.fits),
    };
  }

  async #compile({ groups, learn, gradients }: Jobs): Promise<void> {
    const { parameters, seed, learned } = this.#options;
    const start = this.#start();
    this.#groups.forEach((group) => group.picture.write(group.of(start)));
    if (learned) {
      this.#latents?.alpha.write(learned.alpha);
      this.#latents?.scale.write(learned.scale);
    }
    const ringBytes = this.#metricsBytes * READ_EVERY;
    this.#ring = this.#buffer(ringBytes, GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC);
    this.#staging = this.#buffer(ringBytes, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);

    const program = async (options: ProgramOptions) => {
      const made = this.#owned.use(await compile(this.#gpu, { ...options, arena: this.#arena }));
      this.#programs.push(made);
      return made;
    };
    for (const [i, group] of this.#groups.entries()) {
      const programs: Partial<Record<typeof NAMES[number], Program>> = {};
      for (const name of inOrder(this.#gpu)) programs[name] = await program(groups[i]![name]);
      group.programs = programs as Group["programs"];
    }
    this.#learn = learn && await program(learn);
    this.#gradients = gradients;
    if (parameters.scale <= 1) return;
    for (const group of this.#groups) {
      const { picture, rounded: finish } = group;
      // The same seed for all: their windows move together.
      const options = { picture, start: group.of(start), parameters, seed, finish };
      group.window = this.#owned.use(await Window.create(this.#gpu, options));
    }
  }

  /** Bytes of GPU memory it has taken. */
  get memory(): LoopMemory {
    const own = this.#programs.reduce((bytes, program) => bytes + program.ownBytes, 0);
    const windows = this.#groups.reduce((bytes, { window }) => bytes + (window?.bytes ?? 0), 0);
    return {
      plan: this.#variableBytes + this.#arena.bytes + own + windows,
      constants: constantBytes(this.#programs),
    };
  }

  /** How many groups of pictures take turns within a step; see {@linkcode LoopOptions.maxBytes}. */
  get groups(): number {
    return this.#groups.length;
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
    const windows = this.#groups.map(({ window }) => window?.advance(s.moveWindow));
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
    this.#groups.forEach(({ programs }, g) => {
      for (const program of windows[g]?.before ?? []) program.encode(pass);
      if (s.regularise) programs.blur.encode(pass);
      if (s.brighten) programs.brighten.encode(pass);
      programs.step.encode(pass);
      if (s.regularise) programs.denoise.encode(pass);
      for (const program of windows[g]?.after ?? []) program.encode(pass);
    });
    this.#learn?.encode(pass);
    pass.end();
    let at = this.#pending.length * this.#metricsBytes;
    for (const { metrics: { sheet, bytes } } of this.#groups) {
      encoder.copyBufferToBuffer(sheet.memory as GPUBuffer, 0, this.#ring, at, bytes);
      at += bytes;
    }
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
    let at = 0;
    const next = ({ metrics: { shape, bytes } }: Group): Metrics[] => {
      const lanes = texels.subarray(at / 4, (at += bytes) / 4);
      return readMetrics(unpackSheet(lanes, shape, sheetSize(shape).width));
    };
    return this.#pending.splice(0).map((iteration) => ({
      iteration,
      metrics: this.#groups.flatMap(next),
    }));
  }

  /**
   * Goes on from other pictures, as if `iteration` iterations were done. Momentum starts anew.
   *
   * @param pictures [K,3,S,S] in 0..255
   */
  resume(pictures: Float32Array, iteration: number): void {
    const values = pictures.map((v) => v / 255 - 0.5);
    this.#groups.forEach((group) => group.picture.write(group.of(values)));
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
    const all: Metrics[] = [];
    for (const { programs, metrics } of this.#groups) {
      programs.evaluate.run();
      all.push(...readMetrics(await metrics.read()));
    }
    this.#gpu.check();
    return all;
  }

  /** The pictures, [K,3,S,S] in 0..255. */
  async pictures(): Promise<Float32Array<ArrayBuffer>> {
    const pictures = await joined(this.#groups.map(({ picture }) => () => picture.read()));
    return pictures.map((v) => (v + 0.5) * 255);
  }

  /** Where the window on the canvas is, if there is one. */
  get windowOffset(): Offset | undefined {
    return this.#groups[0]!.window?.offset;
  }

  /** What distance `adaptive` has learned; nothing where nothing is learned. */
  async learned(): Promise<Learned | undefined> {
    if (!this.#latents || !this.#learns) return;
    const { alpha, scale } = this.#latents;
    return { alpha: await alpha.read(), scale: await scale.read() };
  }

  /** The raw gradient of the last step with respect to 0..1 pixels, if it was asked for. */
  async gradient(): Promise<Float32Array<ArrayBuffer>> {
    if (this.#gradients.length === 0) throw new Error("loop: create it with gradient: true");
    return await joined(
      this.#gradients.map((raw, g) => () => this.#groups[g]!.programs.step.read(raw)),
    );
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
