/** Rewriting the graph changes what runs, and no number. */
import assert from "node:assert/strict";
import {
  add,
  affine,
  ancestors,
  batchNorm,
  compile,
  concat,
  conv2d,
  gradients,
  maxPool2d,
  mul,
  multiplyAdd,
  Random,
  relu,
  relu6,
  type Shape,
  sum,
  type Tensor,
} from "../../ops/mod.ts";
import * as ops from "../../ops/mod.ts";
import { rewriteGraph, RULES } from "../../ops/compiler/rules.ts";
import type { Rule } from "../../ops/compiler/rules/rule.ts";
import { isOp } from "../../ops/graph/tensor.ts";
import { assertClose, evaluate, gpuForTests, randomValues, tensorOf } from "../compare.ts";
import { type Operations, reference, type Values } from "../reference.ts";

const gpus = [await gpuForTests("texture"), await gpuForTests("buffer")];
const gpu = gpus[0]!;

const CHANNELS = 8;
const INPUT: Shape = [2, CHANNELS, 5, 8];

/** Where a network comes from: operations, and how its weights become operands. */
interface Maker<T> {
  f: Operations<T>;
  of(values: Values): T;
}

const onGpu: Maker<Tensor> = { f: ops, of: tensorOf };
const onHost: Maker<Values> = { f: reference, of: (values) => values };

/** A random network of blocks that keep the shape; all tensors it makes, in order. */
function network<T>({ f, of }: Maker<T>, input: T, seed: number): T[] {
  const random = new Random(seed);
  const all: T[] = [];
  const keep = (tensor: T) => (all.push(tensor), tensor);
  const weight = (shape: Shape, scale: number) => of(randomValues(random, shape, scale));
  const conv = (
    x: T,
    size: 1 | 3,
    { inputs = CHANNELS, outputs = CHANNELS, bias = false } = {},
  ) => {
    const w = weight([outputs, inputs, size, size], 1 / Math.sqrt(inputs * size * size));
    const b = bias ? weight([1, outputs, 1, 1], 0.3) : undefined;
    return keep(f.conv2d(x, w, b, { padding: (size - 1) / 2 }));
  };
  const norm = (x: T, channels = CHANNELS) => {
    const [mean, shift, scale] = [0.2, 3, 3].map((s) => weight([1, channels, 1, 1], s));
    const { shape, data } = randomValues(random, [1, channels, 1, 1]);
    const variance = of({ shape, data: data.map((v) => Math.fround(0.5 + v * v)) });
    return keep(f.batchNorm(x, { mean: mean!, variance, weight: scale!, bias: shift! }));
  };
  const rectify = (x: T) => keep(random.integer(2) ? f.relu(x) : f.relu6(x));

  const blocks: ((x: T) => T)[] = [
    // Basic block. Wide shifts and scales, so that rectifiers are open, shut and saturated.
    (x) => rectify(keep(f.add(norm(conv(rectify(norm(conv(x, 3, { bias: true }))), 1)), x))),
    // Two convolutions meet in a sum; one has a rectifier of its own.
    (x) => rectify(keep(f.add(rectify(conv(x, 1, { bias: true })), norm(conv(x, 3))))),
    // Two branches whose channels begin at a whole quad, or not.
    (x) => {
      const left = random.pick([3, 4]);
      const branches = [left, CHANNELS - left].map((outputs) =>
        rectify(norm(conv(x, random.pick([1, 3]), { outputs }), outputs))
      );
      return keep(f.concat(branches));
    },
    // A convolution used twice, which must keep its value.
    (x) => {
      const shared = conv(x, 1, { bias: true });
      return keep(f.add(rectify(shared), keep(f.affine(shared, 0.5, 0.1))));
    },
    // Normalised, then used by a rectifier and by the sum around it.
    (x) => {
      const normalised = norm(conv(x, 3));
      return keep(f.add(conv(rectify(normalised), 1), normalised));
    },
    // Depthwise, with a shortcut.
    (x) => {
      const w = weight([CHANNELS, 1, 3, 3], 0.4);
      const y = keep(f.conv2d(x, w, undefined, { padding: 1, groups: CHANNELS }));
      return rectify(keep(f.add(norm(y), x)));
    },
    // Rectified twice on the way forth and back, then pooled.
    (x) => {
      const y = keep(f.relu6(keep(f.relu(conv(x, 3, { bias: true })))));
      return keep(f.maxPool2d(conv(y, 1), { kernel: 3, stride: 1, padding: 1 }));
    },
    // Rectified, then pooled: the pool's gradient meets the rectifier's.
    (x) => keep(f.maxPool2d(rectify(conv(x, 3)), { kernel: 3, stride: 1, padding: 1 })),
    // Two shortcuts.
    (x) => {
      const inner = keep(f.add(conv(x, 3), x));
      return keep(f.add(inner, keep(f.affine(x, -0.5))));
    },
  ];
  let x = input;
  for (let i = 0; i < 4; i++) x = random.pick(blocks)(x);
  return all;
}

