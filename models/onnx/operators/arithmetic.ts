/** Arithmetic of two and more arrays, repeated where they are smaller. */
import {
  abs,
  add,
  affine,
  clampMin,
  clampTo,
  div,
  expand,
  floor,
  maximum,
  minimum,
  mul,
  multiplyAdd,
  notLess,
  pow,
  relu,
  sqrt,
  sub,
  type Tensor,
  where,
} from "../../../ops/mod.ts";
import { UserError } from "../../../base/errors.ts";
import { align, type Call, type Operator, type Value, viewOf } from "../call.ts";
import { broadcastDims, HostArray } from "../host_array.ts";
import { shapeIn, type View } from "../view.ts";
import { mapped } from "./activations.ts";
import type { Operators } from "./table.ts";

/** The number of an input that is a single one and does not widen the other. */
function numberAt(call: Call, index: number, other: View): number | undefined {
  const value = call.inputs[index];
  if (!(value instanceof HostArray) || value.size !== 1) return undefined;
  return value.dims.length <= other.rank ? value.numbers[0] : undefined;
}

/** What becomes of an array and a number, cheaper than with an array of it. */
interface WithNumber {
  /** f(x, k) */
  readonly right?: (x: Tensor, k: number) => Tensor | undefined;
  /** f(k, x) */
  readonly left?: (k: number, x: Tensor) => Tensor | undefined;
}

function binary(f: (a: Tensor, b: Tensor) => Tensor, { right, left }: WithNumber = {}): Operator {
  return (call) => {
    const [a, b] = [call.value(0), call.value(1)];
    if (right && !(a instanceof HostArray)) {
      const k = numberAt(call, 1, a);
      const known = k === undefined ? undefined : tried(a, (x) => right(x, k));
      if (known) return known;
    }
    if (left && !(b instanceof HostArray)) {
      const k = numberAt(call, 0, b);
      const known = k === undefined ? undefined : tried(b, (x) => left(k, x));
      if (known) return known;
    }
    const { tensors, wrap } = align([a, b]);
    return wrap(f(tensors[0]!, tensors[1]!));
  };
}

function tried(view: View, f: (x: Tensor) => Tensor | undefined): View | undefined {
  let known = true;
  const result = mapped(view, (x) => {
    const made = f(x);
    known = made !== undefined;
    return made ?? x;
  });
  return known ? result : undefined;
}

/** Any number of arrays, two at a time. */
function folded(f: (a: Tensor, b: Tensor) => Tensor): (call: Call) => Value {
  return (call) => {
    if (call.inputs.length === 1) return call.value(0);
    const { tensors, wrap } = align(call.inputs.map((_, i) => call.value(i)));
    return wrap(tensors.reduce(f));
  };
}

/** A value on the device. */
function viewed(value: Value): View {
  return value instanceof HostArray ? viewOf(value) : value;
}

/** xᵏ for the exponents that networks have. */
function power(x: Tensor, k: number): Tensor | undefined {
  if (k === 0) return affine(x, 0, 1);
  if (k === 0.5) return sqrt(x);
  if (k === -0.5) return div(affine(x, 0, 1), sqrt(x));
  if (k < 0) {
    const inverse = power(x, -k);
    return inverse && div(affine(x, 0, 1), inverse);
  }
  if (!Number.isInteger(k) || k > 16) return undefined;
  let result = x;
  for (const bit of k.toString(2).slice(1)) {
    result = mul(result, result);
    if (bit === "1") result = mul(result, x);
  }
  return result;
}

/** With the sign of b. */
const modulo = (a: Tensor, b: Tensor) => sub(a, mul(floor(div(a, b)), b));
/** With the sign of a. */
function remainder(a: Tensor, b: Tensor): Tensor {
  const sign = affine(notLess(a, affine(a, 0)), 2, -1);
  return mul(modulo(abs(a), abs(b)), sign);
}

/** 1 where a > b, else 0. */
const greater = (a: Tensor, b: Tensor) => affine(notLess(b, a), -1, 1);

/** The operators. */
export const ARITHMETIC: Operators = {
  Add: binary(add, { right: (x, k) => affine(x, 1, k), left: (k, x) => affine(x, 1, k) }),
  Sub: binary(sub, { right: (x, k) => affine(x, 1, -k), left: (k, x) => affine(x, -1, k) }),
  Mul: binary(mul, { right: (x, k) => affine(x, k), left: (k, x) => affine(x, k) }),
  Div: binary(div, { right: (x, k) => affine(x, 1 / k) }),
  Pow: binary(pow, { right: power }),
  Mod: (call) => binary(call.int("fmod", 0) ? remainder : modulo)(call),
  Max: (call) => {
    const k = call.inputs.length === 2 && !(call.value(0) instanceof HostArray)
      ? numberAt(call, 1, call.view(0))
      : undefined;
    if (k !== undefined) {
      return mapped(call.view(0), (x) => k === 0 ? relu(x) : clampMin(x, k));
    }
    return folded(maximum)(call);
  },
  Min: (call) => {
    const k = call.inputs.length === 2 && !(call.value(0) instanceof HostArray)
      ? numberAt(call, 1, call.view(0))
      : undefined;
    if (k !== undefined) return mapped(call.view(0), (x) => clampTo(x, -3.4028234e38, k));
    return folded(minimum)(call);
  },
  Sum: folded(add),
  Mean: (call) => mapped(viewed(folded(add)(call)), (x) => affine(x, 1 / call.inputs.length)),
  PRelu: (call) => {
    const [value, given] = [call.value(0), call.value(1)];
    // Before version 7 a list of slopes was one for each channel.
    const perChannel = given.dims.length === 1 && given.dims[0] === value.dims[1] &&
      !broadcastDims([value.dims, given.dims]);
    const wide = [given.dims[0]!, ...value.dims.slice(2).map(() => 1)];
    const { tensors: [x, slope], wrap } = align([value, perChannel ? given.reshaped(wide) : given]);
    return wrap(multiplyAdd(affine(relu(affine(x!, -1)), -1), slope!, relu(x!)));
  },
  Greater: binary(greater),
  GreaterOrEqual: binary(notLess),
  Less: binary((a, b) => greater(b, a)),
  LessOrEqual: binary((a, b) => notLess(b, a)),
  Equal: binary((a, b) => mul(notLess(a, b), notLess(b, a))),
  And: binary(mul),
  Or: binary(maximum),
  Not: (call) => mapped(call.view(0), (x) => affine(x, -1, 1)),
  Where: (call) => {
    const { tensors: [condition, a, b], wrap } = align([0, 1, 2].map((i) => call.value(i)));
    return wrap(where(condition!, a!, b!));
  },
  Expand: (call) => {
    const target = [...call.known(1).numbers];
    if (target.some((size) => !(size >= 1))) throw new UserError(`expanded to [${target}]`);
    const like = new HostArray(target, false, () => new Float32Array(0)); // only its sizes count
    const { tensors: [x], layout, dims, wrap } = align([call.value(0), like]);
    return wrap(expand(x!, shapeIn(layout, dims)));
  },
};
