/** A node of an ONNX graph as its operator sees it: inputs, attributes, and where they may live. */
import { constant, type Shape, type Tensor } from "../../ops/mod.ts";
import { UserError } from "../../base/errors.ts";
import type { OnnxFile } from "../formats/onnx/onnx_file.ts";
import type { AttributeProto, NodeProto } from "../formats/onnx/proto.ts";
import { isWhole } from "../formats/onnx/tensor.ts";
import { broadcastDims, gathered, HostArray, repeatedStrides } from "./host_array.ts";
import { type Layout, shapeIn, usualLayout, View } from "./view.ts";

/** What flows between nodes: numbers known beforehand, or what depends on the pictures. */
export type Value = HostArray | View;

/** What a node gives: its outputs, in order. */
export type Operator = (call: Call) => Value | readonly (Value | undefined)[];

/** What a call knows of the graph around it. */
export interface Surroundings {
  /** The file, for numbers in attributes. */
  readonly file: OnnxFile;
  /** Version of the operator set. */
  readonly opset: number;
  /** Pictures at a time: as many as the graph was made for, if it says so, and as many as there are. */
  readonly batch: { readonly declared: number | undefined; readonly actual: number };
}

/** Tensors made of arrays on the host, so that all programs share them. */
const TENSORS = new WeakMap<HostArray, Map<string, Tensor>>();

/** The tensor of an array, its numbers moved by `change`, of which `how` is the name. */
function tensorOf(
  array: HostArray,
  shape: Shape,
  how: string,
  change: (array: HostArray) => HostArray = (same) => same,
): Tensor {
  let known = TENSORS.get(array);
  if (!known) TENSORS.set(array, known = new Map());
  const key = `${how} ${shape}`;
  let tensor = known.get(key);
  if (!tensor) {
    tensor = constant(shape, () => change(array).floats(), { fresh: true });
    known.set(key, tensor);
  }
  return tensor;
}

/** The tensor of an array that is repeated to `dims`, where a layout puts them. */
function placed(array: HostArray, dims: readonly number[], layout: Layout): Tensor {
  const own = paddedDims(array.dims, dims.length);
  const sizes = [...dims];
  for (const members of layout) {
    if (members.every((dim) => own[dim] === 1)) { for (const dim of members) sizes[dim] = 1; }
  }
  const order = layout.flat();
  const strides = repeatedStrides(own, sizes);
  return tensorOf(
    array,
    shapeIn(layout, sizes),
    `${order} of ${dims.length}`,
    (same) => gathered(same, order.map((dim) => sizes[dim]!), order.map((dim) => strides[dim]!)),
  );
}

function paddedDims(dims: readonly number[], rank: number): number[] {
  return [...new Array<number>(rank - dims.length).fill(1), ...dims];
}

/** Operands that live in the same places, and how a result of theirs is an array again. */
export interface Aligned {
  /** The operands' tensors; their sizes are equal or 1. */
  readonly tensors: readonly Tensor[];
  /** Where the axes are. */
  readonly layout: Layout;
  /** The sizes they have together. */
  readonly dims: readonly number[];
  /** The array in a tensor that has all these sizes. */
  wrap(result: Tensor): View;
}

/** Puts operands of an element function where they fit together, moving as few as possible. */
export function align(values: readonly Value[]): Aligned {
  const shapes = values.map(({ dims }) => dims);
  const dims = broadcastDims(shapes);
  if (!dims) {
    throw new UserError(`its inputs [${shapes.join("] and [")}] do not fit together`);
  }
  const full = values.find((value): value is View =>
    value instanceof View && value.layout !== undefined && sameDims(value.dims, dims)
  );
  const fits = (layout: Layout): boolean =>
    values.every((value) => {
      const own = paddedDims(value.dims, dims.length);
      return value instanceof HostArray || layout.every((members) =>
        members.every((dim) => own[dim] === dims[dim]) || members.every((dim) => own[dim] === 1)
      );
    });
  let layout = full?.layout ?? usualLayout(dims.length);
  if (!fits(layout)) layout = usualLayout(dims.length);
  if (!fits(layout)) throw new UserError(`inputs of ${dims.length} axes cannot be repeated`);
  const tensors = values.map((value) => {
    if (value instanceof HostArray) return placed(value, dims, layout);
    const own = paddedDims(value.dims, dims.length);
    const wide = value.rank === dims.length ? value : value.reshaped(own);
    return wide.at(layout.map((members) => members.filter((dim) => own[dim] !== 1)));
  });
  return { tensors, layout, dims, wrap: (result) => View.of(result, dims, layout) };
}

function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** An array with one axis alone on an axis of its tensor. */
export interface Separated {
  /** The array's tensor. */
  readonly tensor: Tensor;
  /** Where the array's axes are. */
  readonly layout: Layout;
  /** The tensor's axis that the wanted one has for itself. */
  readonly axis: 0 | 1 | 2 | 3;
}

/** One node. */
export class Call {
  /** The node. */
  readonly node: NodeProto;
  /** What its inputs are; undefined where an optional one is left out. */
  readonly inputs: readonly (Value | undefined)[];
  /** The graph around it. */
  readonly around: Surroundings;

  /** Made by the network. */
  constructor(node: NodeProto, inputs: readonly (Value | undefined)[], around: Surroundings) {
    this.node = node;
    this.inputs = inputs;
    this.around = around;
  }

  /** Version of the operator set. */
  get opset(): number {
    return this.around.opset;
  }

  /** An attribute, if it is there. */
  attribute(name: string): AttributeProto | undefined {
    return this.node.attributes.get(name);
  }

