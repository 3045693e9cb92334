/**
 * Operators on arrays that are known beforehand: the arithmetic of sizes that exporters leave in a
 * graph, and weights that are reshaped, transposed or scaled before they are used. Numbers are
 * computed only when they are asked for.
 */
import { UserError } from "../../../base/errors.ts";
import { type Numbers, sizeOfDims } from "../../formats/onnx/tensor.ts";
import type { Call } from "../call.ts";
import {
  broadcastDims,
  gathered,
  HostArray,
  repeatedStrides,
  stridesOf,
  walk,
} from "../host_array.ts";
import { reshapedDims, slicesOf, squeezedDims, unsqueezedDims } from "./sizes.ts";

/** What a node gives whose inputs are all known. */
export type HostOperator = (call: Call) => HostArray | HostArray[];

function array(size: number, whole: boolean): Numbers {
  return whole ? new Float64Array(size) : new Float32Array(size);
}

function unary(f: (x: number) => number): HostOperator {
  return (call) => {
    const x = call.known(0);
    return new HostArray(x.dims, x.whole, () => {
      const { numbers } = x;
      return array(numbers.length, x.whole).map((_, i) => f(numbers[i]!)) as Numbers;
    });
  };
}

/** @param truth Whether the result is one, whatever the inputs are. */
function binary(f: (a: number, b: number, whole: boolean) => number, truth = false): HostOperator {
  return (call) => {
    const inputs = call.inputs.map((_, i) => call.known(i));
    return inputs.slice(1).reduce((a, b) => {
      const dims = broadcastDims([a.dims, b.dims]);
      if (!dims) throw new UserError(`its inputs [${a.dims}] and [${b.dims}] do not fit together`);
      const whole = a.whole && b.whole;
      return new HostArray(dims, whole || truth, () => {
        const [left, right] = [a.numbers, b.numbers];
        const result = array(sizeOfDims(dims), whole || truth);
        const places = walk(dims, repeatedStrides(b.dims, dims));
        let i = 0;
        for (const at of walk(dims, repeatedStrides(a.dims, dims))) {
          result[i++] = f(left[at]!, right[places.next().value!]!, whole);
        }
        return result;
      });
    }, inputs[0]!);
  };
}

/** @param step From what was reduced so far and the next number; the first is taken as it is. */
function reduced(
  step: (a: number, b: number) => number,
  finish: (a: number, count: number) => number = (a) => a,
): HostOperator {
  return (call) => {
    const x = call.known(0);
    const given = call.list(1, "axes") ?? [];
    if (given.length === 0 && call.int("noop_with_empty_axes", 0)) return x;
    const axes = (given.length > 0 ? given : x.dims.map((_, i) => i))
      .map((axis) => call.axis(axis, x.dims.length));
    const keep = call.int("keepdims", 1) !== 0;
    const kept = x.dims.map((size, axis) => axes.includes(axis) ? 1 : size);
    const dims = keep ? kept : x.dims.filter((_, axis) => !axes.includes(axis));
    return new HostArray(dims, x.whole, () => {
      const { numbers } = x;
      const result = array(sizeOfDims(kept), x.whole);
      const seen = new Uint32Array(result.length);
      let i = 0;
      for (const at of walk(x.dims, repeatedStrides(kept, x.dims))) {
        const value = numbers[i++]!;
        result[at] = seen[at]!++ === 0 ? value : step(result[at]!, value);
      }
      return result.map((value, at) => finish(value, seen[at]!)) as Numbers;
    });
  };
}

function split(call: Call): HostArray[] {
  const x = call.known(0);
  const axis = call.axis(call.int("axis", 0), x.dims.length);
  const strides = stridesOf(x.dims);
  let start = 0;
  return splitSizes(call, x.dims[axis]!).map((size) => {
    const dims = x.dims.with(axis, size);
    const part = gathered(x, dims, strides, start * strides[axis]!);
    start += size;
    return part;
  });
}

/** The sizes of the parts of an axis. */
export function splitSizes(call: Call, size: number): number[] {
  const given = call.list(1, "split");
  const count = call.int("num_outputs", call.node.outputs.length);
  const each = Math.ceil(size / count);
  const sizes = given
    ? [...given]
    : Array.from({ length: count }, (_, i) => Math.min(each, size - i * each));
  if (sizes.some((part) => part < 0) || sizes.reduce((a, b) => a + b, 0) !== size) {
    throw new UserError(`an axis of ${size} is split into ${sizes.join(" + ")}`);
  }
  return sizes;
}

