/** Convolutions and programs say what is wrong with what they are given. */
import assert from "node:assert/strict";
import {
  compile,
  constant,
  conv2d,
  type Conv2dOptions,
  linear,
  type Shape,
  type Tensor,
  Variable,
} from "../../ops/mod.ts";
import { planProgram } from "../../ops/compiler/compile.ts";
import { gpuForTests } from "../compare.ts";

const gpu = await gpuForTests();
const of = (...shape: Shape): Tensor => constant(shape, () => new Float32Array(0));
const x = of(1, 4, 8, 9);
const weight = of(6, 4, 3, 3);
const conv = (options: Conv2dOptions) => conv2d(x, weight, undefined, options);

/** What is refused, and what is said. */
const REFUSED: [() => unknown, string][] = [
  [() => conv({ stride: 0 }), "conv2d: stride: expected whole numbers from 1 on, got 0, 0"],
  [
    () => conv({ stride: [1, 1.5] }),
    "conv2d: stride: expected whole numbers from 1 on, got 1, 1.5",
  ],
  [() => conv({ padding: -1 }), "conv2d: padding: expected whole numbers from 0 on, got -1, -1"],
  [
    () => conv({ padding: [0, NaN] }),
    "conv2d: padding: expected whole numbers from 0 on, got 0, NaN",
  ],
  [() => conv({ dilation: 0 }), "conv2d: dilation: expected whole numbers from 1 on, got 0, 0"],
  [() => conv({ groups: 0 }), "conv2d: groups: expected whole numbers from 1 on, got 0"],
  [() => conv({ groups: 0.5 }), "conv2d: groups: expected whole numbers from 1 on, got 0.5"],
  [
    () => conv({ groups: 2 }),
    "conv2d: weight [6,4,3,3] with groups 2 expects 8 input channels, input [1,4,8,9] has 4",
  ],
  [
    () => conv2d(x, of(3, 2, 3, 3), undefined, { groups: 2 }),
    "conv2d: 3 output channels cannot be split into 2 groups",
  ],
  [() => conv({ dilation: 4 }), "conv2d: input [1,4,8,9] is smaller than the kernel 3x3"],
  [
    () => conv2d(x, weight, of(1, 5, 1, 1)),
    "conv2d: bias: expected a tensor [1,6,1,1], got [1,5,1,1]",
  ],
  [
    () => conv2d(x, weight, of(6, 1, 1, 1)),
    "conv2d: bias: expected a tensor [1,6,1,1], got [6,1,1,1]",
  ],
  [() => linear(x, of(6, 4, 1, 1)), "linear: input: expected a tensor [1,4,1,1], got [1,4,8,9]"],
  [
    () => linear(of(2, 5, 1, 1), of(6, 4, 1, 1)),
    "linear: input: expected a tensor [2,4,1,1], got [2,5,1,1]",
  ],
  [
    () => linear(of(2, 4, 1, 1), weight),
    "linear: weight: expected a tensor [6,4,1,1], got [6,4,3,3]",
  ],
  [
    () => linear(of(2, 4, 1, 1), of(6, 4, 1, 1), of(1, 4, 1, 1)),
    "linear: bias: expected a tensor [1,6,1,1], got [1,4,1,1]",
  ],
];

Deno.test("convolutions refuse what makes no sense", () => {
  for (const [make, message] of REFUSED) assert.throws(make, { name: "RangeError", message });
});

Deno.test("a variable takes only values of its own shape", async () => {
  using variable = new Variable(gpu, [1, 4, 2, 3]);
  // Of as many values, of fewer, of more.
  for (const value of [of(1, 4, 3, 2), of(1, 1, 2, 3), of(2, 4, 2, 3)]) {
    const error = {
      name: "RangeError",
      message:
        `compile: value to assign to a variable: expected a tensor [1,4,2,3], got [${value.shape}]`,
    };
    const assign = [[variable, value]] as const;
    await assert.rejects(compile(gpu, { assign }), error);
    assert.throws(() => planProgram(gpu, { assign }), error);
  }
});
