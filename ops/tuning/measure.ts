/**
 * What kernels cost. On a software adapter the seconds that count are those of this process's
 * processors, which other processes disturb least; on a GPU those between its timestamps.
 */
import { processorSeconds as counted } from "../../base/host.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";

/** Records some work into a pass. */
export type Encode = (pass: GPUComputePassEncoder) => void;

/** What work costs, in seconds. */
export interface Cost {
  /** Of the clock on the wall, from handing the work over to hearing that it is done. */
  readonly wall: number;
  /** Of this process's processors, all cores together. */
  readonly processor: number;
  /** Between the GPU's own timestamps; `undefined` on software adapters and where it has none. */
  readonly timestamps: number | undefined;
}

/** What the seconds that count are seconds of. */
export type Clock = keyof Cost;

/** Which seconds count on a device: those that measure it and not what else the machine does. */
export function clockOf(gpu: Gpu): Clock {
  if (gpu.software) return "processor";
  return gpu.device.features.has("timestamp-query") ? "timestamps" : "wall";
}

/** The seconds that count. */
export function secondsOf(gpu: Gpu, cost: Cost): number {
  return cost[clockOf(gpu)]!;
}

/** Two timestamps of the GPU, and a buffer they can be read from. */
class Timestamps implements Disposable {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#queries = device.createQuerySet({ type: "timestamp", count: 2 });
    const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    this.#resolved = device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SRC });
    this.#staging = device.createBuffer({ size: 16, usage: COPY_DST | MAP_READ });
  }

  get descriptor(): GPUComputePassDescriptor {
    return {
      timestampWrites: {
        querySet: this.#queries,
        beginningOfPassWriteIndex: 0,
        endOfPassWriteIndex: 1,
      },
    };
  }

  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#queries, 0, 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 16);
  }

  /** Seconds between the two. */
  async read(): Promise<number> {
    await this.#staging.mapAsync(GPUMapMode.READ);
    const [begin, end] = new BigUint64Array(this.#staging.getMappedRange());
    const seconds = Number(end! - begin!) / 1e9;
    this.#staging.unmap();
    return seconds;
  }

  [Symbol.dispose](): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    this.#staging.destroy();
  }
}

/** Seconds this process's processors have worked, all cores together; of the clock in a browser. */
export function processorSeconds(): number {
  return counted() ?? performance.now() / 1e3;
}

/** What it costs to do some work so many times, in one submit. */
async function costOf(
  gpu: Gpu,
  encode: Encode,
  times: number,
  timestamps?: Timestamps,
): Promise<Cost> {
  const { queue } = gpu.device;
  await queue.onSubmittedWorkDone();
  const [wall, processor] = [performance.now(), processorSeconds()];
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass(timestamps?.descriptor);
  for (let i = 0; i < times; i++) encode(pass);
  pass.end();
  timestamps?.resolve(encoder);
  queue.submit([encoder.finish()]);
  await queue.onSubmittedWorkDone();
  return {
    wall: (performance.now() - wall) / 1e3,
    processor: processorSeconds() - processor,
    timestamps: await timestamps?.read(),
  };
}

/** Does some work so many times in one submit, and waits for it. */
export async function runTimes(gpu: Gpu, encode: Encode, times: number): Promise<void> {
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let i = 0; i < times; i++) encode(pass);
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.device.queue.onSubmittedWorkDone();
}

/** Each number the lesser of two tries. */
export function leastCost(a: Cost, b: Cost): Cost {
  return {
    wall: Math.min(a.wall, b.wall),
    processor: Math.min(a.processor, b.processor),
    timestamps: b.timestamps && Math.min(a.timestamps!, b.timestamps),
  };
}

/** How long {@linkcode measure} tries. */
export interface MeasureOptions {
  /** Seconds of a try, at least (0.15). */
  enough?: number;
  /** Tries, of which the best counts (6). */
  tries?: number;
}

/** What one run of the work costs: each number the least of some tries, each long enough to measure. */
export async function measureCost(
  gpu: Gpu,
  encode: Encode,
  { enough = 0.15, tries = 6 }: MeasureOptions = {},
): Promise<Cost> {
  using stack = new DisposableStack();
  const timestamps = clockOf(gpu) === "timestamps"
    ? stack.use(new Timestamps(gpu.device))
    : undefined;
  await costOf(gpu, encode, 1, timestamps); // compiles
  let times = 1;
  let best = await costOf(gpu, encode, times, timestamps);
  for (let seconds = secondsOf(gpu, best); seconds < enough; seconds = secondsOf(gpu, best)) {
    times = Math.ceil(times * Math.min(10, 1.2 * enough / Math.max(seconds, 1e-4)));
    best = await costOf(gpu, encode, times, timestamps);
  }
  for (let i = 1; i < tries; i++) {
    best = leastCost(best, await costOf(gpu, encode, times, timestamps));
  }
  gpu.check();
  return {
    wall: best.wall / times,
    processor: best.processor / times,
    timestamps: best.timestamps && best.timestamps / times,
  };
}

/** The seconds that count of one run of the work. */
export async function measure(
  gpu: Gpu,
  encode: Encode,
  options: MeasureOptions = {},
): Promise<number> {
  return secondsOf(gpu, await measureCost(gpu, encode, options));
}
