/** Operations say what is wrong with what they are given, before anything is computed. */
import assert from "node:assert/strict";
import {
  affine,
  averagePool2d,
  clampTo,
  constant,
  expand,
  gaussianBlur,
  gaussianKernel,
  localResponseNorm,
  maxPool2d,
  mean,
  pad,
  radialMask,
  resample,
  resize,
  roll,
  type Shape,
  slice,
  type Tensor,
  tvDenoise,
  warp,
} from "../../ops/mod.ts";
import { bandMatrix } from "../../ops/image/band_matrix.ts";

const of = (...shape: Shape): Tensor => constant(shape, () => new Float32Array(0));
const x = of(1, 3, 8, 9);
const identity = (size: number) => bandMatrix(size, size, (i) => [[i, 1]]);

/** What is refused, and a part of the message. */
const REFUSED: [string, () => unknown][] = [
  ["warp: theta: expected a tensor [1,6,1,1], got [1,4,1,1]", () => warp(x, of(1, 4, 1, 1))],
  ["roll: shift: expected a tensor [1,2,1,1], got [2,1,1,1]", () => roll(x, of(2, 1, 1, 1))],
  ["tvDenoise: settings: expected", () => tvDenoise(x, of(1, 1, 1, 1), 5)],
  ["tvDenoise: sweeps: expected whole numbers from 0 on, got -1", () => {
    return tvDenoise(x, of(1, 2, 1, 1), -1);
  }],
  ["tvDenoise: expected at most 4 channels, got [1,5,2,2]", () => {
    return tvDenoise(of(1, 5, 2, 2), of(1, 2, 1, 1), 1);
  }],
  ["gaussianBlur: weights: expected", () => gaussianBlur(x, of(1, 3, 1, 2))],
  ["gaussianBlur: number of weights: expected", () => gaussianBlur(x, of(1, 200000, 1, 1))],
  ["gaussianKernel: expected a sigma above 0, got 0", () => gaussianKernel(0, 2)],
  ["gaussianKernel: radius: expected", () => gaussianKernel(1, 1.5)],
  ["radialMask: numbers: expected", () => radialMask(of(1, 3, 1, 1), 8, 8, true)],
  ["radialMask: height and width: expected", () => radialMask(of(1, 4, 1, 1), 8, 0, true)],
  ["maxPool2d: stride: expected whole numbers from 1 on, got 0, 0", () => {
    return maxPool2d(x, { kernel: 2, stride: 0 });
  }],
  ["maxPool2d: kernel: expected", () => maxPool2d(x, { kernel: [2, 1.5] })],
  ["maxPool2d: dilation: expected", () => maxPool2d(x, { kernel: 2, dilation: 0 })],
  ["maxPool2d: expected a window of at most 20000", () => {
    return maxPool2d(of(1, 1, 1, 70000), { kernel: [1, 65000] });
  }],
  ["averagePool2d: padding: expected", () => averagePool2d(x, { kernel: 2, padding: -1 })],
  ["averagePool2d: kernel: expected", () => averagePool2d(x, { kernel: NaN })],
  ["resize of [1,3,8,9]: the size must be whole", () => resize(x, { size: 2.5, mode: "area" })],
  ["resample: expected matrices for the rows and columns of [1,3,8,9], got some for 8x8", () => {
    return resample(x, identity(8), identity(8));
  }],
  ["slice: step: expected whole numbers from 1 on, got 1, 0, 1", () => {
    return slice(x, { step: [1, 0, 1] });
  }],
  ["slice: start: expected", () => slice(x, { start: [-1, 0, 0] })],
  ["slice: size: expected", () => slice(x, { size: [1, 1.5, 1] })],
  ["slice: [4,1,1] elements from [0,0,0]", () => slice(x, { size: [4, 1, 1] })],
  ["pad: low: expected", () => pad(x, { low: [0, -1, 0], high: [0, 0, 0] })],
  ["pad: high: expected", () => pad(x, { low: [0, 0, 0], high: [0, 0, 0.5] })],
  ["affine: expected numbers, got NaN", () => affine(x, NaN)],
  ["clampTo: expected low ≤ high, got 1 and 0", () => clampTo(x, 1, 0)],
  ["expand: [1,3,8,9] cannot be repeated to [1,4,8,9]", () => expand(x, [1, 4, 8, 9])],
  ["reduction: expected different axes from 0 to 3, got 1, 1", () => mean(x, [1, 1])],
  ["localResponseNorm: size: expected", () => localResponseNorm(x, { size: 0 })],
  ["localResponseNorm: expected a k above 0", () => localResponseNorm(x, { size: 3, k: 0 })],
];

for (const [message, make] of REFUSED) {
  Deno.test(`refused with "${message}"`, () => {
    assert.throws(make, (error: Error) => {
      assert.equal(error.name, "RangeError");
      assert.ok(error.message.startsWith(message), error.message);
      return true;
    });
  });
}