function concat(call: Call): HostArray {
  const parts = call.inputs.map((_, i) => call.known(i));
  const rank = parts[0]!.dims.length;
  const axis = call.axis(call.int("axis", 0), rank);
  const size = parts.reduce((sum, { dims }) => sum + (dims[axis] ?? NaN), 0);
  const dims = parts[0]!.dims.with(axis, size);
  if (
    parts.some((p) => p.dims.length !== rank || p.dims.some((s, i) => i !== axis && s !== dims[i]))
  ) {
    throw new UserError(`its inputs [${parts.map((part) => part.dims).join("], [")}] do not fit`);
  }
  return new HostArray(dims, parts.every(({ whole }) => whole), () => {
    const result = array(sizeOfDims(dims), parts.every(({ whole }) => whole));
    const strides = stridesOf(dims);
    let start = 0;
    for (const part of parts) {
      const { numbers } = part;
      let i = 0;
      for (const at of walk(part.dims, strides, start * strides[axis]!)) result[at] = numbers[i++]!;
      start += part.dims[axis]!;
    }
    return result;
  });
}

function gather(call: Call): HostArray {
  const x = call.known(0), indices = call.known(1);
  const axis = call.axis(call.int("axis", 0), x.dims.length);
  const size = x.dims[axis]!;
  const [before, after] = [x.dims.slice(0, axis), x.dims.slice(axis + 1)];
  return new HostArray([...before, ...indices.dims, ...after], x.whole, () => {
    const [numbers, places] = [x.numbers, indices.numbers];
    const inner = sizeOfDims(after);
    const result = array(sizeOfDims(before) * places.length * inner, x.whole);
    let i = 0;
    for (let outer = 0; outer < sizeOfDims(before); outer++) {
      for (const place of places) {
        const index = place < 0 ? place + size : place;
        if (!(index >= 0 && index < size)) throw new UserError(`index ${place} of ${size}`);
        for (let k = 0; k < inner; k++) result[i++] = numbers[(outer * size + index) * inner + k]!;
      }
    }
    return result;
  });
}

function slice(call: Call): HostArray {
  const x = call.known(0);
  const strides = stridesOf(x.dims);
  const slices = slicesOf(call, x.dims);
  const from = slices.reduce((sum, { start }, axis) => sum + start * strides[axis]!, 0);
  return gathered(
    x,
    slices.map(({ size }) => size),
    slices.map(({ step }, axis) => step * strides[axis]!),
    from,
  );
}

function transpose(call: Call): HostArray {
  const x = call.known(0);
  const order = call.ints("perm") ?? x.dims.map((_, i) => x.dims.length - 1 - i);
  const strides = stridesOf(x.dims);
  return gathered(x, order.map((axis) => x.dims[axis]!), order.map((axis) => strides[axis]!));
}

function expand(call: Call): HostArray {
  const x = call.known(0);
  const dims = broadcastDims([x.dims, [...call.known(1).numbers]]);
  if (!dims) throw new UserError(`[${x.dims}] cannot be repeated to [${call.known(1).numbers}]`);
  return gathered(x, dims, repeatedStrides(x.dims, dims));
}

function range(call: Call): HostArray {
  const [start, limit, delta] = [0, 1, 2].map((i) => call.known(i).numbers[0]!) as [
    number,
    number,
    number,
  ];
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!(count <= 2 ** 20)) throw new UserError(`a range of ${count} numbers`);
  const { whole } = call.known(0);
  return HostArray.of([count], whole, Array.from({ length: count }, (_, i) => start + i * delta));
}

function constantOfShape(call: Call): HostArray {
  const dims = [...call.known(0).numbers];
  const value = call.tensorAttribute("value");
  const whole = value?.whole ?? false;
  return new HostArray(
    dims,
    whole,
    () => array(sizeOfDims(dims), whole).fill(value?.numbers[0] ?? 0) as Numbers,
  );
}

function constant(call: Call): HostArray {
  const tensor = call.tensorAttribute("value");
  if (tensor) return tensor;
  const { attributes } = call.node;
  const float = attributes.get("value_float"), floats = attributes.get("value_floats");
  const int = attributes.get("value_int"), ints = attributes.get("value_ints");
  if (float) return HostArray.of([], false, [float.f]);
  if (floats) return HostArray.of([floats.floats.length], false, floats.floats);
  if (int) return HostArray.of([], true, [int.i]);
  if (ints) return HostArray.of([ints.ints.length], true, ints.ints);
  throw new UserError("a constant that is neither a tensor nor a number");
}

