/** Every operation against its reference: forward, gradient, adjoint, both kinds of storage. */
import assert from "node:assert/strict";
import type { Random, Shape, Triple } from "../ops/mod.ts";
import { gaussianKernel, gradients, maskNumbers, maxPool2d } from "../ops/mod.ts";
import type { ElementFunctionName } from "../ops/elementwise.ts";
import { OPERATIONS } from "../ops/operations.ts";
import {
  Comparison,
  evaluate,
  gpuForTests,
  randomValues,
  type Sample,
  tensorOf,
  values,
} from "./compare.ts";
import { reference, REFERENCE_OF, type Values } from "./reference.ts";

const gpus = [await gpuForTests("texture"), await gpuForTests("buffer")];
const comparison = new Comparison(...gpus);
const test = comparison.operation.bind(comparison);

const CHANNELS = [1, 2, 3, 4, 5, 7, 8, 9, 13];

/** [N,C,H,W] with one or a few pictures, any channels, odd and even sizes from `least`. */
function shape(r: Random, least = 1): Shape {
  return [1 + r.integer(3), r.pick(CHANNELS), least + r.integer(9), least + r.integer(19)];
}

/** A picture alone. */
const picture = (r: Random): Sample<null> => ({
  inputs: [randomValues(r, shape(r))],
  options: null,
});

/** Larger values, for functions with kinks far from 0. */
const wide = (r: Random): Sample<null> => ({
  inputs: [randomValues(r, shape(r), 5)],
  options: null,
});

/** Values from 0.5 on. */
function positive({ shape, data }: Values): Values {
  return { shape, data: data.map((v) => Math.fround(0.5 + Math.abs(v))) };
}

/** Operands that differ in the axes along which they are repeated. */
function operands(count: 2 | 3): (r: Random, index: number) => Sample<null> {
  return (r, index) => {
    const [n, c, h, w] = shape(r, 2);
    const full: Shape = [n + 1, c + 1, h, w];
    const perChannel: Shape = [1, c + 1, 1, 1];
    const patterns: Shape[][] = [
      [full, full, full],
      [full, perChannel, perChannel],
      [full, [1, 1, 1, 1], full],
      [[1, 1, h, w], full, [n + 1, 1, 1, 1]],
      [[n + 1, c + 1, 1, 1], [1, 1, h, w], full],
    ];
    const shapes = patterns[index % patterns.length]!.slice(0, count);
    return { inputs: shapes.map((s) => randomValues(r, s)), options: null };
  };
}

test("relu", wide, (f, [x]) => f.relu(x!));
test("relu6", wide, (f, [x]) => f.relu6(x!));
test("abs", wide, (f, [x]) => f.abs(x!));
test(
  "sqrt",
  (r) => ({ inputs: [positive(randomValues(r, shape(r)))], options: null }),
  (f, [x]) => f.sqrt(x!),
);
test("affine", picture, (f, [x]) => f.affine(x!, -1.7, 0.3));
test("affine without a shift", picture, (f, [x]) => f.affine(x!, 2.5), { linear: true });
test("clampMin", wide, (f, [x]) => f.clampMin(x!, -1.25));
test("detach", picture, (f, [x]) => f.detach(x!), { wrt: [] });
test("add", operands(2), (f, [a, b]) => f.add(a!, b!), { wrt: [0, 1], linear: true });
test("sub", operands(2), (f, [a, b]) => f.sub(a!, b!), { wrt: [0, 1], linear: true });
test("mul", operands(2), (f, [a, b]) => f.mul(a!, b!), { wrt: [0, 1] });
test(
  "div",
  (r, i) => {
    const { inputs: [a, b] } = operands(2)(r, i);
    return { inputs: [a!, positive(b!)], options: null };
  },
  (f, [a, b]) => f.div(a!, b!),
  { wrt: [0, 1] },
);
test("multiplyAdd", operands(3), (f, [a, b, c]) => f.multiplyAdd(a!, b!, c!), { wrt: [0, 1, 2] });
test("mix", operands(3), (f, [a, b, c]) => f.mix(a!, b!, c!), { wrt: [0, 1, 2] });
test(
  "clampTo",
  (r, i) => {
    const { inputs: [a, b, c] } = operands(3)(r, i);
    const low = { ...b!, data: b!.data.map((v) => v - 1) };
    return { inputs: [a!, low, { ...c!, data: c!.data.map((v) => v + 2) }], options: null };
  },
  (f, [a, low, high]) => f.clampTo(a!, low!, high!),
);
test(
  "expand",
  (r, i) => {
    const full = shape(r);
    const axes = [[0], [1], [2, 3], [0, 1, 2, 3], [1, 3]][i % 5]!;
    const small = full.map((size, axis) => axes.includes(axis) ? 1 : size) as unknown as Shape;
    return { inputs: [randomValues(r, small)], options: full };
  },
  (f, [x], full) => f.expand(x!, full),
  { linear: true },
);

