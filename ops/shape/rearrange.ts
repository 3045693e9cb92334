/** Elements in another order: axes taken apart into factors, and others made of them. */
import source from "../../kernels/shape/rearrange.wgsl" with { type: "text" };
import { expectWhole } from "../graph/check.ts";
import { type Operation, perTexel } from "../graph/operation.ts";
import { formatShape, node, type Shape, type Tensor } from "../graph/tensor.ts";
import type { Axis, Digit } from "../graph/attributes.ts";

/** What becomes of the axes. */
export interface Rearrangement {
  /** The factors of each axis of x, the one that changes slowest first. */
  readonly factors: readonly (readonly number[])[];
  /** What each axis of the result is made of: factors, counted through all axes of x from 0. */
  readonly order: readonly (readonly number[])[];
}

/**
 * Takes the axes of x apart into factors and makes those of the result of them: einops' `rearrange`,
 * and every reshape and transpose that keeps all elements. `channelShuffle` with g groups is
 * `{ factors: [[N], [g, C/g], [H], [W]], order: [[0], [2, 1], [3], [4]] }`.
 *
 * @throws {RangeError} when the factors of an axis do not make it, or one is not used exactly once.
 */
export function rearrange(x: Tensor, { factors, order }: Rearrangement): Tensor<"rearrange"> {
  const sizes = factors.flat();
  expectWhole("rearrange: factors", sizes, 1);
  const fits = factors.length === 4 &&
    factors.every((each, axis) => each.reduce((a, b) => a * b, 1) === x.shape[axis]);
  const used = order.flat();
  const once = order.length === 4 && used.length === sizes.length &&
    sizes.every((_, i) => used.includes(i));
  if (!fits || !once) {
    throw new RangeError(
      `rearrange: factors ${JSON.stringify(factors)} in the order ${
        JSON.stringify(order)
      } do not ` +
        `make four axes of all elements of ${formatShape(x.shape)}`,
    );
  }
  const places = placesOf(factors);
  const parts = order.map((axis) => axis.map((factor) => sizes[factor]!));
  const digits = placesOf(parts).flatMap(({ axis: from, step: below }, i): Digit[] => {
    const factor = used[i]!;
    const { axis: to, step: weight } = places[factor]!;
    return sizes[factor]! > 1 ? [{ from, below, size: sizes[factor]!, to, weight }] : [];
  });
  const shape = parts.map((each) => each.reduce((a, b) => a * b, 1)) as unknown as Shape;
  return node("rearrange", shape, [x], { digits });
}

/** The axis of each factor, and how far apart its steps are on it. */
function placesOf(factors: readonly (readonly number[])[]): { axis: Axis; step: number }[] {
  return factors.flatMap((sizes, axis) =>
    sizes.map((_, i) => ({
      axis: axis as Axis,
      step: sizes.slice(i + 1).reduce((a, b) => a * b, 1),
    }))
  );
}

/** Table entry. */
export const rearrangeOperation: Operation<"rearrange"> = {
  lower(y) {
    const { digits } = y.attributes;
    const whole = digits.every(({ from, to, size }) =>
      (from !== 1 && to !== 1) || (from === to && size === y.shape[1])
    );
    return [{
      source: { name: "rearrange", wgsl: source },
      defines: {
        // A quad of channels stays together.
        WHOLE: whole,
        DIGITS: digits.map(({ from, to }, i) => ({
          i,
          from: "nqyx"[from]!,
          to: "nqyx"[to]!,
          channel: from === 1,
        })).filter(({ channel }) => !(whole && channel)),
      },
      reads: { x: y.inputs[0]! },
      writes: { y },
      parameters: Object.fromEntries(
        digits.flatMap(({ below, size, weight }, i) => [
          [`below_${i}`, below],
          [`size_${i}`, size],
          [`weight_${i}`, weight],
        ]),
      ),
      workgroups: perTexel(y),
    }];
  },
  /** The way back. */
  gradient: (y, dy) => [
    node("rearrange", y.inputs[0]!.shape as Shape, [dy], {
      digits: y.attributes.digits.map(({ from, below, size, to, weight }) => ({
        from: to,
        below: weight,
        size,
        to: from,
        weight: below,
      })),
    }),
  ],
};
