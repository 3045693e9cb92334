/**
 * The loop: pictures grown by gradient descent on one objective. Its programs are compiled once and
 * replayed; the pictures stay on the GPU; results come back ten iterations at a time.
 */
import { UserError } from "../../base/errors.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import { withinMemory } from "../../kernels/runtime/out_of_memory.ts";
import { megabytes } from "../../base/megabytes.ts";
import { constantBytes } from "../../ops/compiler/program.ts";
import {
  Arena,
  compile,
  type Program,
  type ProgramOptions,
  sizeOf,
  type Tensor,
  type Variable,
} from "../../ops/mod.ts";
import type { Viewer } from "../network.ts";
import {
  isTogether,
  type Metrics,
  metricsOf,
  namesOf,
  type Objective,
  readMetrics,
} from "../objectives/objective.ts";
import type { Parameters } from "../parameters.ts";
import { Group, type ProgramName } from "./group.ts";
import { type InputOptions, Inputs } from "./inputs.ts";
import { type Learned, Learning } from "./learning.ts";
import { Optimizer } from "./optimizer.ts";
import { inOrder, type Jobs, jobsOf, type LoopMemory, planJobs, split } from "./plan.ts";
import { Ring } from "./ring.ts";
import { scheduleAt, seenSide } from "./schedule.ts";
import { type Offset, Window } from "./window.ts";
import { concatenate } from "../../base/concatenate.ts";

/** What a loop needs. */
export interface LoopOptions extends InputOptions {
  /** The network. */
  readonly network: Viewer;
  /** What the pictures are grown for. */
  readonly objective: Objective;
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
  /** With magnitude=images: what `meanMagnitudes` says of each picture's images, [K,3,S,S]. */
  readonly magnitudes?: Float32Array | undefined;
  /**
   * Bytes of GPU memory that pictures may take on their way through the network, weights not counted.
   * Where all of them need more, or a tensor of all of them is larger than the device allows, they go
   * through it in groups that take turns within each step; the results are the same. Default: as
   * many as the device's limits allow.
   */
  readonly maxBytes?: number | undefined;
  /** What an earlier loop has come to know: {@linkcode Loop.state}. */
  readonly state?: LoopState | undefined;
  /** Whether the gradient can be read after a step (false). */
  readonly gradient?: boolean;
}

/** What one loop hands on to the next besides its pictures. */
export interface LoopState {
  /** What its objective learned. */
  readonly learned: Learned | undefined;
  /** Factors of its balanced terms, [K] each. */
  readonly factors: readonly Float32Array[];
}

/** A loop between two iterations: what {@linkcode Loop.save} gives. */
export interface Snapshot {
  /** The schedule's count of what is done. */
  readonly iteration: number;
  /** Pictures, momentum and all else that goes on, by name. */
  readonly tensors: Readonly<Record<string, Float32Array>>;
}

/** One iteration's results. */
export interface IterationResult {
  /** From 1. */
  readonly iteration: number;
  /** One per picture. */
  readonly metrics: readonly Metrics[];
  /** The pictures that are stopped: their loss or gradient was no number, and they stay as they are. */
  readonly stopped: readonly number[];
}

/** Milliseconds in which somebody who waits for a loop hears of it, if an iteration does not take longer. */
const PATIENCE = 2000;

/** Iterations at the beginning of a loop in which balanced terms are looked at. */
const BALANCED_IN = 2;

/** Results one after the other: each readback has the staging memory to itself. */
async function joined(
  read: readonly (() => Promise<Float32Array>)[],
): Promise<Float32Array<ArrayBuffer>> {
  const parts: Float32Array[] = [];
  for (const part of read) parts.push(await part());
  return concatenate(parts);
}

/**
 * Throws unless start pictures and magnitudes have the size they should.
 *
 * @throws {RangeError} saying what was expected and what came.
 */
function checkPictures({ objective, start, size, magnitudes }: LoopOptions): void {
  const pictures = namesOf(objective).length;
  const expected = pictures * 3 * size * size;
  for (const [what, values] of Object.entries({ start, magnitudes })) {
    if (values === undefined || values.length === expected) continue;
    throw new RangeError(
      `loop: expected ${expected} numbers for the ${what} of ${pictures} pictures of ${size} pixels ` +
        `[${pictures},3,${size},${size}], got ${values.length}`,
    );
  }
}

