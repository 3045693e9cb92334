/** What operators make of sizes, wherever the elements live. */
import { UserError } from "../../../base/errors.ts";
import { sizeOfDims } from "../../formats/onnx/tensor.ts";
import type { Call } from "../call.ts";

/** The new sizes of a Reshape: 0 keeps one, −1 is what is left. */
export function reshapedDims(call: Call, dims: readonly number[]): number[] {
  const target = [...(call.list(1, "shape") ?? [])];
  const allowZero = call.int("allowzero", 0) !== 0;
  const sizes = target.map((size, axis) => size === 0 && !allowZero ? dims[axis] ?? NaN : size);
  // A graph for one picture at a time says so in its sizes; here there may be several.
  const { declared, actual } = call.around.batch;
  const fixed = declared !== undefined && declared !== actual && dims[0] === actual;
  if (fixed && sizes.length > 0 && sizes[0] === declared) sizes[0] = actual;
  const free = sizes.indexOf(-1);
  const total = sizeOfDims(dims);
  if (free >= 0) sizes[free] = total / -sizeOfDims(sizes);
  if (sizes.some((size) => !Number.isInteger(size) || size < 0) || sizeOfDims(sizes) !== total) {
    throw new UserError(`[${dims}] cannot be reshaped to [${target}]`);
  }
  return sizes;
}

/** The sizes without some that are 1. */
export function squeezedDims(call: Call, dims: readonly number[]): number[] {
  const axes = call.list(1, "axes")?.map((axis) => call.axis(axis, dims.length));
  const gone = (size: number, axis: number) => axes ? axes.includes(axis) : size === 1;
  if (axes?.some((axis) => dims[axis] !== 1)) {
    // With several pictures where the graph was made for one, that axis has to stay.
    throw new UserError(`[${dims}] cannot be squeezed along ${axes}`);
  }
  return dims.filter((size, axis) => !gone(size, axis));
}

/** The sizes with some more that are 1. */
export function unsqueezedDims(call: Call, dims: readonly number[]): number[] {
  const given = call.list(1, "axes") ?? [];
  const rank = dims.length + given.length;
  const axes = given.map((axis) => call.axis(axis, rank));
  if (new Set(axes).size !== axes.length) {
    throw new UserError(`the axes ${given} are not different`);
  }
  const rest = [...dims];
  return Array.from({ length: rank }, (_, axis) => axes.includes(axis) ? 1 : rest.shift()!);
}

/** What is taken along an axis. */
export interface AxisSlice {
  /** The first element. */
  readonly start: number;
  /** How many. */
  readonly size: number;
  /** How far apart. */
  readonly step: number;
}

/** What a Slice takes along each axis. */
export function slicesOf(call: Call, dims: readonly number[]): AxisSlice[] {
  const starts = call.list(1, "starts") ?? [], ends = call.list(2, "ends") ?? [];
  const axes = call.list(3, "axes") ?? starts.map((_, i) => i);
  const steps = call.has(4) ? [...call.known(4).numbers] : starts.map(() => 1);
  const slices = dims.map((size): AxisSlice => ({ start: 0, size, step: 1 }));
  axes.forEach((given, i) => {
    const axis = call.axis(given, dims.length);
    const length = dims[axis]!, step = steps[i]!;
    if (step === 0) throw new UserError("a slice in steps of 0");
    const counted = (at: number) => at < 0 ? at + length : at;
    const clamp = (at: number, low: number, high: number) => Math.min(Math.max(at, low), high);
    const start = step > 0
      ? clamp(counted(starts[i]!), 0, length)
      : clamp(counted(starts[i]!), 0, length - 1);
    const end = step > 0
      ? clamp(counted(ends[i]!), 0, length)
      : clamp(counted(ends[i]!), -1, length);
    slices[axis] = { start, size: Math.max(0, Math.ceil((end - start) / step)), step };
  });
  return slices;
}
