/** Pooling. */
import {
  abs,
  affine,
  averagePool2d,
  constant,
  div,
  globalAveragePool,
  max,
  maxPool2d,
  mul,
  pad,
  type Pair,
  pow,
  sqrt,
  sum,
  type Tensor,
  where,
} from "../../../ops/mod.ts";
import { UserError } from "../../../base/errors.ts";
import type { Call } from "../call.ts";
import { View } from "../view.ts";
import type { Operators } from "./table.ts";
import { pads, spatial } from "./windows.ts";

/** What a pool goes over. */
interface Window {
  readonly x: View;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: Pair;
  readonly paddingEnd: Pair;
  readonly ceilMode: boolean;
}

function windowOf(call: Call): Window {
  const x = spatial(call, 0);
  const two = (given: readonly number[] | undefined): Pair => [given?.[0] ?? 1, given?.[1] ?? 1];
  const kernel = two(call.ints("kernel_shape"));
  const stride = two(call.ints("strides")), dilation = two(call.ints("dilations"));
  const [padding, paddingEnd] = pads(call, x, kernel, stride, dilation);
  const ceilMode = call.int("ceil_mode", 0) !== 0;
  return { x, kernel, stride, dilation, padding, paddingEnd, ceilMode };
}

function options({ kernel, stride, padding, paddingEnd, ceilMode }: Window) {
  const equal = padding[0] === paddingEnd[0] && padding[1] === paddingEnd[1];
  return { kernel, stride, padding, ...(equal ? {} : { paddingEnd }), ceilMode };
}

function pooled(window: Window, y: Tensor): View {
  return View.of(y, y.shape.slice(0, window.x.rank));
}

function around({ padding, paddingEnd }: Window) {
  return { low: [0, ...padding], high: [0, ...paddingEnd] } as const;
}

/** Whether windows can lie in the padding altogether. */
function isWide({ kernel, padding, paddingEnd }: Window): boolean {
  return [padding, paddingEnd].some((p) => p[0] * 2 > kernel[0] || p[1] * 2 > kernel[1]);
}

/** The same windows over a picture that has its frame. */
function unpadded(window: Window): Window {
  return { ...window, padding: [0, 0], paddingEnd: [0, 0] };
}

/** A picture with a frame of its own, for windows that could lie in it altogether. */
function framed(window: Window, x: Tensor, value: number): Tensor {
  const wide = pad(x, around(window));
  if (value === 0) return wide;
  const [, , h, w] = wide.shape;
  const [top, left] = window.padding, [bottom, right] = window.paddingEnd;
  const inside = constant([1, 1, h, w], () =>
    Float32Array.from({ length: h * w }, (_, i) => {
      const [row, column] = [Math.floor(i / w), i % w];
      return row >= top && row < h - bottom && column >= left && column < w - right ? 1 : 0;
    }));
  const c = x.shape[1];
  const frame = constant([1, c, 1, 1], () => new Float32Array(c).fill(value));
  return where(inside, wide, frame);
}

function maxPool(call: Call): [View] {
  const window = windowOf(call);
  const { x, dilation } = window;
  const wide = isWide(window);
  const plain = wide ? unpadded(window) : window;
  const from = wide ? framed(window, x.usual, -3.4028234e38) : x.usual;
  // The places of the maxima, a second output, are no picture.
  return [pooled(window, maxPool2d(from, { ...options(plain), dilation }))];
}

function averagePool(call: Call): View {
  const window = windowOf(call);
  const { x, dilation, padding, paddingEnd } = window;
  if (dilation[0] !== 1 || dilation[1] !== 1) {
    throw new UserError("averages over windows with gaps are not supported");
  }
  const countIncludePad = call.int("count_include_pad", 0) !== 0;
  const equal = padding[0] === paddingEnd[0] && padding[1] === paddingEnd[1];
  if (isWide(window) || (countIncludePad && !equal)) {
    const means = (t: Tensor) =>
      averagePool2d(framed(window, t, 0), { ...options(unpadded(window)), countIncludePad });
    const y = means(x.usual);
    // Without what is around the picture: divided by the part of each window that is inside.
    const [, , h, w] = x.usual.shape;
    const inside = constant([1, 1, h, w], () => new Float32Array(h * w).fill(1));
    return pooled(window, countIncludePad ? y : div(y, means(inside)));
  }
  return pooled(window, averagePool2d(x.usual, { ...options(window), countIncludePad }));
}

/** (Σ |x|ᵖ)^(1/p) of what `add` adds up. */
function norm(x: Tensor, p: number, add: (x: Tensor) => Tensor): Tensor {
  if (p === 1) return add(abs(x));
  if (p === 2) return sqrt(add(mul(x, x)));
  const k = constant([1, 1, 1, 1], () => Float32Array.of(p));
  const inverse = constant([1, 1, 1, 1], () => Float32Array.of(1 / p));
  return pow(add(pow(abs(x), k)), inverse);
}

function lpPool(call: Call): View {
  const window = windowOf(call);
  const { kernel } = window;
  const add = (x: Tensor) => {
    const of = { ...options(unpadded(window)), countIncludePad: true };
    const y = averagePool2d(framed(window, x, 0), of);
    return affine(y, kernel[0] * kernel[1]);
  };
  return pooled(window, norm(window.x.usual, call.int("p", 2), add));
}

/** Over whole maps; their axes stay, with one element. */
function globally(f: (x: Tensor, call: Call) => Tensor) {
  return (call: Call): View => {
    const x = spatial(call, 0);
    return View.of(f(x.usual, call), x.dims.map((size, axis) => axis < 2 ? size : 1));
  };
}

/** The operators. */
export const POOLS: Operators = {
  AveragePool: averagePool,
  GlobalAveragePool: globally(globalAveragePool),
  GlobalLpPool: globally((x, call) => norm(x, call.int("p", 2), (each) => sum(each, [2, 3]))),
  GlobalMaxPool: globally((x) => max(x, [2, 3])),
  LpPool: lpPool,
  MaxPool: maxPool,
};