for (const device of gpus) {
  Deno.test(`rewriting random networks changes no number (${device.storage})`, async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = new Random(100 + seed);
      const input = randomValues(random, INPUT);
      const x = tensorOf(input);
      const all = network(onGpu, x, seed);
      const expected = network(onHost, input, seed);
      const y = all.at(-1)!;
      const cotangent = randomValues(random, y.shape);
      const [dx] = gradients(mul(y, tensorOf(cotangent)), [x]);
      // Some tensors in the middle are asked for by name; each must keep its value.
      const tapped = all.map((_, i) => i).filter(() => random.uniform() < 0.2 * (seed % 3));
      const asked = [y, dx!, ...tapped.map((i) => all[i]!)];
      const plain = await evaluate(device, asked, { fuse: false });
      const fused = await evaluate(device, asked, { fuse: true });
      const name = `network ${seed}`;
      for (const results of [plain, fused]) {
        assertClose(results[0]!, expected.at(-1)!, name);
        tapped.forEach((i, j) => {
          const { op, id } = all[i]!;
          assertClose(results[2 + j]!, expected[i]!, `${name}, tapped ${op} ${id}`);
        });
      }
      assertClose(fused[1]!, plain[1]!, `${name}: gradient`);

      const v = randomValues(random, INPUT);
      const along = (h: number) => {
        const moved = { ...input, data: input.data.map((value, i) => value + h * v.data[i]!) };
        const { data } = network(onHost, moved, seed).at(-1)!;
        return data.reduce((total, value, i) => total + value * cotangent.data[i]!, 0);
      };
      const h = 1e-6;
      const difference = (along(h) - along(-h)) / (2 * h);
      const slope = plain[1]!.data.reduce((total, g, i) => total + g * v.data[i]!, 0);
      const scale = Math.hypot(...plain[1]!.data) * Math.hypot(...v.data);
      assert.ok(
        Math.abs(slope - difference) < 1e-5 * scale,
        `${name}: gradient gives ${slope}, differences ${difference}`,
      );
    }
  });
}

const random = new Random(3);
const randomTensor = (shape: Shape) => tensorOf(randomValues(random, shape));
const image = () => randomTensor(INPUT);
const conv1x1 = (x: Tensor) => conv2d(x, randomTensor([CHANNELS, x.shape[1], 1, 1]));
function norm(x: Tensor): Tensor {
  const shape: Shape = [1, x.shape[1], 1, 1];
  const { data } = randomValues(random, shape);
  const variance = tensorOf({ shape, data: data.map((v) => Math.fround(0.5 + v * v)) });
  return batchNorm(x, { mean: randomTensor(shape), variance, weight: randomTensor(shape) });
}

/** Of element functions there is a test of its own: fuse_elements_test.ts. */
const rewritten = (...roots: Tensor[]) =>
  rewriteGraph(roots, RULES.filter(({ name }) => name !== "fuseElements"));

/** The operations left after rewriting, without leaves. */
function left(...roots: Tensor[]): string[] {
  return ancestors(rewritten(...roots)).filter((n) => n.inputs.length > 0).map((n) => n.op);
}

const perChannel = () => randomTensor([1, CHANNELS, 1, 1]);
const gradientOf = (y: Tensor, x: Tensor) => gradients(mul(y, randomTensor(y.shape)), [x])[0]!;

/** For each rule a graph, its kernels without that rule, and with all of them. */
const EACH: Record<
  (typeof RULES)[number]["name"],
  { graph: (x: Tensor) => Tensor[]; without: string; all: string }
