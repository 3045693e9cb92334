/** Reductions along axes, which keep size 1. */
import source from "../../kernels/element/reduce.wgsl" with { type: "text" };
import {
  type Call,
  perTexel,
  repeatedAxes,
  type Workspace,
  workspace,
} from "../graph/operation.ts";
import type { Shape, Tensor } from "../graph/tensor.ts";
import type { Axis } from "../graph/attributes.ts";

/** Columns last: until then, neighbouring invocations read neighbouring texels. */
const ORDER: readonly Axis[] = [2, 1, 0, 3];

/** What a kernel calls an element's place along each axis. */
const PLACE = ["n", "c", "y", "x"];

/** WGSL that loads what an operand has for an element's place. */
function loadRepeated(name: string, operand: Tensor, shape: Shape): string {
  const repeated = repeatedAxes(operand, shape);
  const load = `load_${name}(${PLACE.map((at, axis) => repeated[axis] ? "0" : at).join(", ")})`;
  return repeated[1] ? `vec4f(${load}.x)` : load;
}

/** Elements that one invocation takes one after the other; a longer axis is reduced in parts. */
const LONGEST = 128;

/**
 * Reduces along some axes with `along`, one at a time, those of size 1 left out.
 *
 * @throws {RangeError} for an axis that is none, or given twice.
 */
export function reduceAxes(
  x: Tensor,
  axes: readonly Axis[],
  along: (x: Tensor, axis: Axis) => Tensor,
): Tensor {
  if (axes.some((axis, i) => !ORDER.includes(axis) || axes.indexOf(axis) !== i)) {
    throw new RangeError(`reduction: expected different axes from 0 to 3, got ${axes.join(", ")}`);
  }
  return ORDER.filter((axis) => axes.includes(axis) && x.shape[axis] > 1).reduce(along, x);
}

/** A shape with another size along an axis. */
export function resized(shape: Shape, axis: Axis, size: number): Shape {
  return shape.map((old, i) => i === axis ? size : old) as unknown as Shape;
}

/** What becomes of the elements; "centred dot" is Σ (x − mean)·z with the inputs x, mean and z. */
export type Reduction = "sum" | "sum of squares" | "max" | "centred dot";

/** The dispatches that reduce x to y along an axis: one, or two by way of about √size parts. */
export function reduceCalls(y: Tensor, axis: Axis, reduction: Reduction): Call[] {
  const call = (
    [x, mean, z]: readonly [Tensor | Workspace, Tensor?, Tensor?],
    to: Tensor | Workspace,
    reduce: Reduction,
  ): Call => {
    return {
      source: { name: reduce, wgsl: source },
      defines: {
        AXIS: axis,
        REDUCE: reduce,
        LANES: axis === 1 && to.shape[1] === 1,
        MEAN: mean && loadRepeated("mean", mean, x.shape),
        FIRST: PLACE[axis],
        NEXT: PLACE.with(axis, "i").join(", "),
        Z: z !== undefined,
      },
      reads: { x, ...(mean ? { mean } : {}), ...(z ? { z } : {}) },
      writes: { y: to },
      workgroups: perTexel(to),
    };
  };
  const inputs = y.inputs as [Tensor, Tensor?, Tensor?];
  const [x] = inputs;
  const each = axis === 1 ? 4 : 1; // channels go by quads
  const size = Math.ceil(x.shape[axis] / each);
  if (size <= LONGEST) return [call(inputs, y, reduction)];
  const parts = Math.ceil(Math.sqrt(size));
  const partial = workspace(resized(x.shape, axis, parts * each));
  const last = reduction === "max" ? "max" : "sum";
  return [call(inputs, partial, reduction), call([partial], y, last)];
}
