/** Resizing and pooling against OpenCV, PyTorch and SciPy, run next to it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  adaptiveAveragePool2d,
  affine,
  gradients,
  maxPool2d,
  mul,
  Random,
  resize,
  type Tensor,
} from "../../ops/mod.ts";
import { assertClose, evaluate, gpuForTests, note, tensorOf, values } from "../compare.ts";
import { findPython, readFloats, runReference, WANTED_PYTHON } from "../python.ts";

const gpu = await gpuForTests();
const python = findPython();
// deno-lint-ignore no-console
if (!python) console.warn(`SKIPPED comparisons with other libraries; missing: ${WANTED_PYTHON}`);

type Size = [number, number];

/** What Python makes of some cases: the arrays x, y and so on of each. */
function runCases(cases: unknown[], names: string[]): Promise<Record<string, Float32Array>[]> {
  return runReference(
    python!,
    "resize_reference.py",
    [JSON.stringify(cases)],
    (out) =>
      cases.map((_, i) =>
        Object.fromEntries(names.map((name) => [name, readFloats(join(out, `${i}_${name}.f32`))]))
      ),
  );
}

/** How a picture is resized, by the name resize_reference.py knows. */
const HOW: Record<string, (x: Tensor, size: Size) => Tensor> = {
  "area": (x, size) => resize(x, { size, mode: "area" }),
  "bilinear": (x, size) => resize(x, { size, mode: "bilinear" }),
  "bilinear, corners aligned": (x, size) =>
    resize(x, { size, mode: "bilinear", alignCorners: true }),
  "cubicSpline": (x, size) => resize(x, { size, mode: "cubicSpline" }),
  "adaptive": adaptiveAveragePool2d,
};
/** From and to: single pixels, whole factors, awkward factors, photos. */
const SIZES: [Size, Size][] = [
  [[1, 1], [3, 2]],
  [[2, 9], [1, 1]],
  [[5, 1], [2, 3]],
  [[12, 18], [4, 6]],
  [[4, 6], [12, 18]],
  [[13, 10], [6, 6]],
  [[7, 49], [35, 28]],
  [[2, 60], [60, 2]],
  [[375, 500], [224, 224]],
  [[375, 500], [512, 512]],
  [[128, 128], [154, 154]],
  [[1000, 3], [7, 3]],
];

Deno.test({
  name: "resizing and adaptive pooling equal OpenCV's, PyTorch's and SciPy's",
  ignore: !python,
  async fn() {
    const random = new Random(3);
    const side = () => 1 + random.integer(70);
    const drawn = Array.from({ length: 15 }, (): [Size, Size] => [[side(), side()], [
      side(),
      side(),
    ]]);
    const cases = Object.keys(HOW).flatMap((how) =>
      [...SIZES, ...drawn].map(([x, y]) => ({ how, x, y }))
    );
    const arrays = await runCases(cases, ["x", "y"]);
    const tensors = cases.map(({ how, x, y }, i) =>
      HOW[how]!(tensorOf(values([1, 1, ...x], arrays[i]!.x!)), y)
    );
    const results = await evaluate(gpu, tensors);
    const errors: Record<string, number> = {};
    cases.forEach(({ how, x, y }, i) => {
      const what = `${how} ${x.join("x")} to ${y.join("x")}`;
      const error = assertClose(results[i]!, values([1, 1, ...y], arrays[i]!.y!), what);
      errors[how] = Math.max(errors[how] ?? 0, error);
    });
    note("resizing like other libraries", errors);
  },
});

Deno.test({
  name: "dilated maximum pooling equals PyTorch's, its gradient too",
  ignore: !python,
  async fn() {
    const random = new Random(4);
    const cases = Array.from({ length: 30 }, () => {
      const kernel: Size = [1 + random.integer(4), 1 + random.integer(4)];
      const options = {
        kernel,
        stride: [1 + random.integer(3), 1 + random.integer(3)] as Size,
        padding: kernel.map((k) => random.integer(Math.floor(k / 2) + 1)) as Size,
        dilation: [1 + random.integer(3), 1 + random.integer(3)] as Size,
        ceilMode: random.integer(2) === 1,
      };
      const x: Size = [10 + random.integer(20), 10 + random.integer(20)];
      return { how: "maxPool2d", x, options };
    });
    const arrays = await runCases(cases, ["x", "y", "gx"]);
    const tensors = cases.flatMap(({ x, options }, i) => {
      const input = tensorOf(values([1, 1, ...x], arrays[i]!.x!));
      const y = maxPool2d(input, options);
      return [y, gradients(affine(mul(y, y), 0.5), [input])[0]!];
    });
    const results = await evaluate(gpu, tensors);
    cases.forEach(({ x, options }, i) => {
      const [y, gx] = results.slice(2 * i, 2 * i + 2);
      const what = `${x.join("x")} ${JSON.stringify(options)}`;
      assertClose(y!, values(y!.shape, arrays[i]!.y!), what);
      assertClose(gx!, values(gx!.shape, arrays[i]!.gx!), `${what}: gradient`);
    });
  },
});

Deno.test("sizes and options that make no sense are refused", () => {
  const x = tensorOf(values([1, 1, 2, 3], [1, 2, 3, 4, 5, 6]));
  const cases: [() => Tensor, string][] = [
    [
      () => resize(x, { size: [0, 2], mode: "area" }),
      "resize of [1,1,2,3]: the size must be whole numbers from 1, got 0x2",
    ],
    [
      () => adaptiveAveragePool2d(x, 1.5),
      "adaptiveAveragePool2d of [1,1,2,3]: the size must be whole numbers from 1, got 1.5x1.5",
    ],
    [
      () => resize(x, { size: 2, mode: "area", alignCorners: true }),
      'resize: alignCorners is for "bilinear" only, got it with "area"',
    ],
  ];
  for (const [make, message] of cases) assert.throws(make, { name: "RangeError", message });
});
