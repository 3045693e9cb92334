/** Parts of tensors: slices, padding, concatenation. */
import type { Random, Shape, Triple } from "../../ops/mod.ts";
import { type Group, randomValues, type Sample } from "../compare.ts";
import { CHANNELS, shape } from "./draw.ts";

/** Start, size and step of a slice of a shape. */
function window(r: Random, [, ...sizes]: Shape, index: number) {
  const start = sizes.map((size) => r.integer(size));
  const step = sizes.map(() => index % 3 === 0 ? 1 : 1 + r.integer(3));
  const size = sizes.map((s, i) => 1 + r.integer(Math.ceil((s - start[i]!) / step[i]!)));
  return { start, step, size } as unknown as Record<
    "start" | "step" | "size",
    [number, number, number]
  >;
}

/** Two to four pictures that differ in their channels. */
const parts = (channels: readonly number[]) => (r: Random): Sample<null> => {
  const [n, , h, w] = shape(r);
  const inputs = Array.from(
    { length: 2 + r.integer(3) },
    () => randomValues(r, [n, r.pick(channels), h, w]),
  );
  return { inputs, options: null };
};

const JOINT = { wrt: "all", degree: 1 } as const;

/** The cases. */
export const shapes: Group = (test) => {
  test(
    "slice",
    (r, i) => {
      const s = shape(r);
      return { inputs: [randomValues(r, s)], options: window(r, s, i) };
    },
    (f, [x], options) => f.slice(x!, options),
    { degree: 1 },
  );
  test(
    "slice of channels from a whole quad on",
    (r) => {
      const [n, , h, w] = shape(r);
      const start = 4 * r.integer(3);
      const size = [Math.min(r.pick([2, 4, 5, 8, 13]), 13 - start), h, w] as const;
      const options: { start: Triple; size: Triple } = { start: [start, 0, 0], size };
      return { inputs: [randomValues(r, [n, 13, h, w])], options };
    },
    // Often a window on what was computed: one kernel reads it, and one needs zeros beyond it.
    (f, [x], options) => {
      const window = f.slice(f.affine(x!, 2), options);
      return f.concat([f.affine(window, 0.5), f.sum(window, [1])]);
    },
    { degree: 1 },
  );
  test(
    "pad",
    (r) => {
      const amounts = () => [r.integer(6), r.integer(4), r.integer(4)] as const;
      return { inputs: [randomValues(r, shape(r))], options: { low: amounts(), high: amounts() } };
    },
    (f, [x], options) => f.pad(x!, options),
    { degree: 1 },
  );
  test("concat", parts(CHANNELS), (f, xs) => f.concat(xs), JOINT);
  test("concat of whole quads", parts([4, 8]), (f, xs) => f.concat(xs), JOINT);
  test(
    "concat of computed parts",
    parts([4, 8, 12]),
    (f, xs) => f.concat(xs.map((x, i) => f.affine(x, i + 1))),
    JOINT,
  );
  test(
    "concat of parts one of which is made from another",
    parts([8]),
    (f, xs) => {
      const computed = xs.map((x) => f.affine(x, 2));
      return f.concat([f.affine(computed[1]!, -1), ...computed, xs[0]!]);
    },
    JOINT,
  );
  test(
    "concat of a part with itself",
    parts([4]),
    (f, xs) => f.concat([...xs, f.affine(xs[0]!, 2), f.affine(xs[1]!, 2)].flatMap((x) => [x, x])),
    JOINT,
  );
  test(
    "concat of a part with a window on it",
    (r) => {
      const [n, , h, w] = shape(r);
      return { inputs: [randomValues(r, [n, 8, h, w])], options: [4, h, w] as const };
    },
    (f, [x], size) => {
      const computed = f.affine(x!, 2);
      return f.concat([computed, f.slice(computed, { start: [4, 0, 0], size })]);
    },
    { degree: 1 },
  );
  test(
    "concat of concatenations",
    parts([4, 8]),
    (f, xs) => {
      const computed = xs.map((x) => f.affine(x, 2));
      const inner = f.concat(computed);
      return f.concat([f.affine(inner, -1), computed[0]!, inner, f.concat(xs)]);
    },
    JOINT,
  );
  test(
    "rearrange",
    (r, i) => {
      const factor = () => r.pick([1, 2, 3, 4, 5]);
      const factors = [[1 + r.integer(2)], [factor(), factor()], [1 + r.integer(6)], [
        factor(),
        factor(),
      ]];
      // Channels stay, are shuffled, change places with pixels, become pixels, pixels channels.
      const order = [
        [[0], [1, 2], [4, 5], [3]],
        [[0], [2, 1], [3], [4, 5]],
        [[0], [4, 5], [1, 2], [3]],
        [[0], [2], [3], [4, 5, 1]],
        [[], [5, 0, 1, 2], [3], [4]],
      ][i % 5]!;
      const s = factors.map((each) => each.reduce((a, b) => a * b, 1)) as unknown as Shape;
      return { inputs: [randomValues(r, s)], options: { factors, order } };
    },
    (f, [x], options) => f.rearrange(x!, options),
    { degree: 1, count: 40 },
  );
  test(
    "channelShuffle",
    (r) => {
      const groups = r.pick([1, 2, 3, 4, 5]);
      const [n, , h, w] = shape(r);
      return {
        inputs: [randomValues(r, [n, groups * r.pick([1, 2, 3, 4, 7]), h, w])],
        options: groups,
      };
    },
    (f, [x], groups) => f.channelShuffle(x!, groups),
    { degree: 1 },
  );
};
