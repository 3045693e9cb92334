/** What convolutions and pools have in common: windows and what is around the picture. */
import type { Pair } from "../../../ops/mod.ts";
import { UserError } from "../../../base/errors.ts";
import type { Call } from "../call.ts";
import type { View } from "../view.ts";

/** An input of pictures [N,C,H,W], or of lines [N,C,L]. */
export function spatial(call: Call, index: number): View {
  const view = call.view(index);
  if (view.rank === 4 || view.rank === 3) return view;
  const what = view.rank > 4 ? "volumes, of which only pictures can be seen" : "no pictures";
  throw new UserError(`its input [${view.dims}] is ${what}`);
}

/**
 * Rows and columns around the picture, before it and after it.
 *
 * @param x The input, where `auto_pad` asks for its size.
 */
export function pads(
  call: Call,
  x: View | undefined,
  kernel: Pair,
  stride: Pair,
  dilation: Pair,
): readonly [begin: Pair, end: Pair] {
  const auto = call.word("auto_pad", "NOTSET");
  if (auto === "VALID") return [[0, 0], [0, 0]];
  if (auto !== "NOTSET" && x) {
    const [, , height = 1, width = 1] = x.dims;
    const total = ([0, 1] as const).map((axis) => {
      const size = [height, width][axis]!;
      const windows = Math.ceil(size / stride[axis]);
      return Math.max(
        0,
        (windows - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - size,
      );
    });
    const less = total.map((sum) => sum >> 1) as unknown as Pair;
    const more = total.map((sum) => sum - (sum >> 1)) as unknown as Pair;
    return auto === "SAME_LOWER" ? [more, less] : [less, more];
  }
  const given = call.ints("pads") ?? [];
  const half = given.length / 2;
  const [y = 0, left = 0] = given.slice(0, half);
  const [bottom = 0, right = 0] = given.slice(half);
  if (given.some((size) => size < 0)) throw new UserError(`its pads are ${given}`);
  return [[y, left], [bottom, right]];
}
