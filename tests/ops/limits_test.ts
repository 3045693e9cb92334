/**
 * Shapes that ask for more workgroups along an axis than WebGPU allows (65535), or for more turns of
 * an invocation's loops than lavapipe makes: it ends them after 65535, all loops together, silently.
 */
import assert from "node:assert/strict";
import {
  constant,
  conv2d,
  gradients,
  maxPool2d,
  mul,
  Random,
  type Shape,
  type Tensor,
  tvDenoise,
} from "../../ops/mod.ts";
import { forcing, variantOf } from "../../ops/conv2d/variants.ts";
import type { ChooseVariant } from "../../ops/graph/convolution.ts";
import {
  assertClose,
  type CaseOptions,
  compareCase,
  evaluate,
  gpuForTests,
  type OperationCase,
  randomValues,
  tensorOf,
  values,
} from "../compare.ts";

import { reference } from "../reference.ts";

const gpu = await gpuForTests();

const dot = (a: Float64Array, b: Float64Array) =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** One random case of tensors of these shapes, forward and backward, as all operations are tested. */
function test(
  name: string,
  shapes: readonly Shape[],
  run: OperationCase<null>["run"],
  special: CaseOptions = {},
  choose?: ChooseVariant,
): void {
  Deno.test(name, async () => {
    await compareCase(gpu, {
      name,
      sample: (r) => ({ inputs: shapes.map((shape) => randomValues(r, shape)), options: null }),
      run,
      special: { count: 1, degree: 1, ...special },
    }, choose ? { choose } : {});
  });
}

// Grids.
const MANY: Shape = [70000, 1, 1, 1];
test("many pictures", [MANY], (f, [x]) => f.affine(x!, 2));
test("many rows", [[1, 1, 262150, 1]], (f, [x]) => f.affine(x!, 2));
test("many columns", [[1, 1, 1, 1048600]], (f, [x]) => f.affine(x!, 2));
test("many channels through a rectifier", [[1, 262150, 1, 1]], (f, [x]) => f.relu(x!));
test("many pictures reduced", [[70000, 1, 2, 1]], (f, [x]) => f.sum(x!, [2]));
test(
  "many pictures pooled",
  [[70000, 1, 2, 2]],
  (f, [x]) => f.maxPool2d(x!, { kernel: 2 }),
);
for (const algorithm of ["direct", "gemm", "implicitGemm"] as const) {
  test(
    `many pictures convolved (${algorithm})`,
    [[70000, 1, 1, 1], [5, 1, 1, 1]],
    (f, [x, w]) => f.conv2d(x!, w!),
    {},
    forcing((gpu, geometry) => variantOf(algorithm, gpu, geometry)),
  );
}
test(
  "many rows times a matrix",
  [[1, 1, 1048600, 1], [1, 1, 1, 1]],
  (f, [x, w]) => f.conv2d(x!, w!),
  { wrt: [0] },
);
test(
  "many pictures convolved depthwise",
  [[70000, 2, 1, 1], [2, 1, 3, 3]],
  (f, [x, w]) => f.conv2d(x!, w!, undefined, { padding: 1, groups: 2 }),
);

// Loops.
for (const shape of [[1, 1, 1, 66000], [1, 1, 66000, 1]] as const) {
  Deno.test(`a picture of ${shape[2]}x${shape[3]} denoised`, async () => {
    const r = new Random(7);
    const [x, cotangent, v] = [0.3, 1, 1].map((scale) => randomValues(r, shape, scale));
    const settings = values([1, 2, 1, 1], [3, -1]);
    const input = tensorOf(x!);
    const y = tvDenoise(input, tensorOf(settings), 1);
    const gradient = gradients(mul(y, tensorOf(cotangent!)), [input]);
    const [forward, dx] = await evaluate(gpu, [y, ...gradient]);
    assertClose(forward!, reference.tvDenoise(x!, settings, 1), "forward");
    const moved = [1e-6, -1e-6].map((h) => {
      const data = x!.data.map((value, i) => value + h * v!.data[i]!);
      return dot(reference.tvDenoise({ shape, data }, settings, 1).data, cotangent!.data);
    });
    const expected = (moved[0]! - moved[1]!) / 2e-6;
    const error = dot(dx!.data, v!.data) - expected;
    // A hundredth of the pixels left out would be far more.
    assert.ok(Math.abs(error) < 1e-4 * Math.sqrt(dot(dx!.data, dx!.data) * shape[2] * shape[3]));
  });
}
Deno.test("a picture denoised whose state is more than one piece of memory", async () => {
  const shape = [1, 1, 1500, 1420] as const;
  const r = new Random(8);
  const x = randomValues(r, shape, 0.3), settings = values([1, 2, 1, 1], [3, -1]);
  const [y] = await evaluate(gpu, [tvDenoise(tensorOf(x), tensorOf(settings), 2)]);
  assertClose(y!, reference.tvDenoise(x, settings, 2), "forward");
});
test(
  "the average of 256x256 pixels",
  [[1, 2, 257, 260]],
  (f, [x]) => f.averagePool2d(x!, { kernel: 256, stride: 2, padding: 3 }),
);
test(
  "the average of 256x256 pixels without the padding",
  [[1, 1, 200, 300]],
  (f, [x]) => f.averagePool2d(x!, { kernel: 256, padding: 100, countIncludePad: false }),
);
test(
  "the average of a row",
  [[1, 1, 1, 263000]],
  (f, [x]) => f.averagePool2d(x!, { kernel: [1, 262500], stride: 500 }),
  { tolerance: 1e-4 }, // of a mean near 0
);
test(
  "the largest of 256x256 pixels",
  [[1, 2, 257, 260]],
  (f, [x]) => f.maxPool2d(x!, { kernel: 256, stride: [1, 3], padding: [2, 4] }),
);

Deno.test("the first of equal maxima in a large window", async () => {
  const size = 256;
  const data = new Float64Array(size * size).map((_, i) => i % size < 3 ? -1 : i < 300 ? 0 : 2);
  const x = tensorOf({ shape: [1, 1, size, size], data });
  const [dx] = await evaluate(gpu, gradients(maxPool2d(x, { kernel: size }), [x]));
  assert.deepEqual([dx!.data.indexOf(1), dx!.data.lastIndexOf(1)], [300, 300]);
});
test(
  "a convolution of 270000 channels",
  [[1, 270000, 1, 1], [1, 270000, 1, 1]],
  (f, [x, w]) => f.conv2d(x!, w!),
  { wrt: [0] },
);
test(
  "the gradient of 2460 outputs that see all of a map",
  [[2, 8, 7, 7], [2460, 8, 7, 7]],
  (f, [x, w]) => f.conv2d(x!, w!),
  { wrt: [0] },
);
Deno.test("a gradient with too many products is refused", () => {
  const w = constant([130000, 1, 1, 1], () => new Float32Array(130000));
  const x = constant([1, 1, 1, 300000], () => new Float32Array(300000));
  const one = constant([1, 1, 1, 1], () => new Float32Array(1));
  const refused = (loss: Tensor, of: Tensor) =>
    assert.throws(() => gradients(loss, [of]), { name: "RangeError", message: /conv2d: expected/ });
  refused(conv2d(one, w), one);
  refused(conv2d(x, one), one);
});
