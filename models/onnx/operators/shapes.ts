/** Other sizes and orders, parts, and parts put together. */
import {
  add,
  affine,
  type BandMatrix,
  bandMatrix,
  concat,
  pad,
  resample,
  type Shape,
  slice,
  type Tensor,
  type Triple,
} from "../../../ops/mod.ts";
import { UserError } from "../../../base/errors.ts";
import { sizeOfDims } from "../../formats/onnx/tensor.ts";
import { type Call, separate } from "../call.ts";
import { HostArray } from "../host_array.ts";
import { View } from "../view.ts";
import { splitSizes } from "./host.ts";
import { reshapedDims, slicesOf, squeezedDims, unsqueezedDims } from "./sizes.ts";
import type { Operators } from "./table.ts";

/** A matrix that leaves an axis as it is. */
function identity(size: number): BandMatrix {
  return bandMatrix(size, size, (row) => [[row, 1]]);
}

/** A matrix applied along one axis of an array. */
export function along(view: View, dim: number, matrix: BandMatrix): View {
  const { tensor, layout, axis } = separate(view, dim, [2, 3]);
  const [, , h, w] = tensor.shape;
  const y = axis === 2
    ? resample(tensor, matrix, identity(w))
    : resample(tensor, identity(h), matrix);
  return View.of(y, view.dims.with(dim, matrix.rows.length), layout);
}

/** Elements of an axis by their places. */
function picked(view: View, dim: number, places: readonly number[]): View {
  const size = view.dims[dim]!;
  return along(view, dim, bandMatrix(size, places.length, (row) => [[places[row]!, 1]]));
}

/** Every step-th element of an axis. */
function part(view: View, dim: number, start: number, size: number, step: number): View {
  if (start === 0 && step === 1 && size === view.dims[dim]) return view;
  if (size < 1) throw new UserError(`nothing is left of axis ${dim} of [${view.dims}]`);
  if (step < 0) {
    return picked(view, dim, Array.from({ length: size }, (_, i) => start + i * step));
  }
  const { tensor, layout, axis } = separate(view, dim, [1, 2, 3]);
  const at = (value: number, others: number): Triple =>
    [1, 2, 3].map((other) => other === axis ? value : others) as unknown as Triple;
  const [, ...sizes] = tensor.shape;
  const y = slice(tensor, {
    start: at(start, 0),
    step: at(step, 1),
    size: sizes.with(axis - 1, size) as unknown as Triple,
  });
  return View.of(y, view.dims.with(dim, size), layout);
}

function joined(call: Call): View {
  const views = call.inputs.map((_, i) => call.view(i));
  const [first] = views as [View];
  const dim = call.axis(call.int("axis", 0), first.rank);
  if (
    views.some(({ dims }) =>
      dims.length !== first.rank || dims.some((size, i) => i !== dim && size !== first.dims[i])
    )
  ) {
    throw new UserError(`its inputs [${views.map(({ dims }) => dims).join("], [")}] do not fit`);
  }
  const { layout, axis } = separate(first, dim, [1, 2, 3]);
  const total = views.reduce((sum, { dims }) => sum + dims[dim]!, 0);
  const dims = first.dims.with(dim, total);
  const tensors = views.map((view) => view.at(layout));
  if (axis === 1) return View.of(concat(tensors), dims, layout);
  // Along rows and columns parts lie beside zeros, and are added.
  let start = 0;
  const wide = views.map(({ dims: own }, i): Tensor => {
    const [low, high] = [[0, 0, 0], [0, 0, 0]];
    low[axis - 1] = start;
    start += own[dim]!;
    high[axis - 1] = total - start;
    return pad(tensors[i]!, { low: low as unknown as Triple, high: high as unknown as Triple });
  });
  return View.of(wide.reduce(add), dims, layout);
}

function padded(call: Call): View {
  const view = call.view(0);
  const given = call.list(1, "pads") ?? call.ints("paddings") ?? [];
  const axes = call.has(3)
    ? [...call.known(3).numbers].map((axis) => call.axis(axis, view.rank))
    : view.dims.map((_, i) => i);
  const half = given.length / 2;
  if (half !== axes.length) throw new UserError(`${given.length} pads for ${axes.length} axes`);
  const mode = call.word("mode", "constant");
  const value = call.scalar(2, "value", 0);
  return axes.reduce((x, dim, i) => {
    const [before, after] = [given[i]!, given[i + half]!];
    if (before === 0 && after === 0) return x;
    if (before < 0 || after < 0) {
      const size = x.dims[dim]! + Math.min(0, before) + Math.min(0, after);
      const cut = part(x, dim, Math.max(0, -before), size, 1);
      return bordered(cut, dim, Math.max(0, before), Math.max(0, after), mode, value);
    }
    return bordered(x, dim, before, after, mode, value);
  }, view);
}