> = {
  joinRectifiers: {
    graph: (x) => {
      const whole = concat([relu(conv1x1(x)), relu(conv1x1(x))]);
      return [gradientOf(conv1x1(whole), x), whole];
    },
    without: "gemm rectifierMask gemm rectifierMask identity+mul gemm rectifierGradient " +
      "rectifierGradient gemm gemm",
    all: "gemm gemm rectifierMask identity+mul gemm gemm gemm",
  },
  gatePooled: {
    graph: (x) => {
      const pooled = maxPool2d(relu(conv1x1(x)), { kernel: 3, stride: 2, padding: 1 });
      return [gradientOf(conv1x1(pooled), x), pooled];
    },
    without: "identity mul gemm gemm maxPool2dWithIndices rectifierMask maxPool2dGradient " +
      "rectifierGradient gemm",
    all: "identity mul gemm maxPool2dWithIndices rectifierMask gemm maxPool2dGradient gemm",
  },
  foldConstants: {
    graph: (x) => [mul(x, mul(perChannel(), perChannel()))],
    without: "mul mul",
    all: "mul",
  },
  scaleOutputs: {
    graph: (x) => [multiplyAdd(conv1x1(x), perChannel(), perChannel())],
    without: "gemm multiplyAdd",
    all: "gemm",
  },
  scaleOutputsOfGradient: {
    graph: (x) => [gradientOf(multiplyAdd(conv1x1(x), perChannel(), perChannel()), x)],
    without: "identity+mul+mul gemm",
    all: "identity+mul gemm",
  },
  scaleInputsOfGradient: {
    graph: (x) => [gradientOf(conv1x1(multiplyAdd(x, perChannel(), perChannel())), x)],
    without: "identity+mul gemm mul",
    all: "identity+mul gemm",
  },
  addResidual: {
    graph: (x) => [add(conv1x1(x), image())],
    without: "gemm add",
    all: "gemm",
  },
  rectify: { graph: (x) => [relu(conv1x1(x))], without: "gemm relu", all: "gemm" },
  gateGradient: {
    graph: (x) => [gradientOf(conv1x1(relu(conv1x1(x))), x)],
    without: "gemm rectifierMask identity+mul gemm rectifierGradient gemm",
    all: "gemm rectifierMask identity+mul gemm gemm",
  },
  fuseElements: {
    graph: (x) => [add(mul(x, image()), image())],
    without: "mul add",
    all: "mul+add",
  },
};

for (const rule of RULES) {
  Deno.test(`without the rule ${rule.name} other kernels run`, async () => {
    const { graph, without, all } = EACH[rule.name];
    const roots = graph(image());
    const kernels = async (rules: readonly Rule[]) => {
      using program = await compile(gpu, { outputs: rewriteGraph(roots, rules), fuse: false });
      return program.kernelNames.join(" ");
    };
    assert.equal(await kernels(RULES.filter((other) => other !== rule)), without);
    assert.equal(await kernels(RULES), all);
  });
}

Deno.test("normalisation, residual and rectifier become a convolution's epilogue", () => {
  const x = image();
  assert.deepEqual(left(relu(norm(conv1x1(x)))), ["conv2d"]);
  assert.deepEqual(left(relu6(add(norm(conv1x1(x)), x))), ["conv2d"]);
  assert.deepEqual(left(relu(add(x, norm(conv1x1(x))))), ["conv2d"]);
});

Deno.test("the gradient of a fused block is one convolution, gate included", () => {
  const x = image();
  const hidden = relu(norm(conv1x1(x)));
  const y = relu(norm(conv1x1(hidden)));
  const names = left(...gradients(mul(y, image()), [x]));
  assert.deepEqual(names.filter((op) => op.startsWith("conv2d")), [
    "conv2d",
    "conv2d",
    "conv2dInputGradient",
    "conv2dInputGradient",
  ]);
  // What is left: the cotangent, the gate of the last rectifier, and a mask for each.
  assert.equal(names.filter((op) => op === "elementwise").length, 2, names.join());
  assert.equal(names.filter((op) => op === "rectifierGradient").length, 1, names.join());
  assert.equal(names.filter((op) => op === "rectifierMask").length, 2, names.join());
});

Deno.test("the gradient of scaled channels is one convolution", async () => {
  const x = image();
  for (const [stride, groups] of [[1, 1], [2, 1], [1, 2]] as const) {
    const scaled = multiplyAdd(x, perChannel(), perChannel());
    const weight = randomTensor([6, CHANNELS / groups, 3, 3]);
    const y = conv2d(scaled, weight, undefined, { stride, groups, padding: 1 });
    const [dx] = gradients(mul(y, randomTensor(y.shape)), [x]);
    const count = left(dx!).filter((op) => op === "elementwise").length;
    const plain = ancestors([dx!]).filter((n) => isOp(n, "elementwise")).length;
    // Filters of groups are not scaled.
    assert.equal(count, groups === 1 ? plain - 1 : plain);
    assertClose(
      (await evaluate(gpu, [dx!], { fuse: true }))[0]!,
      (await evaluate(gpu, [dx!], { fuse: false }))[0]!,
      "gradient",
    );
  }
});

