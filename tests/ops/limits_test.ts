/**
 * Shapes that ask for more workgroups along an axis than WebGPU allows (65535), or for more turns of
 * an invocation's loops than lavapipe makes: it ends them after 65535, all loops together, silently.
 */
import type { Shape } from "../../ops/mod.ts";
import { forcing, variantOf } from "../../ops/conv2d/variants.ts";
import type { Choose } from "../../ops/graph/convolution.ts";
import {
  type CaseOptions,
  compareCase,
  gpuForTests,
  type OperationCase,
  randomValues,
} from "../compare.ts";

const gpu = await gpuForTests();

/** One random case of tensors of these shapes, forward and backward, as all operations are tested. */
function test(
  name: string,
  shapes: readonly Shape[],
  run: OperationCase<null>["run"],
  special: CaseOptions = {},
  choose?: Choose,
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
