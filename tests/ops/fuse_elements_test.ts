/** Element functions computed together give what they give one by one. */
import assert from "node:assert/strict";
import {
  abs,
  add,
  affine,
  clampTo,
  compile,
  conv2d,
  div,
  exp,
  expand,
  floor,
  mix,
  mul,
  multiplyAdd,
  Random,
  relu,
  type Shape,
  sqrt,
  sub,
  sum,
  type Tensor,
  Variable,
} from "../../ops/mod.ts";
import * as ops from "../../ops/mod.ts";
import { assertClose, evaluate, gpuForTests, randomValues, tensorOf } from "../compare.ts";
import { type Operations, reference } from "../reference.ts";

const gpus = [await gpuForTests("texture"), await gpuForTests("buffer")];
const gpu = gpus[0]!;

const random = new Random(5);
const randomTensor = (shape: Shape) => tensorOf(randomValues(random, shape));
/** Two pictures whose channels do not fill their quads, of odd sides. */
const SHAPE: Shape = [2, 6, 7, 19];
const image = () => randomTensor(SHAPE);

/** The kernels of a program for some tensors. */
async function kernels(outputs: readonly Tensor[], on = gpu): Promise<string[]> {
  using program = await compile(on, { outputs });
  return program.kernelNames;
}

Deno.test("a chain is one kernel", async () => {
  const [x, step, weight] = [image(), image(), image()];
  const y = clampTo(sub(x, mul(affine(step, 0.1), weight)), -0.5, 0.5);
  assert.deepEqual(await kernels([y]), ["affine+mul+sub+clampTo"]);
  using plain = await compile(gpu, { outputs: [y], fuse: false });
  assert.deepEqual(plain.kernelNames, ["affine", "mul", "sub", "clampTo"]);
});

Deno.test("a convolution's epilogue comes first", async () => {
  const x = image();
  const conv = conv2d(x, randomTensor([8, 6, 1, 1]));
  const y = affine(floor(relu(add(conv, randomTensor(conv.shape)))), 2);
  assert.deepEqual(await kernels([y]), ["gemm", "floor+affine"]);
});

Deno.test("what is asked for, or used elsewhere, is not absorbed", async () => {
  const inner = affine(image(), 2, 1);
  const y = abs(inner);
  assert.deepEqual(await kernels([y, inner]), ["affine", "abs"]);
  assert.deepEqual(await kernels([y, sum(inner, [2])]), ["affine", "abs", "sum"]);
  // Twice by one kernel is once.
  assert.deepEqual(await kernels([add(mul(inner, inner), y)]), ["affine+abs+mul+add"]);
  using variable = new Variable(gpu, SHAPE);
  using program = await compile(gpu, { outputs: [y], assign: [[variable, inner]] });
  assert.deepEqual(program.kernelNames, ["affine", "abs", "identity"]);
});

Deno.test("a repeated tensor is made again where that is cheap and reads nothing more", async () => {
  const [x, perChannel, other] = [image(), randomTensor([1, 6, 1, 1]), randomTensor([1, 6, 1, 1])];
  assert.deepEqual(await kernels([mul(x, affine(perChannel, 2))]), ["affine+mul"]);
  assert.deepEqual(await kernels([mul(x, exp(perChannel))]), ["exp", "mul"]);
  assert.deepEqual(await kernels([mul(x, add(perChannel, other))]), ["add", "mul"]);
  assert.deepEqual(await kernels([mul(mul(x, other), add(perChannel, other))]), ["mul+add+mul"]);
});

Deno.test("small results are left to the kernels of single functions", async () => {
  const x = randomTensor([3, 4, 1, 1]);
  assert.deepEqual(await kernels([affine(abs(x), 2)]), ["abs", "affine"]);
});

Deno.test("a kernel reads six tensors at most", async () => {
  // Constants need no memory of the program's own, so that only their number counts.
  const y = Array.from({ length: 9 }, image).reduce<Tensor>(add, image());
  assert.deepEqual(await kernels([y]), ["add+add+add+add+add", "add+add+add+add"]);
  const long = Array.from({ length: 20 }).reduce<Tensor>((x) => affine(x, 0.9, 0.1), image());
  assert.deepEqual((await kernels([long])).map((name) => name.split("+").length), [16, 4]);
});