Deno.test("a rectifier before a pool gates the pool's gradient before it is spread", async () => {
  const x = image();
  for (const rectifier of [relu, relu6]) {
    const rectified = rectifier(conv1x1(affine(x, 8)));
    const pooled = maxPool2d(rectified, { kernel: 3, stride: 2, padding: 1 });
    const y = conv1x1(pooled);
    const [dx] = gradients(mul(y, randomTensor(y.shape)), [x]);
    // The gate is the epilogue of the second convolution's gradient, its mask that of the maxima.
    const nodes = ancestors(rewritten(dx!, pooled));
    const masks = nodes.filter((n) => isOp(n, "rectifierMask"));
    assert.ok(!nodes.some((n) => isOp(n, "rectifierGradient")));
    assert.deepEqual(masks.map(({ shape }) => shape[2]), [pooled.shape[2]]);
    const [plain] = await evaluate(gpu, [dx!, pooled], { fuse: false });
    const [fused] = await evaluate(gpu, [dx!, pooled], { fuse: true });
    assert.ok(plain!.data.some((value) => value === 0) && plain!.data.some((value) => value !== 0));
    assertClose(fused!, plain!, "gradient");
    // Not where the maxima are not wanted, the gradient is asked for, or has other parts.
    const gates = (...roots: Tensor[]) =>
      left(...roots).filter((op) => op === "rectifierGradient").length;
    assert.equal(gates(dx!), 1);
    assert.equal(gates(...gradients(mul(y, y), [rectified, x])), 1);
    const other = sum(mul(rectified, rectified), [1, 2, 3]);
    assert.equal(gates(...gradients(add(sum(mul(y, y), [1, 2, 3]), other), [x])), 1);
  }
});

Deno.test("rectifiers that are concatenated share one gate, the next gradient's epilogue", async () => {
  const x = image();
  const parts = [8, 4].map((channels) => conv2d(x, randomTensor([channels, CHANNELS, 1, 1])));
  const build = (...rectified: Tensor[]) => {
    const whole = concat(rectified);
    const y = conv2d(whole, randomTensor([CHANNELS, whole.shape[1], 1, 1]));
    return { whole, gradient: gradients(mul(y, randomTensor(y.shape)), [x])[0]! };
  };
  const count = (op: string, ...roots: Tensor[]) => left(...roots).filter((n) => n === op).length;
  const [a, b] = parts as [Tensor, Tensor];
  const { whole, gradient } = build(relu(a), relu(b));
  assert.equal(count("rectifierGradient", gradient, whole), 0);
  assert.equal(count("rectifierMask", gradient, whole), 1);
  const [plain, fused] = [
    await evaluate(gpu, [gradient, whole], { fuse: false }),
    await evaluate(gpu, [gradient, whole], { fuse: true }),
  ];
  assertClose(fused[0]!, plain[0]!, "gradient");
  assertClose(fused[1]!, plain[1]!, "concatenation");
  // Not where one of the parts is not rectified, or otherwise.
  const gates = (built: ReturnType<typeof build>) =>
    count("rectifierGradient", built.gradient, built.whole);
  assert.equal(gates(build(relu(a), b)), 1);
  assert.equal(gates(build(relu(a), relu6(b))), 2);
});

Deno.test("a tensor that is asked for, or used twice, is not absorbed", () => {
  const x = image();
  const conv = conv1x1(x);
  assert.deepEqual(left(relu(conv), conv), ["conv2d", "elementwise"]);
  assert.deepEqual(left(add(relu(conv), conv)), ["conv2d", "elementwise", "elementwise"]);
  const normalised = norm(conv1x1(x));
  assert.deepEqual(left(relu(normalised), normalised), ["conv2d", "elementwise"]);
});

Deno.test("an operand that is repeated is not absorbed", async () => {
  // One channel out of the convolution, five after the scale.
  const x = image();
  const one = () => conv2d(x, randomTensor([1, CHANNELS, 1, 1]));
  const perChannel = () => randomTensor([1, 5, 1, 1]);
  const widened = [
    multiplyAdd(one(), perChannel(), perChannel()),
    add(one(), image()),
    add(conv1x1(x), randomTensor([1, CHANNELS, 1, 1])),
    multiplyAdd(conv1x1(x), randomTensor([2, CHANNELS, 1, 1]), randomTensor([1, CHANNELS, 1, 1])),
    multiplyAdd(conv1x1(x), randomTensor([1, CHANNELS, 1, 1]), randomTensor([1, CHANNELS, 5, 8])),
    multiplyAdd(conv1x1(x), randomTensor([1, 1, 1, 1]), randomTensor([1, CHANNELS, 1, 1])),
  ];
  const plain = await evaluate(gpu, widened, { fuse: false });
  const fused = await evaluate(gpu, widened, { fuse: true });
  widened.forEach((_, i) => assertClose(fused[i]!, plain[i]!, `case ${i}`));
});

Deno.test("rewriting leaves fewer kernels to run", async () => {
  const y = relu(norm(conv1x1(image())));
  using plain = await compile(gpu, { outputs: [y], fuse: false });
  using fused = await compile(gpu, { outputs: [y] });
  const parameters = ["inverseDeviation", "mul", "mul", "sub"]; // one number per channel
  assert.deepEqual(plain.kernelNames, ["gemm", ...parameters, "multiplyAdd", "relu"]);
  assert.deepEqual(fused.kernelNames, ["gemm"]);
  assert.ok(fused.planBytes < plain.planBytes);
});