/** The running loop. Owns its GPU memory: give it back with `using`. */
export class Loop implements Disposable {
  readonly #gpu: Gpu;
  readonly #options: LoopOptions;
  readonly #owned = new DisposableStack();
  readonly #inputs: Inputs;
  readonly #optimizer: Optimizer;
  readonly #learning: Learning;
  /** What its programs share. */
  readonly #arena: Arena;
  /** The pictures. */
  readonly #groups: readonly Group[];
  readonly #jobs: Jobs;
  readonly #metrics: readonly string[];

  #ring!: Ring;
  #programs: Program[] = [];
  #learn: Program | undefined;
  #iteration = 0;

  /** Nothing is allocated yet. */
  private constructor(gpu: Gpu, options: LoopOptions, sizes: readonly number[]) {
    const { parameters, objective } = options;
    this.#gpu = gpu;
    this.#options = options;
    this.#metrics = metricsOf(objective);
    const inputs = this.#inputs = this.#owned.use(new Inputs(gpu, options));
    const optimizer = this.#optimizer = this.#owned.use(new Optimizer(gpu, parameters));
    const learning = this.#learning = this.#owned.use(
      new Learning(gpu, parameters, optimizer, inputs.lr),
    );
    this.#arena = this.#owned.use(new Arena());
    const total = sizes.reduce((a, b) => a + b, 0);
    const seen = seenSide(parameters, options.size, options.network.model.inputSize);
    let first = 0;
    this.#groups = sizes.map((count) => {
      const shared = { inputs, optimizer, learning, total };
      const group = this.#owned.use(new Group(gpu, { ...options, ...shared, seen, first, count }));
      first += count;
      return group;
    });
    this.#jobs = jobsOf(this.#groups, learning, options.gradient ?? false);
    this.#iteration = options.done ?? 0;
  }

  /**
   * Compiles the loop's programs: for groups of fewer pictures where the device has too little memory
   * left for those that its limits allow.
   *
   * @throws {RangeError} when start pictures or magnitudes are not those of the objective's pictures
   * and the size.
   * @throws {UserError} when the objective cannot be had of the network, or its pictures do not fit:
   * one by one, or together where they must be seen together.
   */
  static async create(gpu: Gpu, options: LoopOptions): Promise<Loop> {
    checkPictures(options);
    for (let { maxBytes } = options;;) {
      const loop = Loop.#fitting(gpu, { ...options, maxBytes });
      const { plan, constants } = loop.#plan();
      const compiled = await withinMemory(gpu, async () => {
        try {
          await loop.#compile();
          return loop;
        } catch (error) {
          loop[Symbol.dispose]();
          throw error;
        }
      });
      if (compiled) return compiled;
      const { size, objective } = options;
      if (loop.groups === namesOf(objective).length) {
        throw new UserError(
          `pictures of ${size} pixels, one after the other, need ${
            megabytes(plan)
          } on this device ` +
            `and ${megabytes(constants)} for weights, which is more than is left there; ` +
            "choose a smaller size or an earlier layer, or end what else uses the device",
        );
      }
      maxBytes = plan - 1;
    }
  }

  /**
   * What a loop would allocate, found out without allocating it or reading weights; the canvas of a
   * moving window is not counted.
   */
  static plan(gpu: Gpu, options: LoopOptions): LoopMemory & { groups: number } {
    using loop = Loop.#fitting(gpu, options);
    const { plan, constants } = loop.#plan();
    return { plan, constants, groups: loop.groups };
  }

  /** A loop with as few groups as fit. */
  static #fitting(gpu: Gpu, options: LoopOptions): Loop {
    const { objective, maxBytes = Infinity } = options;
    const pictures = namesOf(objective).length;
    for (let groups = 1;; groups++) {
      const loop = new Loop(gpu, options, split(pictures, groups));
      if (groups >= pictures) return loop;
      const { fits, plan } = loop.#plan();
      if (fits && plan <= maxBytes) return loop;
      loop[Symbol.dispose]();
      if (!isTogether(objective)) continue;
      throw new UserError(
        `${pictures} pictures of ${options.size} pixels that are compared with each other need ` +
          `${megabytes(plan)} at once, more than this device takes; ask for fewer or smaller ones`,
      );
    }
  }

  /** The start pictures, pixel/255 − ½. */
  #start(): Float32Array<ArrayBuffer> {
    const whole = this.#options.parameters.wholeLevels;
    return Float32Array.from(this.#options.start, (v) => (whole ? Math.round(v) : v) / 255 - 0.5);
  }

  /** Bytes of all variables. */
  get #variableBytes(): number {
    return [this.#inputs, this.#learning, ...this.#groups, this.#optimizer]
      .reduce((bytes, owner) => bytes + owner.bytes, 0);
  }

  /** What {@linkcode #compile} will allocate. */
  #plan(): LoopMemory & { fits: boolean } {
    return planJobs(this.#gpu, this.#jobs, this.#groups, this.#variableBytes);
  }

  async #compile(): Promise<void> {
    const { parameters, seed, state } = this.#options;
    const start = this.#start();
    for (const group of this.#groups) {
      group.picture.write(group.of(start));
      group.factors.forEach((factor, i) => {
        const known = state?.factors[i];
        if (known) factor.write(known.subarray(group.first, group.first + factor.shape[0]));
      });
    }
    if (state?.learned) this.#learning.write(state.learned);
    this.#ring = this.#owned.use(new Ring(this.#gpu, this.#groups.map(({ metrics }) => metrics)));

    const program = async (options: ProgramOptions) => {
      const made = this.#owned.use(await compile(this.#gpu, { ...options, arena: this.#arena }));
      this.#programs.push(made);
      return made;
    };
    for (const [i, group] of this.#groups.entries()) {
      const jobs = this.#jobs.groups[i]!;
      const look = jobs.look && await program(jobs.look);
      const programs: Partial<Record<ProgramName, Program>> = {};
      for (const name of inOrder(this.#gpu)) programs[name] = await program(jobs[name]);
      group.programs = {
        ...programs as Record<ProgramName, Program>,
        balance: jobs.balance && await program(jobs.balance),
        look,
      };
    }
    this.#learn = this.#jobs.learn && await program(this.#jobs.learn);
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
    if (this.#ring.full) throw new Error("loop: read the results first");
    const i = ++this.#iteration;
    const since = i - (this.#options.done ?? 0);
    const now = this.#inputs.write(i, since === 1);
    const windows = this.#groups.map(({ window }) => window?.advance(now.moveWindow));
    this.#optimizer.advance();

    const { views } = this.#options.parameters;
    const encoder = this.#gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.#groups.forEach(({ programs }, g) => {
      for (const program of windows[g]?.before ?? []) program.encode(pass);
      if (now.regularise) programs.blur.encode(pass);
      if (now.brighten) programs.brighten.encode(pass);
      if (since <= BALANCED_IN) programs.balance?.encode(pass);
      for (let view = 0; view < views; view++) programs.look?.encode(pass);
      programs.step.encode(pass);
      if (now.regularise) programs.denoise.encode(pass);
      for (const program of windows[g]?.after ?? []) program.encode(pass);
    });
    this.#learn?.encode(pass);
    pass.end();
    this.#ring.record(encoder, i);
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  /** A group's metrics, and which of its pictures are stopped. */
  #readRows(values: Float32Array): { metrics: Metrics[]; stopped: boolean[] } {
    const rows = readMetrics([...this.#metrics, STOPPED], values);
    return {
      metrics: rows.map(({ [STOPPED]: _, ...metrics }): Metrics => metrics),
      stopped: rows.map((row) => row[STOPPED] !== 0),
    };
  }

  /** The results of the iterations since the last call. Waits for them to be finished. */
  async results(): Promise<IterationResult[]> {
    return (await this.#ring.read()).map(({ iteration, values }) => {
      const rows = values.map((each) => this.#readRows(each));
      const stopped = rows.flatMap((each) => each.stopped);
      return {
        iteration,
        metrics: rows.flatMap(({ metrics }) => metrics),
        stopped: stopped.flatMap((is, picture) => is ? [picture] : []),
      };
    });
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

  /**
   * All it needs to go on from here; the results of iterations so far must have been read. A loop with
   * the same options that is {@linkcode restore}d from it does the same, bit by bit.
   */
  async save(): Promise<Snapshot> {
    const [first] = this.#groups as unknown as [Group];
    const tensors: Record<string, Float32Array> = {};
    for (const name of first.saved.keys()) {
      tensors[name] = await joined(
        this.#groups.map((group) => () => group.saved.get(name)!.read()),
      );
    }
    for (const [name, variable] of this.#learning.saved) tensors[name] = await variable.read();
    return { iteration: this.#iteration, tensors };
  }

  /**
   * Goes on where another loop with the same options was saved.
   *
   * @throws {UserError} when the snapshot is not of such a loop.
   */
  restore({ iteration, tensors }: Snapshot): void {
    const rowsOf = (group: Group, { shape }: Variable, values: Float32Array) => {
      // What is the same for all pictures is there once for each group.
      const each = shape[1] * shape[2] * shape[3];
      const first = shape[0] === group.count && values.length > each * shape[0] ? group.first : 0;
      return values.subarray(first * each, (first + shape[0]) * each);
    };
    const write = (name: string, variable: Variable, group?: Group) => {
      const values = tensors[name] ?? new Float32Array();
      const rows = group ? rowsOf(group, variable, values) : values;
      if (rows.length !== sizeOf(variable.shape)) {
        throw new UserError(`the state is not of this run: its "${name}" has another size`);
      }
      variable.write(rows);
    };
    const { done = 0, parameters } = this.#options;
    if (iteration < done || iteration > parameters.iterations) {
      throw new UserError(`the state is not of this run: it is of iteration ${iteration}`);
    }
    for (const group of this.#groups) {
      for (const [name, variable] of group.saved) write(name, variable, group);
    }
    for (const [name, variable] of this.#learning.saved) write(name, variable);
    for (let i = this.#iteration + 1; i <= iteration; i++) {
      const { moveWindow } = this.#inputs.skip(i);
      for (const { window } of this.#groups) window?.skip(moveWindow);
    }
    this.#optimizer.skip(iteration - done);
    this.#iteration = iteration;
  }

  /** Whether it is time to read the results. */
  get full(): boolean {
    return this.#ring.full;
  }

  /** The metrics of the pictures as they are, seen without a warp. */
  async evaluate(): Promise<Metrics[]> {
    const { parameters: p, size, done = 0 } = this.#options;
    // Before the first step as in it: the penalty's share of the start is that of these pictures.
    const { lambda } = scheduleAt(p, Math.max(this.#iteration, done + 1), size);
    this.#inputs.writeObjective({ lambda, first: this.#iteration === done });
    const all: Metrics[] = [];
    for (const { programs, metrics } of this.#groups) {
      programs.evaluate.run();
      all.push(...this.#readRows(await metrics.read()).metrics);
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

  /** What it hands on to a next loop of the same objective besides its pictures. */
  async state(): Promise<LoopState> {
    const [{ factors }] = this.#groups as unknown as [Group];
    const read: Float32Array[] = [];
    for (const i of factors.keys()) {
      read.push(await joined(this.#groups.map((group) => () => group.factors[i]!.read())));
    }
    return { learned: await this.#learning.read(), factors: read };
  }

  /** The raw gradient of the last step with respect to 0..1 pixels, if it was asked for. */
  async gradient(): Promise<Float32Array<ArrayBuffer>> {
    const { gradients } = this.#jobs;
    if (gradients.length === 0) throw new Error("loop: create it with gradient: true");
    return await joined(
      gradients.map((raw: Tensor, g) => () => this.#groups[g]!.programs.step.read(raw)),
    );
  }

  /**
   * Runs the rest of the iterations, and gives their results, ten or fewer at a time; between two of
   * these the loop may be asked for anything.
   *
   * @param options.pauseAt iterations after which results must be given at once
   * @param options.signal ends it between two iterations; what is done is given first
   */
  async *iterate(
    { pauseAt = () => false, signal }: {
      pauseAt?: ((iteration: number) => boolean) | undefined;
      signal?: AbortSignal | undefined;
    } = {},
  ): AsyncGenerator<IterationResult[], void, void> {
    const { iterations } = this.#options.parameters;
    let at = performance.now();
    // At first nobody knows how long an iteration takes.
    let most = 1;
    for (let waiting = 0; this.#iteration < iterations && !signal?.aborted;) {
      this.step();
      waiting++;
      const i = this.#iteration;
      if (waiting < most && !this.#ring.full && i !== iterations && !pauseAt(i)) continue;
      const results = await this.results();
      most = Math.max(1, Math.floor(PATIENCE * waiting / (performance.now() - at)));
      waiting = 0;
      yield results;
      at = performance.now();
    }
  }

  /** Runs the rest of the iterations; `onResults` gets their results as {@linkcode iterate} gives them. */
  async run(
    onResults?: (results: IterationResult[], loop: Loop) => void | Promise<void>,
  ): Promise<void> {
    for await (const results of this.iterate()) await onResults?.(results, this);
  }

  /** Frees all GPU memory of the loop. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** What a group's metrics call the number that says whether a picture is stopped. */
const STOPPED = "stopped";
