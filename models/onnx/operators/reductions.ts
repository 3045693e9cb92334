/** Sums, means and the like along axes, and softmax. */
import {
  abs,
  add,
  affine,
  type Axis,
  detach,
  div,
  exp,
  log,
  max,
  mean,
  mul,
  sqrt,
  sub,
  sum,
  sumOfSquares,
  type Tensor,
} from "../../../ops/mod.ts";
import { type Call, gatherAxes, type Operator } from "../call.ts";
import { View } from "../view.ts";
import { UserError } from "../../../base/errors.ts";
import type { Operators } from "./table.ts";

function reduced(f: (x: Tensor, axes: readonly Axis[]) => Tensor): Operator {
  return (call) => {
    const view = call.view(0);
    const given = call.list(1, "axes");
    if ((!given || given.length === 0) && call.int("noop_with_empty_axes", 0)) return view;
    const all = view.dims.map((_, i) => i);
    const dims = given && given.length > 0 ? given.map((axis) => call.axis(axis, view.rank)) : all;
    const { tensor, layout, axes } = gatherAxes(view, dims);
    const sizes = view.dims.map((size, axis) => dims.includes(axis) ? 1 : size);
    const y = View.of(f(tensor, axes), sizes, layout);
    if (call.int("keepdims", 1) !== 0) return y;
    return y.reshaped(view.dims.filter((_, axis) => !dims.includes(axis)));
  };
}

/** x less its largest element, and ln Σ eˣ of that rest: together ln Σ eˣ without overflow. */
function logSumExp(x: Tensor, axes: readonly Axis[]): Record<"largest" | "rest" | "log", Tensor> {
  const largest = detach(max(x, axes));
  const rest = sub(x, largest);
  return { largest, rest, log: log(sum(exp(rest), axes)) };
}

/** Over one axis; before version 13 over it and all behind it. */
function over(f: (x: Tensor, axes: readonly Axis[]) => Tensor): Operator {
  return (call: Call) => {
    const view = call.view(0);
    const first = call.axis(call.int("axis", call.opset < 13 ? 1 : -1), view.rank);
    const dims = call.opset < 13 ? view.dims.map((_, i) => i).slice(first) : [first];
    const { tensor, layout, axes } = gatherAxes(view, dims);
    return View.of(f(tensor, axes), view.dims, layout);
  };
}

/** The operators. */
export const REDUCTIONS: Operators = {
  LogSoftmax: over((x, axes) => {
    const { log, rest } = logSumExp(x, axes);
    return sub(rest, log);
  }),
  ReduceL1: reduced((x, axes) => sum(abs(x), axes)),
  ReduceL2: reduced((x, axes) => sqrt(sumOfSquares(x, axes))),
  ReduceLogSum: reduced((x, axes) => log(sum(x, axes))),
  ReduceLogSumExp: reduced((x, axes) => {
    const { largest, log } = logSumExp(x, axes);
    return add(log, largest);
  }),
  ReduceMax: reduced(max),
  ReduceMean: reduced(mean),
  ReduceMin: reduced((x, axes) => affine(max(affine(x, -1), axes), -1)),
  ReduceProd: () => {
    throw new UserError("products along an axis are not supported");
  },
  ReduceSum: reduced(sum),
  ReduceSumSquare: reduced((x, axes) => sum(mul(x, x), axes)),
  Softmax: over((x, axes) => {
    const e = exp(sub(x, detach(max(x, axes))));
    return div(e, sum(e, axes));
  }),
};
