/** Pooling. */
import type { Random } from "../../ops/mod.ts";
import { type Group, randomValues } from "../compare.ts";
import { positive, shape } from "./draw.ts";

/** A pooling window that fits: padding at most half of it, as PyTorch asks. */
function window(r: Random) {
  const size = () => [1 + r.integer(4), 1 + r.integer(4)] as const;
  const kernel = r.pick([size(), [3, 3], [2, 2]] as const);
  const options = {
    kernel,
    stride: r.pick([1, 2, 3, size()]),
    padding: kernel.map((k) => r.integer(Math.floor(k / 2) + 1)) as unknown as [number, number],
    ceilMode: r.integer(2) === 1,
    countIncludePad: r.integer(2) === 1,
  };
  return { inputs: [randomValues(r, shape(r, 4))], options };
}

/** The same with gaps between a window's elements, on pictures as large as its largest. */
function dilatedWindow(r: Random) {
  const { options: { countIncludePad: _, ...options } } = window(r);
  const dilation = r.pick([2, 3, [1, 3], [3, 2]] as const);
  return { inputs: [randomValues(r, shape(r, 10))], options: { ...options, dilation } };
}

/** The cases. */
export const pooling: Group = (test) => {
  // Positive factors pass through a maximum.
  test("maxPool2d", window, (f, [x], options) => f.maxPool2d(x!, options), {
    degree: 1,
    count: 40,
  });
  test("maxPool2d with dilation", dilatedWindow, (f, [x], options) => f.maxPool2d(x!, options), {
    degree: 1,
    count: 40,
  });
  const uneven = (r: Random) => {
    const { inputs, options: { countIncludePad: _, ...options } } = window(r);
    const paddingEnd = options.padding.map((_, axis) =>
      r.integer(Math.floor(options.kernel[axis]! / 2) + 1)
    ) as unknown as [number, number];
    return { inputs, options: { ...options, paddingEnd } };
  };
  test("maxPool2d, padding uneven", uneven, (f, [x], options) => f.maxPool2d(x!, options), {
    degree: 1,
  });
  test(
    "averagePool2d, padding uneven",
    uneven,
    (f, [x], options) => f.averagePool2d(x!, { ...options, countIncludePad: false }),
    { degree: 1 },
  );
  test(
    "adaptiveAveragePool2d",
    (r, i) => {
      const s = shape(r);
      const sizes: [number, number][] = [[1, 1], [1 + r.integer(12), 1 + r.integer(12)], [s[2], 4]];
      return { inputs: [randomValues(r, s)], options: sizes[i % 3]! };
    },
    (f, [x], size) => f.adaptiveAveragePool2d(x!, size),
    { degree: 1, count: 40 },
  );
  test(
    "adaptiveAveragePool2d of large pictures",
    (r, i) => {
      const s = [1, 1 + r.integer(2), 200 + r.integer(300), 300 + r.integer(300)] as const;
      const sizes: [number, number][] = [[1, 1], [7, 7], [2, 1], [1, 3], [s[2], 2]];
      // All positive: what is lost in rounding does not cancel.
      return { inputs: [positive(randomValues(r, s))], options: sizes[i % sizes.length]! };
    },
    (f, [x], size) => f.adaptiveAveragePool2d(x!, size),
    { degree: 1, count: 5 },
  );
  test(
    "averagePool2d with large windows",
    (r) => {
      const options = { kernel: [30 + r.integer(40), 30 + r.integer(40)] as const, padding: 5 };
      return { inputs: [positive(randomValues(r, [2, 3, 70 + r.integer(80), 90]))], options };
    },
    (f, [x], options) => f.averagePool2d(x!, options),
    { degree: 1, count: 5 },
  );
  test("averagePool2d", window, (f, [x], options) => f.averagePool2d(x!, options), {
    degree: 1,
    count: 40,
  });
};
