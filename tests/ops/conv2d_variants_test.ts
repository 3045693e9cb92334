/** Every way to compute a convolution, forced in turn, against the same references. */
import assert from "node:assert/strict";
import {
  compile,
  conv2d,
  gradients,
  mul,
  Random,
  relu,
  relu6,
  type Tensor,
} from "../../ops/mod.ts";
import { add, constant } from "../../ops/mod.ts";
import { applies, chooseVariant, forcing, variantOf } from "../../ops/conv2d/variants.ts";
import type { Geometry } from "../../ops/graph/convolution.ts";
import { openGpu } from "../../kernels/runtime/device.ts";
import { CASES } from "../cases/all.ts";
import { VARIANTS } from "../cases/variants.ts";
import {
  assertClose,
  compareCase,
  evaluate,
  gpuForTests,
  note,
  randomValues,
  tensorOf,
} from "../compare.ts";
import { reference } from "../reference.ts";

const gpus = [await gpuForTests("texture"), await gpuForTests("buffer")];
const gpu = gpus[0]!;

for (const [what, variant, pattern] of VARIANTS) {
  const choose = forcing(() => variant);
  const cases = CASES.filter(({ name }) => pattern.test(name));
  for (const device of gpus) {
    Deno.test(`${what}: convolutions agree with their references (${device.storage})`, async () => {
      assert.ok(cases.length > 0);
      for (const operationCase of cases) {
        const { name, special } = operationCase;
        const some = { ...operationCase, special: { ...special, count: 5 } };
        note(`${what}, ${name}`, await compareCase(device, some, { choose }));
      }
    });
  }
}

for (const [what, variant] of VARIANTS) {
  Deno.test(`${what}: a convolution's epilogue`, async () => {
    const random = new Random(7);
    const size = variant.algorithm === "gemm" ? 1 : 3;
    const [input, other] = [0, 1].map(() => randomValues(random, [2, 12, 7, 9]));
    const weights = [0, 1].map(() => randomValues(random, [12, 12, size, size], 0.3));
    const bias = randomValues(random, [1, 12, 1, 1]);
    const options = { padding: (size - 1) / 2 };
    const [x, residual, w1, w2, b] = [input!, other!, ...weights, bias].map(tensorOf);
    const first = relu6(conv2d(x!, w1!, b, options));
    const y = relu(add(conv2d(first, w2!, b, options), residual!));
    const [dx] = gradients(mul(y, tensorOf(randomValues(random, y.shape))), [x!]);
    const results = await evaluate(gpu, [y, dx!], { fuse: true, choose: forcing(() => variant) });
    const plain = forcing((g, geometry) => variantOf("direct", g, geometry));
    const expected = await evaluate(gpu, [y, dx!], { fuse: false, choose: plain });
    const f = reference;
    const one = f.relu6(f.conv2d(input!, weights[0]!, bias, options));
    const two = f.relu(f.add(f.conv2d(one, weights[1]!, bias, options), other!));
    assertClose(results[0]!, two, "forward");
    assertClose(results[1]!, expected[1]!, "gradient");
    using program = await compile(gpu, { outputs: [y, dx!], choose: forcing(() => variant) });
    const kernel = {
      direct: "conv2d",
      gemm: "gemm",
      implicitGemm: "implicitGemm",
      winograd2: "winograd2Output",
      winograd4: "winograd4Output",
    }[variant.algorithm];
    const names = new Set(program.kernelNames);
    assert.ok(names.has(kernel), [...names].join());
    const staged = variant.tile.staged !== undefined;
    assert.equal(names.has("stagedProducts"), staged && kernel.startsWith("winograd"));
    assert.ok(!names.has("add") && !names.has("relu"), `not fused: ${[...names]}`);
  });
}

for (const algorithm of ["direct", "winograd2", "winograd4"] as const) {
  Deno.test(`${algorithm}: 64 channels of a real layer's size`, async () => {
    const random = new Random(11);
    const x = randomValues(random, [1, 64, 14, 17]);
    const w = randomValues(random, [64, 64, 3, 3], 1 / 24);
    const y = conv2d(tensorOf(x), tensorOf(w), undefined, { padding: 1 });
    const choose = forcing((g, geometry) => variantOf(algorithm, g, geometry));
    const [actual] = await evaluate(gpu, [y], { choose });
    const expected = reference.conv2d(x, w, undefined, { padding: 1 });
    note(algorithm, { forward: assertClose(actual!, expected, algorithm) });
  });
}

const LAYER: Geometry = {
  pictures: 1,
  inputs: 64,
  outputs: 64,
  size: [56, 56],
  kernel: [3, 3],
  stride: [1, 1],
  dilation: [1, 1],
  groups: 1,
  whole: true,
  sameSize: true,
  constantWeights: true,
};

Deno.test("the choice of an algorithm follows the geometry", () => {
  const chosen = (changes: Partial<Geometry>) =>
    chooseVariant(gpu, { ...LAYER, ...changes }).algorithm;
  assert.equal(chosen({}), "winograd4");
  assert.equal(chosen({ inputs: 512, outputs: 512, size: [7, 7] }), "winograd2");
  assert.equal(chosen({ inputs: 3 }), "direct");
  assert.equal(chosen({ stride: [2, 2], sameSize: false }), "direct");
  assert.equal(chosen({ dilation: [2, 2] }), "direct");
  assert.equal(chosen({ groups: 2 }), "direct");
  assert.equal(chosen({ whole: false }), "direct");
  assert.equal(chosen({ constantWeights: false }), "direct");
  assert.equal(chosen({ kernel: [1, 1] }), "gemm");
  assert.equal(chosen({ kernel: [1, 1], constantWeights: false }), "gemm");
  assert.equal(chosen({ kernel: [1, 1], stride: [2, 2], sameSize: false }), "direct");
});

Deno.test("a precise device computes convolutions by their definition", async () => {
  using precise = await openGpu({ precise: true });
  assert.equal(chooseVariant(precise, LAYER).algorithm, "direct");
  assert.equal(chooseVariant(precise, { ...LAYER, kernel: [1, 1] }).algorithm, "gemm");
});

Deno.test("a variant that cannot compute a convolution is refused", async () => {
  const x: Tensor = constant([1, 4, 5, 5], () => new Float32Array(100));
  const w = constant([4, 4, 5, 5], () => new Float32Array(400));
  const variant = VARIANTS.find(([what]) => what === "winograd4")![1];
  assert.ok(!applies("winograd4", { ...LAYER, kernel: [5, 5] }));
  await assert.rejects(
    compile(gpu, { outputs: [conv2d(x, w)], choose: () => variant }),
    /winograd4 cannot compute the convolution/,
  );
});
