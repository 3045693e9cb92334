/** GPU memory that outlives a program: pictures, momentum, scheduled numbers, results. */
import type { Gpu, Storage } from "../../kernels/runtime/device.ts";
import {
  createSheet,
  destroySheet,
  packSheet,
  readSheet,
  type Sheet,
  sheetBytes,
  sheetSize,
  unpackSheet,
  writeSheet,
} from "../../kernels/runtime/sheet.ts";
import { formatShape, type Shape, sizeOf, type Tensor, variableTensor } from "./tensor.ts";

/** A tensor with memory of its own, read and written by any number of programs. */
export class Variable implements Disposable {
  /** The graph's view of it. */
  readonly tensor: Tensor<"variable">;
  readonly #gpu: Gpu;
  readonly #storage: Storage | undefined;
  #sheet: Sheet | undefined;

  /**
   * Its values are zero. Memory is allocated when it is first needed.
   *
   * @param storage Where it lives; the device's choice by default.
   */
  constructor(gpu: Gpu, readonly shape: Shape, storage?: Storage) {
    this.#gpu = gpu;
    this.#storage = storage;
    this.tensor = variableTensor(this, shape);
  }

  /** Its memory. */
  get sheet(): Sheet {
    const { width, height } = sheetSize(this.shape);
    return this.#sheet ??= createSheet(this.#gpu, width, height, this.#storage);
  }

  /** Its bytes. */
  get bytes(): number {
    return sheetBytes(sheetSize(this.shape));
  }

  /**
   * Replaces the values, given in C order.
   *
   * @throws {RangeError} when their number is not that of the shape.
   */
  write(values: Float32Array | readonly number[]): void {
    if (values.length !== sizeOf(this.shape)) {
      throw new RangeError(
        `variable ${formatShape(this.shape)}: expected ${
          sizeOf(this.shape)
        } values, got ${values.length}`,
      );
    }
    const array = values instanceof Float32Array ? values : Float32Array.from(values);
    const { width, height } = sheetSize(this.shape);
    writeSheet(this.#gpu, this.sheet, packSheet(array, this.shape), width, height);
  }

  /** The values in C order. A round trip to the GPU: 11 ms. */
  async read(): Promise<Float32Array<ArrayBuffer>> {
    const { width, height } = sheetSize(this.shape);
    const { texels, stride } = await readSheet(this.#gpu, this.sheet, width, height);
    return unpackSheet(texels, this.shape, stride);
  }

  /** Frees the memory. */
  [Symbol.dispose](): void {
    if (this.#sheet) destroySheet(this.#sheet);
  }
}