const AXES = [[0], [1], [2], [3], [2, 3], [1, 2, 3], [0, 1, 2, 3]] as const;
const axes = (r: Random, i: number) => ({ ...picture(r), options: AXES[i % AXES.length]! });
test("sum", axes, (f, [x], over) => f.sum(x!, over), { linear: true });
test("mean", axes, (f, [x], over) => f.mean(x!, over), { linear: true });
test("globalAveragePool", picture, (f, [x]) => f.globalAveragePool(x!), { linear: true });

test(
  "batchNorm",
  (r, i) => {
    const s = shape(r);
    const inputs = [s, ...Array(4).fill([1, s[1], 1, 1])].map((each) => randomValues(r, each));
    inputs[2] = positive(inputs[2]!);
    return { inputs, options: { affine: i % 3 > 0, epsilon: [1e-5, 1e-3][i % 2]! } };
  },
  (f, [x, mean, variance, weight, bias], { affine, epsilon }) =>
    f.batchNorm(x!, {
      mean: mean!,
      variance: variance!,
      epsilon,
      ...(affine ? { weight: weight!, bias: bias! } : {}),
    }),
);

/** A convolution's kernel, stride, padding and dilation. */
interface Window {
  kernel: readonly [number, number];
  stride?: number | readonly [number, number];
  padding?: number | readonly [number, number];
  dilation?: number | readonly [number, number];
}

/**
 * Convolutions with both register tiles in height (up to 4 outputs, more) and the given widths:
 * every width of the output or its gradient that asks for another tile compiles another kernel.
 */
function convolution(
  { kernel, ...options }: Window,
  widths: readonly number[],
  special: { depthwise?: boolean; channels?: readonly number[] } = {},
): (
  r: Random,
  index: number,
) => Sample<{ bias: boolean; groups: number } & Omit<Window, "kernel">> {
  return (r, index) => {
    const { depthwise = false, channels = [3, 5, 12] } = special;
    const inputs = r.pick(depthwise ? CHANNELS : channels);
    const outputs = depthwise ? inputs : r.pick(channels);
    const rows = Math.max(kernel[0], 1) + r.integer(8);
    const all = [
      [1 + r.integer(2), inputs, rows, widths[index % widths.length]!],
      [outputs, depthwise ? 1 : inputs, ...kernel],
      [1, outputs, 1, 1],
    ] as unknown as Shape[];
    return {
      inputs: all.map((s) => randomValues(r, s)),
      options: { ...options, bias: index % 4 === 3, groups: depthwise ? inputs : 1 },
    };
  };
}

