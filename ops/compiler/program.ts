/** Compiled graphs: traced once, replayed without allocating, compiling or tracing anything. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { Kernel } from "../../kernels/runtime/kernel.ts";
import {
  readSheet,
  type Sheet,
  sheetBytes,
  sheetSize,
  unpackSheet,
  writeSheet,
} from "../../kernels/runtime/sheet.ts";
import type { Memory, Place } from "./memory.ts";
import { formatShape, type Shape, type Tensor } from "../graph/tensor.ts";

/** A kernel with everything bound to it. */
export interface Dispatch {
  name: string;
  kernel: Kernel;
  bindings: GPUBindGroup;
  workgroups: readonly [number, number, number];
}

/** A tensor that can be read after a run. */
export interface Output {
  readonly shape: Shape;
  readonly place: Place;
}

/** A graph ready to run. Owns its memory; give it back with `using` or `[Symbol.dispose]()`. */
export class Program implements Disposable {
  readonly #gpu: Gpu;
  readonly #dispatches: readonly Dispatch[];
  readonly #outputs: ReadonlyMap<Tensor, Output>;
  readonly #memory: Memory;

  /** Use {@linkcode compile}. The program becomes the memory's owner. */
  constructor(
    gpu: Gpu,
    dispatches: readonly Dispatch[],
    outputs: ReadonlyMap<Tensor, Output>,
    memory: Memory,
  ) {
    this.#gpu = gpu;
    this.#dispatches = dispatches;
    this.#outputs = outputs;
    this.#memory = memory;
  }

  /** Device memory of everything but weights, in bytes. */
  get planBytes(): number {
    return this.#memory.planBytes;
  }

  /** What of that it shares with no other program. */
  get ownBytes(): number {
    return this.#memory.ownBytes;
  }

  /** Device memory of weights and other constants, in bytes; other programs may share it. */
  get constantBytes(): number {
    return constantBytes([this]);
  }

  /** Where those are. */
  get constants(): Set<Sheet> {
    return this.#memory.constants;
  }

  /** The kernels in order, for profiles and tests. */
  get kernelNames(): string[] {
    return this.#dispatches.map((d) => d.name);
  }

  /** Records one run. */
  encode(pass: GPUComputePassEncoder): void {
    for (const { kernel, bindings, workgroups } of this.#dispatches) {
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(...workgroups);
    }
  }

  /** Runs once. */
  run(): void {
    const encoder = this.#gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.encode(pass);
    pass.end();
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  /**
   * Reads an output back, in C order.
   *
   * @throws {RangeError} for a tensor that is not an output.
   */
  async read(tensor: Tensor): Promise<Float32Array<ArrayBuffer>> {
    const output = this.#outputs.get(tensor);
    if (!output) {
      throw new RangeError(`${tensor.op} ${formatShape(tensor.shape)} is not an output`);
    }
    const { shape, place } = output;
    const { width, height } = sheetSize(shape);
    const rows = height + place.row;
    const { texels, stride } = await readSheet(this.#gpu, place.sheet, width, rows);
    return unpackSheet(texels.subarray(place.row * stride * 4), shape, stride);
  }

  /**
   * Runs once with a timestamp around every kernel.
   *
   * @returns each dispatch's kernel and milliseconds, in order
   * @throws {Error} when the adapter has no timestamps.
   */
  async profile(): Promise<{ name: string; ms: number }[]> {
    const { device } = this.#gpu;
    if (!device.features.has("timestamp-query")) throw new Error("this adapter has no timestamps");
    const count = 2 * this.#dispatches.length;
    using queries = disposable(device.createQuerySet({ type: "timestamp", count }));
    using resolved = disposable(device.createBuffer({
      size: count * 8,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    }));
    using staging = disposable(device.createBuffer({
      size: count * 8,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    }));
    const encoder = device.createCommandEncoder();
    this.#dispatches.forEach(({ kernel, bindings, workgroups }, i) => {
      const pass = encoder.beginComputePass({
        timestampWrites: {
          querySet: queries.value,
          beginningOfPassWriteIndex: 2 * i,
          endOfPassWriteIndex: 2 * i + 1,
        },
      });
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(...workgroups);
      pass.end();
    });
    encoder.resolveQuerySet(queries.value, 0, count, resolved.value, 0);
    encoder.copyBufferToBuffer(resolved.value, 0, staging.value, 0, count * 8);
    device.queue.submit([encoder.finish()]);
    await staging.value.mapAsync(GPUMapMode.READ);
    const times = new BigUint64Array(staging.value.getMappedRange());
    return this.#dispatches.map(({ name }, i) => ({
      name,
      ms: Number(times[2 * i + 1]! - times[2 * i]!) / 1e6,
    }));
  }

  /** Fills all planned memory with NaN, so that a test sees whatever a kernel leaves unwritten. */
  poison(): void {
    for (const sheet of this.#memory.planned) {
      const texels = new Float32Array(sheet.width * sheet.height * 4).fill(NaN);
      writeSheet(this.#gpu, sheet, texels, sheet.width, sheet.height);
    }
  }

  /** Frees everything the program owns. Variables stay. */
  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}

/** Device memory of the constants of some programs, in bytes; what they share counts once. */
export function constantBytes(programs: readonly Program[]): number {
  const sheets = new Set(programs.flatMap(({ constants }) => [...constants]));
  return [...sheets].reduce((bytes, sheet) => bytes + sheetBytes(sheet), 0);
}

function disposable<T extends { destroy(): void }>(value: T): { value: T } & Disposable {
  return { value, [Symbol.dispose]: () => value.destroy() };
}
