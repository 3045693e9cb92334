/** Strided slices and their adjoint, zero padding. */
import padSource from "../../kernels/shape/pad.wgsl" with { type: "text" };
import sliceSource from "../../kernels/shape/slice.wgsl" with { type: "text" };
import { expectWhole } from "../graph/check.ts";
import { type Operation, perTexel } from "../graph/operation.ts";
import { formatShape, node, type Shape, type Tensor } from "../graph/tensor.ts";
import type { SliceAttributes, Triple } from "../graph/attributes.ts";

/**
 * `x[:, c0::sc, y0::sy, x0::sx]`, cut to `size` elements along each axis.
 *
 * @throws {RangeError} when the slice leaves the tensor, or a number is not whole or too small.
 */
export function slice(
  x: Tensor,
  options: { start?: Triple; size?: Triple; step?: Triple },
): Tensor<"slice"> {
  const start = options.start ?? [0, 0, 0];
  const step = options.step ?? [1, 1, 1];
  expectWhole("slice: start", start, 0);
  expectWhole("slice: step", step, 1);
  expectWhole("slice: size", options.size ?? [], 1);
  const all = [0, 1, 2].map((i) => Math.ceil((x.shape[i + 1]! - start[i]!) / step[i]!));
  const size = options.size ?? all;
  if (size.some((count, i) => count < 1 || count > all[i]!)) {
    throw new RangeError(
      `slice: ${formatShape(size)} elements from ${formatShape(start)} in steps of ` +
        `${formatShape(step)} leave ${formatShape(x.shape)}`,
    );
  }
  return node("slice", [x.shape[0], size[0]!, size[1]!, size[2]!], [x], { start, step });
}

/**
 * Zeros around the channels, rows and columns of a tensor.
 *
 * @throws {RangeError} for numbers of them that are not whole or below 0.
 */
export function pad(x: Tensor, { low, high }: { low: Triple; high: Triple }): Tensor<"pad"> {
  expectWhole("pad: low", low, 0);
  expectWhole("pad: high", high, 0);
  const [n, ...sizes] = x.shape;
  const [c, h, w] = sizes.map((size, i) => size + low[i]! + high[i]!);
  return node("pad", [n, c!, h!, w!], [x], { start: low, step: [1, 1, 1] });
}

function parameters({ start, step }: SliceAttributes) {
  return {
    start_c: start[0],
    start_y: start[1],
    start_x: start[2],
    step_c: step[0],
    step_y: step[1],
    step_x: step[2],
  };
}

/** Table entry. */
export const sliceOperation: Operation<"slice"> = {
  lower: (y) => [{
    source: { name: "slice", wgsl: sliceSource },
    reads: { x: y.inputs[0]! },
    writes: { y },
    parameters: parameters(y.attributes),
    workgroups: perTexel(y),
  }],
  /** Whole quads of channels of whole pictures are rows of the sheet. */
  view(y) {
    const { start, step } = y.attributes;
    const [, c, h, w] = y.inputs[0]!.shape;
    const quads = start[0] % 4 === 0 && (y.shape[1] % 4 === 0 || start[0] + y.shape[1] === c);
    const whole = y.shape[2] === h && y.shape[3] === w && step.every((s) => s === 1);
    return quads && whole ? start[0] / 4 * h : undefined;
  },
  gradient: (y, dy) => [node("pad", y.inputs[0]!.shape as Shape, [dy], y.attributes)],
};

/** Table entry. */
export const padOperation: Operation<"pad"> = {
  lower: (y) => [{
    source: { name: "pad", wgsl: padSource },
    reads: { x: y.inputs[0]! },
    writes: { y },
    parameters: parameters(y.attributes),
    workgroups: perTexel(y),
  }],
  gradient: (y, dy) => [node("slice", y.inputs[0]!.shape as Shape, [dy], y.attributes)],
};
