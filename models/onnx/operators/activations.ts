/** Functions of single elements. */
import {
  abs,
  add,
  affine,
  clampMin,
  clampTo,
  div,
  erf,
  exp,
  floor,
  gelu,
  hardsigmoid,
  hardswish,
  log,
  maximum,
  minimum,
  mul,
  notLess,
  relu,
  relu6,
  sigmoid,
  softplus,
  sqrt,
  sub,
  tanh,
  type Tensor,
} from "../../../ops/mod.ts";
import { type Call, type Operator, type Value } from "../call.ts";
import { View } from "../view.ts";
import type { Operators } from "./table.ts";

/** An element function of the first input, which stays where it is. */
function each(f: (x: Tensor, call: Call) => Tensor): Operator {
  return (call) => mapped(call.view(0), (x) => f(x, call));
}

/** An element function of an array, wherever it lives. */
export function mapped(view: View, f: (x: Tensor) => Tensor): View {
  const { layout } = view;
  if (layout) return View.of(f(view.tensor), view.dims, layout);
  return View.of(f(view.usual), view.dims);
}

const positive = relu;
/** min(x, 0) */
const negative = (x: Tensor) => affine(relu(affine(x, -1)), -1);
/** eˣ − 1 for x ≤ 0; 2·tanh(x/2)/(1 − tanh(x/2)) loses nothing near 0. */
function expm1(x: Tensor): Tensor {
  const t = tanh(affine(x, 0.5));
  return div(affine(t, 2), affine(t, -1, 1));
}

function clip(x: Tensor, low: number, high: number): Tensor {
  if (low === 0 && high === 6) return relu6(x);
  if (low === 0 && high === Infinity) return relu(x);
  if (high === Infinity) return low === -Infinity ? x : clampMin(x, low);
  return clampTo(x, Math.max(low, -3.4028234e38), high);
}

/** The slope of rectifiers that let a part of what is negative through. */
function leaky(x: Tensor, slope: number): Tensor {
  return slope <= 1 ? maximum(x, affine(x, slope)) : minimum(x, affine(x, slope));
}

const clipOperator: Operator = (call) => {
  const bound = (index: number, name: string, otherwise: number) => {
    const value = call.scalar(index, name, otherwise);
    return Math.abs(value) > 3.4e38 ? Math.sign(value) * Infinity : value;
  };
  const low = bound(1, "min", -Infinity), high = bound(2, "max", Infinity);
  return mapped(call.view(0), (x) => clip(x, low, high));
};

const pass = (call: Call): Value => call.value(0);

/** The operators. */
export const ACTIVATIONS: Operators = {
  Abs: each(abs),
  Cast: pass,
  CastLike: pass,
  Celu: each((x, call) => {
    const alpha = call.float("alpha", 1);
    return add(positive(x), affine(expm1(affine(negative(x), 1 / alpha)), alpha));
  }),
  Ceil: each((x) => affine(floor(affine(x, -1)), -1)),
  Clip: clipOperator,
  Dropout: pass,
  Elu: each((x, call) => add(positive(x), affine(expm1(negative(x)), call.float("alpha", 1)))),
  Erf: each(erf),
  Exp: each(exp),
  Floor: each(floor),
  Gelu: each((x, call) => gelu(x, call.word("approximate", "none") === "tanh" ? "tanh" : "none")),
  HardSigmoid: each((x, call) => {
    const alpha = call.float("alpha", 0.2), beta = call.float("beta", 0.5);
    const usual = Math.abs(alpha - 1 / 6) < 1e-6 && beta === 0.5;
    return usual ? hardsigmoid(x) : clampTo(affine(x, alpha, beta), 0, 1);
  }),
  HardSwish: each(hardswish),
  Identity: pass,
  LeakyRelu: each((x, call) => leaky(x, call.float("alpha", 0.01))),
  Log: each(log),
  Mish: each((x) => mul(x, tanh(softplus(x)))),
  Neg: each((x) => affine(x, -1)),
  Reciprocal: each((x) => div(affine(x, 0, 1), x)),
  Relu: each(relu),
  Round: each((x) => {
    // To the even one of two that are as near.
    const below = floor(x);
    const up = sub(x, below);
    const odd = sub(below, affine(floor(affine(below, 0.5)), 2));
    const half = mul(notLess(up, affine(up, 0, 0.5)), notLess(affine(up, 0, 0.5), up));
    return add(below, sub(notLess(up, affine(up, 0, 0.5)), mul(half, affine(odd, -1, 1))));
  }),
  Selu: each((x, call) => {
    const alpha = call.float("alpha", 1.67326319217681884765625);
    const gamma = call.float("gamma", 1.05070102214813232421875);
    return affine(add(positive(x), affine(expm1(negative(x)), alpha)), gamma);
  }),
  Shrink: each((x, call) => {
    const lambda = call.float("lambd", 0.5), bias = call.float("bias", 0);
    const limit = affine(x, 0, lambda);
    const above = sub(affine(x, 0, 1), notLess(limit, x));
    const below = sub(affine(x, 0, 1), notLess(x, affine(limit, -1)));
    return add(mul(above, affine(x, 1, -bias)), mul(below, affine(x, 1, bias)));
  }),
  Sigmoid: each(sigmoid),
  Sign: each((x) => {
    const zero = affine(x, 0);
    return sub(notLess(x, zero), notLess(zero, x));
  }),
  Softplus: each(softplus),
  Softsign: each((x) => div(x, affine(abs(x), 1, 1))),
  Sqrt: each(sqrt),
  Tanh: each(tanh),
  ThresholdedRelu: each((x, call) => {
    const alpha = affine(x, 0, call.float("alpha", 1));
    return mul(x, sub(affine(x, 0, 1), notLess(alpha, x)));
  }),
};