const CONVOLUTIONS: [string, ReturnType<typeof convolution>][] = [
  ["1x1 convolution", convolution({ kernel: [1, 1] }, [1, 7, 13])],
  ["1x1 convolution, stride 2", convolution({ kernel: [1, 1], stride: 2 }, [2, 7, 8])],
  ["3x3 convolution", convolution({ kernel: [3, 3], padding: 1 }, [1, 4, 8, 11, 14, 16, 19])],
  ["3x3 convolution without padding", convolution({ kernel: [3, 3] }, [3, 6, 5])],
  [
    "3x3 convolution, stride 2",
    convolution({ kernel: [3, 3], stride: 2, padding: 1 }, [1, 6, 7, 8]),
  ],
  [
    "3x3 convolution, dilation 2",
    convolution({ kernel: [3, 3], padding: 2, dilation: 2 }, [3, 7], { channels: [3, 6] }),
  ],
  ["5x5 convolution", convolution({ kernel: [5, 5], padding: 2 }, [2, 7], { channels: [3, 6] })],
  [
    "7x7 convolution, stride 2",
    convolution({ kernel: [7, 7], stride: 2, padding: 3 }, [7, 8], { channels: [3, 6] }),
  ],
  ["1x7 convolution", convolution({ kernel: [1, 7], padding: [0, 3] }, [5, 7], { channels: [5] })],
  ["7x1 convolution", convolution({ kernel: [7, 1], padding: [3, 0] }, [4, 7], { channels: [5] })],
  [
    "2x3 convolution, stride 3, dilation 2x1",
    convolution({ kernel: [2, 3], stride: 3, padding: [1, 0], dilation: [2, 1] }, [4, 11]),
  ],
  [
    "depthwise 3x3 convolution",
    convolution({ kernel: [3, 3], padding: 1 }, [1, 5, 18], { depthwise: true }),
  ],
  [
    "depthwise 3x3 convolution, stride 2",
    convolution({ kernel: [3, 3], stride: 2, padding: 1 }, [3, 6, 19], { depthwise: true }),
  ],
  [
    "depthwise 5x5 convolution, stride 2x1, dilation 1x2",
    convolution(
      { kernel: [5, 5], stride: [2, 1], padding: [2, 4], dilation: [1, 2] },
      [4, 9],
      { depthwise: true },
    ),
  ],
];
for (const [name, sample] of CONVOLUTIONS) {
  test(
    name,
    (r, i) => {
      const { inputs, options } = sample(r, i);
      return { inputs, options: { ...options, bias: false } };
    },
    (f, [x, w], { bias: _, ...options }) => f.conv2d(x!, w!, undefined, options),
    { linear: true },
  );
}
test(
  "3x3 convolution with bias",
  convolution({ kernel: [3, 3], padding: 1 }, [7]),
  (f, [x, w, b], { bias: _, ...options }) => f.conv2d(x!, w!, b!, options),
);
test(
  "depthwise 3x3 convolution with bias",
  convolution({ kernel: [3, 3], padding: 1 }, [7], { depthwise: true }),
  (f, [x, w, b], { bias: _, ...options }) => f.conv2d(x!, w!, b!, options),
);
test(
  "linear",
  (r) => {
    const [n, inputs, outputs] = [1 + r.integer(4), 1 + r.integer(40), 1 + r.integer(20)];
    const shapes: Shape[] = [[n, inputs, 1, 1], [outputs, inputs, 1, 1], [1, outputs, 1, 1]];
    return { inputs: shapes.map((s) => randomValues(r, s)), options: null };
  },
  (f, [x, w, b]) => f.linear(x!, w!, b!),
);

