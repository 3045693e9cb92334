/**
 * The metrics of the last iterations, kept on the GPU: a readback costs 11 ms whatever its size, so
 * they come back some iterations at a time.
 */
import type { Gpu } from "../../kernels/runtime/device.ts";
import { sheetSize, unpackSheet } from "../../kernels/runtime/sheet.ts";
import type { Variable } from "../../ops/mod.ts";

/** Iterations between two looks at the results. */
export const READ_EVERY = 10;

/** Room for some iterations of some variables, all of them in buffers. */
export class Ring implements Disposable {
  readonly #gpu: Gpu;
  readonly #variables: readonly Variable[];
  readonly #bytes: number;
  readonly #ring: GPUBuffer;
  readonly #staging: GPUBuffer;
  /** The iterations in it. */
  #pending: number[] = [];

  /** Allocates its memory. */
  constructor(gpu: Gpu, variables: readonly Variable[]) {
    const { device } = gpu;
    this.#gpu = gpu;
    this.#variables = variables;
    this.#bytes = variables.reduce((bytes, variable) => bytes + variable.bytes, 0);
    const size = this.#bytes * READ_EVERY;
    const { COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
    this.#ring = device.createBuffer({ size, usage: COPY_DST | COPY_SRC });
    this.#staging = device.createBuffer({ size, usage: COPY_DST | MAP_READ });
  }

  /** Whether it must be read before another iteration fits in. */
  get full(): boolean {
    return this.#pending.length >= READ_EVERY;
  }

  /** Records a copy of what the variables hold after an iteration. */
  record(encoder: GPUCommandEncoder, iteration: number): void {
    let at = this.#pending.length * this.#bytes;
    for (const { sheet, bytes } of this.#variables) {
      encoder.copyBufferToBuffer(sheet.memory as GPUBuffer, 0, this.#ring, at, bytes);
      at += bytes;
    }
    this.#pending.push(iteration);
  }

  /** The iterations since the last call, each with the values of the variables. */
  async read(): Promise<{ iteration: number; values: Float32Array[] }[]> {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#ring, 0, this.#staging, 0, this.#ring.size);
    device.queue.submit([encoder.finish()]);
    await this.#staging.mapAsync(GPUMapMode.READ);
    const texels = new Float32Array(this.#staging.getMappedRange().slice(0));
    this.#staging.unmap();
    this.#gpu.check();
    let at = 0;
    return this.#pending.splice(0).map((iteration) => ({
      iteration,
      values: this.#variables.map(({ shape, bytes }) => {
        const lanes = texels.subarray(at / 4, (at += bytes) / 4);
        return unpackSheet(lanes, shape, sheetSize(shape).width);
      }),
    }));
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    this.#ring.destroy();
    this.#staging.destroy();
  }
}