/** A border along one axis. */
function bordered(
  x: View,
  dim: number,
  before: number,
  after: number,
  mode: string,
  value: number,
): View {
  const size = x.dims[dim]!, total = before + size + after;
  if (mode === "constant") {
    const { tensor, layout, axis } = separate(x, dim, [1, 2, 3]);
    const at = (count: number): Triple =>
      [1, 2, 3].map((other) => other === axis ? count : 0) as unknown as Triple;
    const zeros = (t: Tensor) => pad(t, { low: at(before), high: at(after) });
    const y = value === 0 ? zeros(tensor) : affine(zeros(affine(tensor, 1, -value)), 1, value);
    return View.of(y, x.dims.with(dim, total), layout);
  }
  const place = (i: number): number => {
    if (mode === "edge") return Math.min(Math.max(i, 0), size - 1);
    if (mode === "wrap") return ((i % size) + size) % size;
    if (mode !== "reflect") throw new UserError(`the mode "${mode}" is not known`);
    const period = Math.max(1, 2 * (size - 1));
    const folded = ((i % period) + period) % period;
    return folded < size ? folded : period - folded;
  };
  return picked(x, dim, Array.from({ length: total }, (_, i) => place(i - before)));
}

function gathered(call: Call): View {
  const view = call.view(0), indices = call.known(1);
  const dim = call.axis(call.int("axis", 0), view.rank);
  const size = view.dims[dim]!;
  const places = [...indices.numbers].map((place) => place < 0 ? place + size : place);
  if (places.some((place) => !(place >= 0 && place < size))) {
    throw new UserError(`indices ${places} of an axis of ${size}`);
  }
  const step = places.length > 1 ? places[1]! - places[0]! : 1;
  const even = step > 0 && places.every((place, i) => place === places[0]! + i * step);
  const found = even ? part(view, dim, places[0]!, places.length, step) : picked(view, dim, places);
  const { dims } = view;
  return found.reshaped([...dims.slice(0, dim), ...indices.dims, ...dims.slice(dim + 1)]);
}

/** The longest axis that is made of tiles. */
const MOST_TILED = 2 ** 20;

function tiled(call: Call): View {
  const repeats = [...call.known(1).numbers];
  return repeats.reduce((x, count, dim) => {
    if (count === 1) return x;
    const size = x.dims[dim]!;
    if (!(size * count <= MOST_TILED)) throw new UserError(`${size} elements ${count} times`);
    return picked(x, dim, Array.from({ length: size * count }, (_, i) => i % size));
  }, call.view(0));
}

function depthToSpace(call: Call): View {
  const x = call.view(0);
  const [n, c, h, w] = x.dims as unknown as Shape;
  const b = call.int("blocksize", 1);
  if (c % (b * b)) throw new UserError(`${c} channels in blocks of ${b}x${b}`);
  const deep = c / (b * b);
  const apart = call.word("mode", "DCR") === "DCR"
    ? x.reshaped([n, b, b, deep, h, w]).transposed([0, 3, 4, 1, 5, 2])
    : x.reshaped([n, deep, b, b, h, w]).transposed([0, 1, 4, 2, 5, 3]);
  return apart.reshaped([n, deep, h * b, w * b]);
}

function spaceToDepth(call: Call): View {
  const x = call.view(0);
  const [n, c, h, w] = x.dims as unknown as Shape;
  const b = call.int("blocksize", 1);
  if (h % b || w % b) throw new UserError(`${h}x${w} pixels in blocks of ${b}x${b}`);
  return x.reshaped([n, c, h / b, b, w / b, b]).transposed([0, 3, 5, 1, 2, 4])
    .reshaped([n, c * b * b, h / b, w / b]);
}

/** Parts of no elements are nothing. */
function split(call: Call): (View | undefined)[] {
  const view = call.view(0);
  const dim = call.axis(call.int("axis", 0), view.rank);
  let start = 0;
  return splitSizes(call, view.dims[dim]!).map((size) => {
    const found = size > 0 ? part(view, dim, start, size, 1) : undefined;
    start += size;
    return found;
  });
}

function sizes(call: Call, dims: readonly number[]): HostArray {
  const from = call.int("start", 0), to = call.int("end", dims.length);
  const cut = dims.slice(from, to);
  return HostArray.of([cut.length], true, cut);
}

/** The operators. */
export const SHAPES: Operators = {
  Concat: joined,
  DepthToSpace: depthToSpace,
  Flatten: (call) => {
    const x = call.view(0);
    const axis = call.int("axis", 1);
    const at = axis < 0 ? axis + x.rank : axis;
    return x.reshaped([sizeOfDims(x.dims.slice(0, at)), sizeOfDims(x.dims.slice(at))]);
  },
  Gather: gathered,
  Pad: padded,
  Reshape: (call) => {
    const x = call.view(0);
    return x.reshaped(reshapedDims(call, x.dims));
  },
  Shape: (call) => sizes(call, call.value(0).dims),
  Size: (call) => HostArray.of([], true, [sizeOfDims(call.value(0).dims)]),
  Slice: (call) =>
    slicesOf(call, call.view(0).dims).reduce(
      (x, { start, size, step }, dim) => part(x, dim, start, size, step),
      call.view(0),
    ),
  SpaceToDepth: spaceToDepth,
  Split: split,
  Squeeze: (call) => {
    const x = call.view(0);
    return x.reshaped(squeezedDims(call, x.dims));
  },
  Tile: tiled,
  Transpose: (call) => {
    const x = call.view(0);
    return x.transposed(call.ints("perm") ?? x.dims.map((_, i) => x.rank - 1 - i));
  },
  Unsqueeze: (call) => {
    const x = call.view(0);
    return x.reshaped(unsqueezedDims(call, x.dims));
  },
};
