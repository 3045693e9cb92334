/** Numbers of an ONNX graph that are known before any picture is seen. */
import { type Numbers, sizeOfDims } from "../formats/onnx/tensor.ts";

/** Arrays of at most so many numbers are kept once they were loaded. */
const SMALL = 2 ** 14;

/**
 * An array whose sizes are known; its numbers are read or computed when they are asked for, because
 * most are weights and belong on the device only.
 */
export class HostArray {
  readonly #load: () => Numbers;
  #kept: Numbers | undefined;

  /** @param load Gives as many numbers as the sizes say, another array every time. */
  constructor(
    /** The sizes, `[]` for a single number. */
    readonly dims: readonly number[],
    /** Whole numbers or truths, as float64; else float32. */
    readonly whole: boolean,
    load: () => Numbers,
  ) {
    this.#load = load;
  }

  /** An array of numbers at hand. */
  static of(dims: readonly number[], whole: boolean, values: Iterable<number>): HostArray {
    const numbers = whole ? Float64Array.from(values) : Float32Array.from(values);
    return new HostArray(dims, whole, () => numbers.slice());
  }

  /** How many numbers. */
  get size(): number {
    return sizeOfDims(this.dims);
  }

  /** The numbers in C order; not to be changed. */
  get numbers(): Numbers {
    if (this.#kept) return this.#kept;
    const numbers = this.#load();
    if (numbers.length <= SMALL) this.#kept = numbers;
    return numbers;
  }

  /** The numbers as float32, an array that may be changed. */
  floats(): Float32Array<ArrayBuffer> {
    const numbers = this.#kept ?? this.#load();
    return numbers instanceof Float32Array && numbers !== this.#kept
      ? numbers
      : Float32Array.from(numbers);
  }

  /** The same numbers in other sizes. */
  reshaped(dims: readonly number[]): HostArray {
    return new HostArray(dims, this.whole, () => this.#kept?.slice() ?? this.#load());
  }
}

/** How far apart neighbours along each axis are in C order. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let axis = dims.length - 2; axis >= 0; axis--) {
    strides[axis] = strides[axis + 1]! * dims[axis + 1]!;
  }
  return strides;
}

/**
 * Goes through an array in C order of `dims`, and says where each element is in another one.
 *
 * @param strides How far apart neighbours along each axis are there, 0 where it is repeated.
 */
export function* walk(dims: readonly number[], strides: readonly number[], from = 0) {
  const index = dims.map(() => 0);
  const count = sizeOfDims(dims);
  let at = from;
  for (let i = 0; i < count; i++) {
    yield at;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < dims[axis]!) break;
      at -= strides[axis]! * dims[axis]!;
      index[axis] = 0;
    }
  }
}

/** Elements of an array picked by {@linkcode walk}, as one of other sizes. */
export function gathered(
  array: HostArray,
  dims: readonly number[],
  strides: readonly number[],
  from = 0,
): HostArray {
  return new HostArray(dims, array.whole, () => {
    const { numbers } = array;
    const picked = array.whole
      ? new Float64Array(sizeOfDims(dims))
      : new Float32Array(sizeOfDims(dims));
    let i = 0;
    for (const at of walk(dims, strides, from)) picked[i++] = numbers[at]!;
    return picked;
  });
}

/**
 * The sizes that arrays have together: aligned at the end, repeated where they are 1.
 *
 * @returns Nothing where they do not fit.
 */
export function broadcastDims(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(0, ...shapes.map((dims) => dims.length));
  const dims = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (const [i, size] of shape.entries()) {
      const axis = rank - shape.length + i;
      if (size === 1 || size === dims[axis]) continue;
      if (dims[axis] !== 1) return undefined;
      dims[axis] = size;
    }
  }
  return dims;
}

/** Strides with which an array is read when it is repeated to `dims`. */
export function repeatedStrides(own: readonly number[], dims: readonly number[]): number[] {
  const strides = stridesOf(own);
  return dims.map((_, axis) => {
    const at = axis - (dims.length - own.length);
    return at < 0 || own[at] === 1 ? 0 : strides[at]!;
  });
}
