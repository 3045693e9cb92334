/** Reductions where random small pictures do not look: ties, long axes, huge numbers. */
import assert from "node:assert/strict";
import {
  affine,
  crossEntropy,
  gradients,
  logSoftmax,
  max,
  mul,
  Random,
  type Shape,
  sizeOf,
  softmax,
  sum,
} from "../../ops/mod.ts";
import {
  assertClose,
  evaluate,
  gpuForTests,
  note,
  randomValues,
  tensorOf,
  values,
} from "../compare.ts";
import { reference } from "../reference.ts";

const gpu = await gpuForTests();

Deno.test("max: equal elements share the gradient", async () => {
  const x = tensorOf(values([1, 3, 1, 2], [4, 1, 2, 1, 4, 1]));
  const weights = tensorOf(values([1, 1, 1, 2], [6, 9]));
  const [dx] = gradients(mul(max(x, [1]), weights), [x]);
  const [result] = await evaluate(gpu, [dx!]);
  assert.deepEqual([...result!.data], [3, 3, 0, 3, 3, 3]);
});

Deno.test("max: also of the lowest numbers there are", async () => {
  const x = tensorOf(values([1, 5, 1, 2], Array(10).fill(-Infinity)));
  const low = tensorOf(values([1, 5, 2, 1], Array(10).fill(-3e38)));
  const [a, b] = await evaluate(gpu, [max(x, [1]), max(low, [1, 2])]);
  assert.deepEqual([...a!.data, ...b!.data], [-Infinity, -Infinity, Math.fround(-3e38)]);
});

Deno.test("sum: axes longer than a loop may be, and many pixels, to 1e-6", async () => {
  const random = new Random(5);
  const cases: [Shape, (0 | 1 | 2 | 3)[]][] = [
    [[1, 1, 1, 200_000], [3]],
    [[1, 1, 70_001, 2], [2]],
    [[64, 24, 48, 48], [0, 2, 3]],
  ];
  for (const [shape, axes] of cases) {
    // About 1: an error that grows with the count would show.
    const x = randomValues(random, shape, 0.1);
    x.data.forEach((v, i) => x.data[i] = Math.fround(1 + v));
    const [result] = await evaluate(gpu, [sum(tensorOf(x), axes)]);
    note(`sum of ${shape}`, { forward: assertClose(result!, reference.sum(x, axes), "sum", 1e-6) });
  }
});

Deno.test("softmax and crossEntropy: logits of any size", async () => {
  const shape: Shape = [3, 4, 1, 1];
  const logits = [[1e4, 1e4, -1e4, 0], [-3e38, 0, -88, -104], [-5e4, -5e4, -5e4, -5e4]];
  const targets = [[1, 0, 0, 0], [0, 0, 1, 0], [0.25, 0.25, 0.25, 0.25]];
  const x = tensorOf(values(shape, logits.flat()));
  const t = tensorOf(values(shape, targets.flat()));
  const loss = crossEntropy(x, t);
  const results = await evaluate(gpu, [softmax(x), loss, ...gradients(loss, [x])]);
  const p = [0.5, 0.5, 0, 0, 0, 1, 0, 0, 0.25, 0.25, 0.25, 0.25];
  assertClose(results[0]!, values(shape, p), "softmax", 1e-7);
  const nats = (Math.log(2) + 88 + Math.log(4)) / 3;
  assertClose(results[1]!, values([1, 1, 1, 1], [nats]), "crossEntropy", 1e-6);
  const gradient = p.map((v, i) => (v - targets.flat()[i]!) / 3);
  assertClose(results[2]!, values(shape, gradient), "gradient of crossEntropy", 1e-6);
});

Deno.test("logSoftmax: the logarithm of a probability that float32 does not know", async () => {
  const x = values([1, 2, 1, 1], [0, -200]);
  const [result] = await evaluate(gpu, [logSoftmax(tensorOf(x))]);
  assert.deepEqual([...result!.data], [0, -200]);
});

Deno.test("crossEntropy: shapes that do not fit are named", () => {
  const logits = tensorOf(randomValues(new Random(1), [2, 3, 1, 1]));
  const map = tensorOf(randomValues(new Random(1), [2, 3, 2, 1]));
  assert.throws(() => crossEntropy(logits, affine(map, 1)), /\[2,3,1,1\] and \[2,3,2,1\]/);
  assert.throws(() => crossEntropy(map, map), /\[N,C,1,1\]/);
  assert.equal(sizeOf(crossEntropy(logits, logits).shape), 1);
});
