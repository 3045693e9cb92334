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
import type { Geometry, Variant } from "../../ops/graph/convolution.ts";
import { openGpu } from "../../kernels/runtime/device.ts";
import { CASES } from "../cases/all.ts";
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

const GPU_TILE = { quads: 2, pixels: 4, workgroup: 64 };
const ODD_TILE = { quads: 1, pixels: 5, workgroup: 16 };
const BIG_TILE = { quads: 4, pixels: 8, workgroup: 16 };
const STAGED_TILE = { quads: 1, pixels: 4, workgroup: 64, staged: { blocks: 8, step: 4 } };
const ODD_STAGED_TILE = { quads: 2, pixels: 3, workgroup: 20, staged: { blocks: 4, step: 3 } };
const bytes = 2 ** 24;

/** What is forced, and on which cases. */
const VARIANTS: [string, Variant, RegExp][] = [
  ["direct, unrolled", { algorithm: "direct", tile: GPU_TILE, rolled: false }, /onvolution/],
  ["direct, rolled", { algorithm: "direct", tile: ODD_TILE, rolled: true }, /onvolution/],
  ["gemm", { algorithm: "gemm", tile: GPU_TILE }, /^1x1/],
  ["gemm, odd tile", { algorithm: "gemm", tile: ODD_TILE }, /^1x1/],
  ["implicitGemm", { algorithm: "implicitGemm", tile: STAGED_TILE }, /onvolution/],
  ["implicitGemm, odd tile", { algorithm: "implicitGemm", tile: ODD_STAGED_TILE }, /onvolution/],
  ["winograd2", { algorithm: "winograd2", tile: BIG_TILE, bytes }, /^3x3 convolution( with|$)/],
  ["winograd4", { algorithm: "winograd4", tile: BIG_TILE, bytes }, /^3x3 convolution( with|$)/],
  ["winograd4, odd tile", { algorithm: "winograd4", tile: ODD_TILE, bytes }, /^3x3 convolution$/],
  ["winograd2, staged", { algorithm: "winograd2", tile: STAGED_TILE, bytes }, /^3x3 convolution$/],
  [
    "winograd4, staged, odd tile",
    { algorithm: "winograd4", tile: ODD_STAGED_TILE, bytes },
    /^3x3 convolution$/,
  ],
  // Memory for one tile of the product: the picture falls into pieces.
  ["winograd2, pieces", { algorithm: "winograd2", tile: GPU_TILE, bytes: 1 }, /^3x3 convolution$/],
  ["winograd4, pieces", { algorithm: "winograd4", tile: GPU_TILE, bytes: 1 }, /^3x3 convolution$/],
];

for (const [what, variant, pattern] of VARIANTS) {
  const choose = forcing(() => variant);
  const cases = CASES.filter(({ name }) => pattern.test(name) && !/depthwise|weights/.test(name));
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
