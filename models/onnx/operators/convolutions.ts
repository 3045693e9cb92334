/** Convolutions and what is a convolution in disguise: products with weights. */
import {
  add,
  affine,
  conv2d,
  convTranspose2d,
  linear,
  mul,
  type Pair,
  type Shape,
  sum,
  type Tensor,
} from "../../../ops/mod.ts";
import { UserError } from "../../../base/errors.ts";
import { align, type Call, separate } from "../call.ts";
import { HostArray } from "../host_array.ts";
import { type Layout, View } from "../view.ts";
import type { Operators } from "./table.ts";
import { pads, spatial } from "./windows.ts";

/** Rows and columns of a kernel [O,I,kh,kw]; of [O,I,k] one of the two. */
function kernelOf(dims: readonly number[]): Pair {
  const [, , rows, columns = 1] = dims;
  return [rows!, columns];
}

function convolution(call: Call): View {
  const x = spatial(call, 0);
  const { dims } = call.value(1);
  if (dims.length !== x.rank) {
    throw new UserError(`its weights [${dims}] do not fit its input [${x.dims}]`);
  }
  const kernel = kernelOf(dims);
  const stride = pair(call.ints("strides"), 1), dilation = pair(call.ints("dilations"), 1);
  const [begin, end] = pads(call, x, kernel, stride, dilation);
  const weight = call.weights(1, [dims[0]!, dims[1]!, ...kernel]);
  const bias = call.has(2) ? call.perChannel(2, dims[0]!) : undefined;
  const equal = begin[0] === end[0] && begin[1] === end[1];
  const y = conv2d(x.usual, weight, bias, {
    stride,
    padding: begin,
    ...(equal ? {} : { paddingEnd: end }),
    dilation,
    groups: call.int("group", 1),
  });
  return View.of(y, y.shape.slice(0, x.rank));
}