/** A pooling window that fits: padding at most half of it, as PyTorch asks. */
function pooling(r: Random) {
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
test("maxPool2d", pooling, (f, [x], options) => f.maxPool2d(x!, options), { count: 40 });
test("averagePool2d", pooling, (f, [x], options) => f.averagePool2d(x!, options), {
  linear: true,
  count: 40,
});

for (const gpu of gpus) {
  Deno.test(`the first of equal maxima gets the gradient (${gpu.storage})`, async () => {
    const options = { kernel: 2, stride: 1 };
    // Also where all are the lowest there is.
    const inputs = [0, -Infinity].map((value) => values([1, 1, 3, 3], Array(9).fill(value)));
    const tensors = inputs.map(tensorOf);
    const outputs = tensors.map((x) => maxPool2d(x, options));
    const gradient = outputs.map((y, i) => gradients(y, [tensors[i]!])[0]!);
    const results = await evaluate(gpu, [...outputs, ...gradient]);
    assert.deepEqual([...results[0]!.data], [0, 0, 0, 0]);
    assert.deepEqual([...results[1]!.data], Array(4).fill(-Infinity));
    for (const dx of results.slice(2)) assert.deepEqual([...dx.data], [1, 1, 0, 1, 1, 0, 0, 0, 0]);
  });
}

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
test(
  "slice",
  (r, i) => {
    const s = shape(r);
    return { inputs: [randomValues(r, s)], options: window(r, s, i) };
  },
  (f, [x], options) => f.slice(x!, options),
  { linear: true },
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
  { linear: true },
);
test(
  "pad",
  (r) => {
    const amounts = () => [r.integer(6), r.integer(4), r.integer(4)] as const;
    return { inputs: [randomValues(r, shape(r))], options: { low: amounts(), high: amounts() } };
  },
  (f, [x], options) => f.pad(x!, options),
  { linear: true },
);

/** Two to four pictures that differ in their channels. */
const parts = (channels: readonly number[]) => (r: Random): Sample<null> => {
  const [n, , h, w] = shape(r);
  const inputs = Array.from(
    { length: 2 + r.integer(3) },
    () => randomValues(r, [n, r.pick(channels), h, w]),
  );
  return { inputs, options: null };
};
const JOINT = { wrt: "all", linear: true } as const;
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
  { linear: true },
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
  "gaussianBlur",
  (r) => {
    const s = shape(r);
    const radius = r.integer(6);
    const lanes = radius + 1 + r.integer(3);
    const weights = gaussianKernel(r.uniform(0.3, 3), radius, lanes);
    return { inputs: [randomValues(r, s), values([1, lanes, 1, 1], weights)], options: null };
  },
  (f, [x, weights]) => f.gaussianBlur(x!, weights!),
  { wrt: [] },
);
test(
  "roll",
  (r) => {
    const shift = values([1, 2, 1, 1], [r.integer(41) - 20, r.integer(41) - 20]);
    return { inputs: [randomValues(r, shape(r)), shift], options: null };
  },
  (f, [x, shift]) => f.roll(x!, shift!),
  { linear: true },
);
test(
  "warp",
  (r) => {
    const [angle, zoom] = [r.uniform(-0.7, 0.7), r.uniform(0.6, 1.6)];
    const [cos, sin] = [Math.cos(angle) * zoom, Math.sin(angle) * zoom];
    const theta = [cos, -sin, r.uniform(-0.5, 0.5), sin, cos * r.uniform(0.8, 1.2), r.normal()];
    const inputs = [randomValues(r, shape(r)), values([1, 6, 1, 1], theta.map(Math.fround))];
    return { inputs, options: null };
  },
  (f, [x, theta]) => f.warp(x!, theta!),
  { linear: true, tolerance: 3e-5 },
);
for (const plateau of [true, false]) {
  test(
    plateau ? "radialMask with a plateau" : "radialMask with a ring",
    (r) => {
      const [height, width] = [2 + r.integer(20), 2 + r.integer(20)];
      // No wider than the picture: min-max normalisation enlarges float32's rounding otherwise.
      const form = { edge: r.uniform(0, 1), sigma: r.uniform(1, 3), plateau };
      const numbers = values([1, 4, 1, 1], maskNumbers(form, height, width).map(Math.fround));
      return { inputs: [numbers], options: { height, width } };
    },
    (f, [numbers], { height, width }) => f.radialMask(numbers!, height, width, plateau),
    { wrt: [] },
  );
}
test(
  "tvDenoise",
  (r) => {
    const [n, , h, w] = shape(r);
    const pictures = randomValues(r, [n, 1 + r.integer(4), h, w], 0.3);
    const settings = values([1, 2, 1, 1], [Math.fround(r.uniform(1, 10)), r.pick([0, 0.0625])]);
    return { inputs: [pictures, settings], options: null };
  },
  (f, [x, settings]) => f.tvDenoise(x!, settings!, 5),
  { wrt: [] },
);

Deno.test("every operation has a reference", () => {
  const leaves = ["constant", "variable"];
  const missing = Object.keys(OPERATIONS).filter((op) =>
    !leaves.includes(op) && !(op in REFERENCE_OF)
  );
  assert.deepEqual(missing, [], "operations without a reference in tests/reference.ts");
  for (const name of Object.values(REFERENCE_OF)) assert.equal(typeof reference[name], "function");
});

Deno.test("every operation and element function takes part in a comparison", () => {
  const elements: Record<ElementFunctionName, true> = {
    identity: true,
    detach: true,
    add: true,
    sub: true,
    mul: true,
    div: true,
    multiplyAdd: true,
    affine: true,
    relu: true,
    relu6: true,
    reluGradient: true,
    relu6Gradient: true,
    abs: true,
    sign: true,
    sqrt: true,
    clampMin: true,
    atLeast: true,
    clampTo: true,
    notLess: true,
    mix: true,
  };
  const compared = comparison.operations();
  const all = [...Object.keys(REFERENCE_OF), ...Object.keys(elements)];
  assert.deepEqual(all.filter((op) => op !== "elementwise" && !compared.has(op)), []);
});