  /** A whole number. */
  int(name: string, otherwise: number): number {
    return this.attribute(name)?.i ?? otherwise;
  }

  /** A number. */
  float(name: string, otherwise: number): number {
    return this.attribute(name)?.f ?? otherwise;
  }

  /** A word. */
  word(name: string, otherwise: string): string {
    return this.attribute(name)?.s || otherwise;
  }

  /** Whole numbers; undefined without them. */
  ints(name: string): readonly number[] | undefined {
    return this.attribute(name)?.ints;
  }

  /** Whether an input is there. */
  has(index: number): boolean {
    return this.inputs[index] !== undefined;
  }

  /** An input that must be there. */
  value(index: number): Value {
    const value = this.inputs[index];
    if (!value) throw new UserError(`its input ${index} is missing`);
    return value;
  }

  /** An input on the device. */
  view(index: number): View {
    const value = this.value(index);
    return value instanceof View ? value : viewOf(value);
  }

  /** An input whose numbers must be known before any picture is seen. */
  known(index: number): HostArray {
    const value = this.value(index);
    if (value instanceof HostArray) return value;
    throw new UserError(`its input ${index} depends on the picture; here it must be known before`);
  }

  /** The whole numbers of an input, or of an attribute in older versions. */
  list(index: number, name: string): readonly number[] | undefined {
    if (this.has(index)) return [...this.known(index).numbers];
    return this.ints(name);
  }

  /** An input of one number, or an attribute in older versions. */
  scalar(index: number, name: string, otherwise: number): number {
    if (this.has(index)) return this.known(index).numbers[0]!;
    return this.float(name, otherwise);
  }

  /** An axis counted from the front. */
  axis(axis: number, rank: number): number {
    const counted = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(counted) || counted < 0 || counted >= rank) {
      throw new UserError(`axis ${axis} of an input with ${rank}`);
    }
    return counted;
  }

  /** Weights of a tensor's shape, their numbers in order. */
  weights(index: number, shape: Shape): Tensor {
    const value = this.value(index);
    if (shape.reduce((a, b) => a * b, 1) !== value.dims.reduce((a, b) => a * b, 1)) {
      throw new UserError(`its input ${index} is [${value.dims}], expected [${shape}]`);
    }
    if (value instanceof HostArray) return tensorOf(value, shape, "in order");
    return value.reshaped(shape).at(usualLayout(4));
  }

  /** The transposed matrix of an input [rows, columns], as weights of a shape. */
  transposedWeights(index: number, shape: Shape): Tensor {
    const array = this.known(index);
    const [rows, columns] = array.dims as [number, number];
    return tensorOf(
      array,
      shape,
      "transposed",
      (same) => gathered(same, [columns, rows], [1, columns]),
    );
  }

  /** A number for each channel, [1,C,1,1]. */
  perChannel(index: number, channels: number): Tensor {
    return this.weights(index, [1, channels, 1, 1]);
  }

  /** The numbers of an attribute that is a tensor. */
  tensorAttribute(name: string): HostArray | undefined {
    const tensor = this.attribute(name)?.t;
    if (!tensor) return undefined;
    const { file } = this.around;
    return new HostArray(tensor.dims, isWhole(tensor.type), () => file.numbers(tensor));
  }
}

/** An array on the device, in the usual place. */
export function viewOf(array: HostArray): View {
  const layout = usualLayout(array.dims.length);
  return View.of(placed(array, array.dims, layout), array.dims, layout);
}

/**
 * Puts one axis of an array on an axis of a tensor where nothing else is; where it is already so,
 * nothing moves.
 *
 * @param allowed The tensor's axes that will do, the best first.
 */
export function separate(
  view: View,
  dim: number,
  allowed: readonly (0 | 1 | 2 | 3)[],
): Separated {
  const { layout, rank } = view;
  const alone = allowed.find((axis) => {
    const members = layout?.[axis];
    return members?.length === 1 && members[0] === dim;
  });
  if (layout && alone !== undefined) return { tensor: view.tensor, layout, axis: alone };
  const axis = allowed[0]!;
  const others = Array.from({ length: rank }, (_, i) => i).filter((other) => other !== dim);
  const free = ([0, 1, 2, 3] as const).filter((other) => other !== axis);
  // The axis of pictures comes first if it is free.
  const wanted: number[][] = [[], [], [], []];
  wanted[axis] = [dim];
  others.forEach((other, i) => wanted[free[Math.min(i, 2)]!]!.push(other));
  return { tensor: view.at(wanted), layout: wanted, axis };
}

/** An array whose axes are apart into those that an operation goes over, and the others. */
export function gatherAxes(
  view: View,
  dims: readonly number[],
): { tensor: Tensor; layout: Layout; axes: (0 | 1 | 2 | 3)[] } {
  const apart = (layout: Layout) =>
    layout.every((members) =>
      members.every((dim) => dims.includes(dim)) || members.every((dim) => !dims.includes(dim))
    );
  const own = view.layout;
  let layout: Layout;
  if (own && apart(own)) layout = own;
  else if (view.rank <= 4) layout = usualLayout(view.rank);
  else {
    const all = Array.from({ length: view.rank }, (_, i) => i);
    layout = [all.filter((dim) => !dims.includes(dim)), [...dims], [], []];
  }
  const axes = ([0, 1, 2, 3] as const).filter((axis) =>
    layout[axis]!.length > 0 && layout[axis]!.every((dim) => dims.includes(dim))
  );
  return { tensor: view.at(layout), layout, axes };
}