function transposed(call: Call): View {
  const x = spatial(call, 0);
  const { dims } = call.value(1);
  const kernel = kernelOf(dims);
  const stride = pair(call.ints("strides"), 1), dilation = pair(call.ints("dilations"), 1);
  const groups = call.int("group", 1);
  let outputPadding = pair(call.ints("output_padding"), 0);
  const [, , height = 1, width = 1] = x.dims;
  const wanted = call.ints("output_shape")?.slice(-(x.rank - 2));
  const auto = call.word("auto_pad", "NOTSET");
  let [begin, end] = pads(call, undefined, kernel, stride, dilation);
  if (wanted || auto.startsWith("SAME")) {
    const size = wanted ? pair(wanted, 1) : [height * stride[0], width * stride[1]];
    // As many as are too many are cut off, half of them in front.
    const cut = ([0, 1] as const).map((axis) => {
      const own = [height, width][axis]!;
      const full = (own - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 +
        outputPadding[axis];
      return full - size[axis]!;
    });
    outputPadding = outputPadding.map((more, axis) =>
      more - Math.min(0, cut[axis]!)
    ) as unknown as Pair;
    const half = cut.map((more) => Math.max(0, more));
    const first = half.map((more) => auto === "SAME_UPPER" ? more >> 1 : more - (more >> 1));
    begin = first as unknown as Pair;
    end = half.map((more, axis) => more - first[axis]!) as unknown as Pair;
  }
  const weight = call.weights(1, [dims[0]!, dims[1]!, ...kernel]);
  const bias = call.has(2) ? call.perChannel(2, dims[1]! * groups) : undefined;
  const y = convTranspose2d(x.usual, weight, bias, {
    ...{ stride, dilation, groups, outputPadding },
    padding: begin,
    paddingEnd: end,
  });
  return View.of(y, y.shape.slice(0, x.rank));
}

/** Two numbers, of which a network over lines gives only one. */
function pair(given: readonly number[] | undefined, otherwise: number): Pair {
  const [y = otherwise, x = given?.length === 1 ? (otherwise === 0 ? 0 : 1) : otherwise] = given ??
    [];
  return [y, x];
}

/**
 * x·W over the last axis of x, for weights [O,I] as tensors keep them: where that axis is made of
 * whole maps, a convolution with one window as large as they are.
 *
 * @param weightOf The weights in a shape of as many elements.
 */
function product(
  x: View,
  inputs: number,
  outputs: number,
  weightOf: (shape: Shape) => Tensor,
  bias: Tensor | undefined,
): View {
  const last = x.rank - 1;
  if (x.dims[last] !== inputs) {
    throw new UserError(`its input [${x.dims}] does not fit weights for ${inputs}`);
  }
  const dims = x.dims.with(last, outputs);
  const map = x.tensor.shape;
  if (x.rank === 2 && map[1] * map[2] * map[3] === inputs && map[0] === x.dims[0]) {
    const flat = x.reshaped([map[0], map[1], map[2], map[3]]);
    const inPlace = flat.at([[0], [1], [2], [3]]);
    const y = map[2] === 1 && map[3] === 1
      ? linear(inPlace, weightOf([outputs, inputs, 1, 1]), bias)
      : conv2d(inPlace, weightOf([outputs, map[1], map[2], map[3]]), bias);
    return View.of(y, dims);
  }
  const { tensor, layout } = separate(x, last, [1]);
  return View.of(conv2d(tensor, weightOf([outputs, inputs, 1, 1]), bias), dims, layout);
}

function gemm(call: Call): View {
  const alpha = call.float("alpha", 1), beta = call.float("beta", 1);
  const a = call.int("transA", 0) ? call.view(0).transposed([1, 0]) : call.view(0);
  const b = call.value(1);
  const inOrder = call.int("transB", 0) !== 0;
  if (a.rank !== 2 || b.dims.length !== 2) {
    throw new UserError(`its inputs [${a.dims}] and [${b.dims}] are no matrices`);
  }
  const [outputs, inputs] = inOrder ? [b.dims[0]!, b.dims[1]!] : [b.dims[1]!, b.dims[0]!];
  const weightOf = weightsOf(call, 1, inOrder);
  const c = call.inputs[2];
  const perOutput = c instanceof HostArray && c.size === outputs &&
    (c.dims.at(-1) ?? 1) === outputs && alpha === 1 && beta === 1;
  const y = product(
    a,
    inputs,
    outputs,
    weightOf,
    perOutput ? call.perChannel(2, outputs) : undefined,
  );
  const scaled = alpha === 1 ? y : View.of(affine(y.usual, alpha), y.dims);
  if (!c || perOutput) return scaled;
  const { tensors: [sum, more], wrap } = align([scaled, c]);
  return wrap(add(sum!, beta === 1 ? more! : affine(more!, beta)));
}

/** The weights of a product: of [O,I] in order, of [I,O] transposed. */
function weightsOf(call: Call, index: number, inOrder: boolean) {
  return (shape: Shape): Tensor => {
    if (inOrder) return call.weights(index, shape);
    if (call.value(index) instanceof HostArray) return call.transposedWeights(index, shape);
    return call.view(index).transposed([1, 0]).reshaped(shape).usual;
  };
}

function matMul(call: Call): View {
  const a = call.value(0), b = call.value(1);
  if (b instanceof HostArray && b.dims.length === 2) {
    const x = call.view(0);
    if (x.rank === 1) {
      return matMulOf(x.reshaped([1, ...x.dims]), call, b).reshaped([b.dims[1]!]);
    }
    return matMulOf(x, call, b);
  }
  const [left, right] = [call.view(0), call.view(1)];
  if (left.rank < 2 || right.rank < 2) {
    throw new UserError(`a product of [${a.dims}] and [${b.dims}]`);
  }
  return batched(left, right);
}

function matMulOf(x: View, call: Call, { dims: [inputs, outputs] }: HostArray): View {
  return product(x, inputs!, outputs!, weightsOf(call, 1, false), undefined);
}

/** A·B of two arrays that depend on the picture: [..,I,K]·[..,K,J], as a sum over K. */
function batched(a: View, b: View): View {
  const outer = (view: View) => view.dims.slice(0, -2);
  const batch = outer(a).length >= outer(b).length ? outer(a) : outer(b);
  const count = (dims: readonly number[]) => dims.reduce((x, y) => x * y, 1);
  const [rows, inner] = a.dims.slice(-2), [again, columns] = b.dims.slice(-2);
  const fits = [outer(a), outer(b)].every((own) => count(own) === 1 || `${own}` === `${batch}`);
  if (inner !== again || !fits) {
    throw new UserError(`[${a.dims}] cannot be multiplied with [${b.dims}]`);
  }
  // [batch, K, I, 1] · [batch, K, 1, J], summed over K
  const left = a.reshaped([count(outer(a)), rows!, inner!]).transposed([0, 2, 1]);
  const right = b.reshaped([count(outer(b)), inner!, columns!]);
  const layoutA: Layout = [[0], [1], [2], []], layoutB: Layout = [[0], [1], [], [2]];
  const products = mul(left.at(layoutA), right.at(layoutB));
  const y = sum(products, [1]);
  return View.of(y, [count(batch), rows!, columns!], [[0], [], [1], [2]])
    .reshaped([...batch, rows!, columns!]);
}

/** The operators. */
export const CONVOLUTIONS: Operators = {
  Conv: convolution,
  ConvTranspose: transposed,
  Gemm: gemm,
  MatMul: matMul,
};