/** ONNX's numbers of types that are whole: everything but floats and texts. */
const WHOLE_TYPES = [2, 3, 4, 5, 6, 7, 9, 12, 13];

function cast(call: Call, to: number): HostArray {
  const x = call.known(0);
  const whole = WHOLE_TYPES.includes(to);
  return new HostArray(x.dims, whole, () => {
    const { numbers } = x;
    const convert = to === 9 ? (v: number) => v ? 1 : 0 : whole ? Math.trunc : (v: number) => v;
    return array(numbers.length, whole).map((_, i) => convert(numbers[i]!)) as Numbers;
  });
}

function nonZero(call: Call): HostArray {
  const x = call.known(0);
  const strides = stridesOf(x.dims);
  const found = [...x.numbers.keys()].filter((i) => x.numbers[i] !== 0);
  const values = x.dims.flatMap((size, axis) =>
    found.map((i) => Math.floor(i / strides[axis]!) % size)
  );
  return HostArray.of([x.dims.length, found.length], true, values);
}

function where(call: Call): HostArray {
  const [condition, a, b] = [call.known(0), call.known(1), call.known(2)];
  const dims = broadcastDims([condition.dims, a.dims, b.dims]);
  if (!dims) throw new UserError("its inputs do not fit together");
  const whole = a.whole && b.whole;
  return new HostArray(dims, whole, () => {
    const result = array(sizeOfDims(dims), whole);
    const [places, others] = [a, b].map((each) => walk(dims, repeatedStrides(each.dims, dims)));
    let i = 0;
    for (const at of walk(dims, repeatedStrides(condition.dims, dims))) {
      const [left, right] = [places!.next().value!, others!.next().value!];
      result[i++] = condition.numbers[at] ? a.numbers[left]! : b.numbers[right]!;
    }
    return result;
  });
}

const same: HostOperator = (call) => call.known(0);
const reshapedTo = (dims: (call: Call) => number[]): HostOperator => (call) =>
  call.known(0).reshaped(dims(call));

/** The operators. */
export const HOST_OPERATORS: Readonly<Record<string, HostOperator>> = {
  Abs: unary(Math.abs),
  Add: binary((a, b) => a + b),
  And: binary((a, b) => a && b ? 1 : 0, true),
  Cast: (call) => cast(call, call.int("to", 1)),
  Ceil: unary(Math.ceil),
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Div: binary((a, b, whole) => whole ? Math.trunc(a / b) : a / b),
  Equal: binary((a, b) => a === b ? 1 : 0, true),
  Exp: unary(Math.exp),
  Expand: expand,
  Flatten: reshapedTo((call) => {
    const { dims } = call.known(0);
    const axis = call.int("axis", 1);
    const at = axis < 0 ? axis + dims.length : axis;
    return [sizeOfDims(dims.slice(0, at)), sizeOfDims(dims.slice(at))];
  }),
  Floor: unary(Math.floor),
  Gather: gather,
  Greater: binary((a, b) => a > b ? 1 : 0, true),
  GreaterOrEqual: binary((a, b) => a >= b ? 1 : 0, true),
  Identity: same,
  Less: binary((a, b) => a < b ? 1 : 0, true),
  LessOrEqual: binary((a, b) => a <= b ? 1 : 0, true),
  Log: unary(Math.log),
  Max: binary((a, b) => Math.max(a, b)),
  Min: binary((a, b) => Math.min(a, b)),
  Mod: (call) => binary((a, b) => call.int("fmod", 0) ? a % b : a - b * Math.floor(a / b))(call),
  Mul: binary((a, b) => a * b),
  Neg: unary((x) => -x),
  NonZero: nonZero,
  Not: unary((x) => x ? 0 : 1),
  Or: binary((a, b) => a || b ? 1 : 0, true),
  Pow: binary((a, b) => a ** b),
  Range: range,
  Reciprocal: unary((x) => 1 / x),
  ReduceMax: reduced(Math.max),
  ReduceMean: reduced((a, b) => a + b, (sum, count) => sum / count),
  ReduceMin: reduced(Math.min),
  ReduceProd: reduced((a, b) => a * b),
  ReduceSum: reduced((a, b) => a + b),
  Reshape: reshapedTo((call) => reshapedDims(call, call.known(0).dims)),
  Slice: slice,
  Split: split,
  Sqrt: unary(Math.sqrt),
  Squeeze: reshapedTo((call) => squeezedDims(call, call.known(0).dims)),
  Sub: binary((a, b) => a - b),
  Transpose: transpose,
  Unsqueeze: reshapedTo((call) => unsqueezedDims(call, call.known(0).dims)),
  Where: where,
};