Deno.test("terms that are made one after the other are added one after the other", async () => {
  const x = image();
  const convolved = [1, 2, 3].map(() =>
    conv2d(x, randomTensor([6, 6, 3, 3]), undefined, {
      padding: 1,
    })
  );
  const total = convolved.map((y) => abs(y)).reduce<Tensor>(add, image());
  using plain = await compile(gpu, { outputs: [total], fuse: false });
  using fused = await compile(gpu, { outputs: [total] });
  assert.ok(fused.planBytes <= plain.planBytes);
  assert.ok(fused.kernelNames.length < plain.kernelNames.length);
});

for (const on of gpus) {
  Deno.test(`rows of any length end where they should (${on.storage})`, async () => {
    // From 48 columns on, an invocation of a software adapter takes four of them.
    for (const width of [1, 3, 47, 48, 49, 50, 51, 64, 65, 130]) {
      const full: Shape = [2, 5, 3, width];
      const axes = [[], [0], [1], [2], [3], [1, 3], [0, 2, 3]];
      const operands = axes.map((repeated) =>
        randomValues(random, full.map((n, axis) => repeated.includes(axis) ? 1 : n) as never)
      );
      const build = <T>(f: Operations<T>, [a, ...others]: T[]) =>
        others.map((b) => f.mix(a!, b, f.affine(b, 0.3, 0.2)));
      const expected = build(reference, operands);
      const results = await evaluate(on, build<Tensor>(ops, operands.map(tensorOf)), {
        fuse: true,
      });
      expected.forEach((y, i) => assertClose(results[i]!, y, `${width} columns, operand ${i + 1}`));
    }
  });
}

/** A random function of what there is so far. */
function grow(random: Random, all: readonly Tensor[]): Tensor {
  const pick = () => random.pick(all);
  const [a, b, c] = [pick(), pick(), pick()];
  return random.pick<() => Tensor>([
    () => add(a, b),
    () => sub(a, b),
    () => mul(a, affine(b, 0.5)),
    () => multiplyAdd(a, b, c),
    () => mix(a, b, clampTo(c, 0, 1)),
    () => affine(a, random.uniform(-1, 1), random.uniform(-1, 1)),
    () => clampTo(a, -0.75, 1.5),
    () => div(a, affine(abs(b), 1, 1)),
    () => sqrt(affine(abs(a), 1, 0.1)),
    () => exp(clampTo(a, -2, 0.5)),
    () => relu(a),
    () => sum(a, [random.pick([1, 2, 3])]),
  ])();
}

for (const on of gpus) {
  Deno.test(`fusing random graphs changes no number (${on.storage})`, async () => {
    let saved = 0;
    for (let seed = 1; seed <= 24; seed++) {
      const random = new Random(seed);
      const full = random.pick<Shape>([SHAPE, [1, 3, 5, 33], [3, 1, 9, 16], [2, 9, 1, 71]]);
      const operands = Array.from({ length: 5 }, () => {
        // Repeated along any of its axes.
        const shape = full.map((size) => random.uniform() < 0.3 ? 1 : size);
        return randomValues(random, shape as unknown as Shape);
      });
      const all: Tensor[] = operands.map(tensorOf);
      for (let i = 0; i < 24; i++) {
        const y = grow(random, all.slice(-8));
        all.push(y);
      }
      const asked = [
        expand(all.at(-1)!, full),
        ...all.slice(5).filter((_, i) => i % 11 === seed % 11),
      ];
      const [plain, fused] = [
        await evaluate(on, asked, { fuse: false }),
        await evaluate(on, asked, { fuse: true }),
      ];
      asked.forEach((_, i) => {
        plain[i]!.data.forEach((value, at) => {
          const [a, b] = [value, fused[i]!.data[at]!];
          assert.ok(
            Object.is(a, b) || Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(a)),
            `graph ${seed}, tensor ${i}, element ${at}: ${b}, one by one ${a}`,
          );
        });
      });
      using one = await compile(on, { outputs: asked, fuse: false });
      using few = await compile(on, { outputs: asked });
      saved += one.kernelNames.length - few.kernelNames.length;
    }
    assert.ok(saved > 100, `${saved} kernels fewer`);
  });
}
