/** What distances and the robust loss do at their edges, and what they are for. */
import assert from "node:assert/strict";
import {
  adaptiveRobustLoss,
  add,
  affine,
  compile,
  constant,
  distance,
  type DistanceName,
  DISTANCES,
  gradients,
  l1Distance,
  logCoshHalf,
  maximum,
  mean,
  minimum,
  minkowskiDistance,
  pow,
  Random,
  robustAlpha,
  robustLogPartition,
  robustLoss,
  robustScale,
  type Shape,
  type Tensor,
  Variable,
} from "../../ops/mod.ts";
import { evaluate, gpuForTests, randomValues, tensorOf, values } from "../compare.ts";
import { reference } from "../reference.ts";

const gpu = await gpuForTests();

const row = (...data: number[]) => values([1, 1, 1, data.length], data.map(Math.fround));
const number = (value: number) => tensorOf(row(value));
const NAMES = Object.keys(DISTANCES) as DistanceName[];

/** Each value within a part of its own size of what is expected. */
function assertEach(actual: ArrayLike<number>, expected: ArrayLike<number>, part: number) {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    const off = Math.abs(actual[i]! - expected[i]!);
    assert.ok(off <= part * Math.abs(expected[i]!), `${i}: ${actual[i]}, expected ${expected[i]}`);
  }
}

Deno.test("the table's distances are 0 from x to x, with finite gradients, and grow from there", async () => {
  const random = new Random(3);
  const shape: Shape = [2, 5, 3, 4];
  const x = tensorOf(randomValues(random, shape));
  const zero = constant(shape, () => new Float32Array(120));
  const tensors = NAMES.flatMap((name) => {
    const same = affine(x, 1);
    const other = affine(x, 1, 0.25);
    const y = distance(name, x, same);
    const still = distance(name, zero, affine(zero, 1));
    return [
      [y, still, distance(name, x, other)],
      gradients(y, [x, same]),
      gradients(still, [zero]),
    ].flat();
  });
  const results = await evaluate(gpu, tensors);
  for (const name of NAMES) {
    const [y, still, apart, dx, dt, dzero] = results.splice(0, 6);
    assert.deepEqual(y!.shape, [2, 1, 1, 1], name);
    assert.deepEqual([...y!.data, ...still!.data], [0, 0, 0, 0], name);
    assert.ok(apart!.data.every((v) => v > 0.001 && v < 10), `${name}: ${apart!.data}`);
    // The pinball loss has a slope at its kink too: the mean of both sides, 0 at the median.
    for (const d of [dx, dt, dzero]) {
      assert.ok(d!.data.every((v) => v === 0), `${name}: ${d!.data}`);
    }
  }
});

Deno.test("every distance has a formula, and standards within its ranges", () => {
  for (const [name, { formula, parameters }] of Object.entries(DISTANCES)) {
    assert.ok(formula.length > 0, name);
    for (const { standard, least, most, meaning } of Object.values(parameters)) {
      assert.ok(least <= standard && standard <= most && meaning.length > 0, name);
    }
  }
});

Deno.test("distances say what they cannot do", () => {
  const [x, t] = [[2, 3, 4, 5], [2, 3, 1, 2]].map((s) =>
    tensorOf(randomValues(new Random(1), s as unknown as Shape))
  ) as [Tensor, Tensor];
  assert.throws(() => l1Distance(x, t), /\[2,3,1,2\] and|go together/);
  // A target must not make the distance one of more pictures than there are.
  assert.throws(() => l1Distance(tensorOf(row(1, 2)), x), /go together/);
  assert.throws(() => l1Distance(number(1), x), /\[2,3,4,5\] cannot be repeated to \[1,1,1,1\]/);
  assert.throws(() => distance("l3" as DistanceName, x, x), /no distance l3; there are l1, l2, /);
  assert.throws(() => distance("toString" as DistanceName, x, x), /no distance/);
  assert.throws(() => distance("huber", x, x, { p: 2 }), /no parameter p; there are: delta/);
  assert.throws(() => distance("minkowski", x, x, { p: 0.5 }), /p is 0.5, it must be from 1 to 64/);
  assert.throws(() => distance("quantile", x, x, { q: NaN }), /q is NaN/);
  assert.throws(() => minkowskiDistance(x, x, NaN), /at least 1/);
  assert.throws(() => robustAlpha(x, { alphaHigh: 2.5 }), /alphaHigh 2.5/);
  assert.throws(() => robustScale(x, { scaleLow: 0 }), /scaleLow 0/);
});

Deno.test("Minkowski's distance neither overflows nor vanishes", async () => {
  const x = [1e30, 1e-25].map((size) => tensorOf(row(3 * size, 0, -4 * size, size)));
  const y = x.flatMap((each) =>
    [1, 2, 8, 64].map((p) => distance("minkowski", each, number(0), { p }))
  );
  const dx = gradients(y[3]!, [x[0]!])[0]!;
  const results = await evaluate(gpu, [...y, dx]);
  const expected = [1e30, 1e-25].flatMap((size) =>
    [1, 2, 8, 64].map((p) => size * ((3 ** p + 4 ** p + 1) / 4) ** (1 / p))
  );
  assertEach(results.slice(0, -1).map(({ data }) => data[0]!), expected, 1e-5);
  assert.equal(results.at(-1)!.data[1], 0);
  assert.ok(results.at(-1)!.data.every(Number.isFinite));
});

Deno.test("Canberra's 0/0 is 0 and moves nothing", async () => {
  const [x, t] = [tensorOf(row(0, 1, 0, -2)), tensorOf(row(0, 3, 5, 2))];
  const y = distance("canberra", x, t);
  const [result, dx] = await evaluate(gpu, [y, ...gradients(y, [x])]);
  assertEach(result!.data, [(0 + 0.5 + 1 + 1) / 4], 1e-6);
  assertEach(dx!.data, [0, -6 / 16 / 4, -1 / 5 / 4, 0], 1e-6);
});

Deno.test("equal ones share a gradient", async () => {
  const x = tensorOf(row(2, -2, 1, 2));
  const chebyshev = gradients(distance("chebyshev", x, number(0)), [x]);
  const [a, b] = [tensorOf(row(1, 2, 3)), tensorOf(row(2, 2, 2))];
  const pairs = [maximum, minimum].flatMap((f) => gradients(f(a, b), [a, b]));
  const results = await evaluate(gpu, [...chebyshev, ...pairs]);
  const [d, ...others] = results.map(({ data }) => [...data]);
  // Half of it to each of the largest, whatever their number.
  assertEach(d!, [1 / 3, -1 / 3, 0, 1 / 3], 1e-6);
  assert.deepEqual(others, [[0, 0.5, 1], [1, 0.5, 0], [1, 0.5, 0], [0, 0.5, 1]]);
});

Deno.test("powers of 0 and of what lies below it are 0, their gradients finite", async () => {
  const a = tensorOf(row(0, 0, 0, -1, 4));
  const b = tensorOf(row(0, 1, 2.5, 2, 0.5));
  const results = await evaluate(gpu, [pow(a, b), ...gradients(pow(a, b), [a, b])]);
  const [y, da, db] = results.map(({ data }) => [...data]);
  assertEach(y!, [1, 0, 0, 0, 2], 1e-6);
  assertEach(da!, [0, 1, 0, 0, 0.25], 1e-6);
  assertEach(db!.slice(1), [0, 0, 0, 2 * Math.log(4)], 1e-6);
  assert.ok(Number.isFinite(db![0]));
});

Deno.test("the log-it distance and the robust loss are exact near 0 and finite far out", async () => {
  const x = row(1e-5, -1e-3, 0.1, 0.999, 1.001, -30, 1e4, 1e9);
  const alphas = [-3e38, -1e6, -50, -2, -1e-3, 0, 1e-6, 0.3, 1, 1.5, 1.999, 2, 3];
  const small = row(...[...x.data].slice(0, 6)); // beyond, α = 3 and more explode as they should
  const y = alphas.map((alpha) => robustLoss(tensorOf(small), number(alpha), number(0.5)));
  const slopes = alphas.flatMap((alpha) => {
    const inputs = [tensorOf(x), number(alpha), number(0.5)];
    return gradients(robustLoss(inputs[0]!, inputs[1]!, inputs[2]!), inputs);
  });
  const results = await evaluate(gpu, [logCoshHalf(tensorOf(x)), ...y, ...slopes]);
  const logit = [...x.data].map((d) =>
    Math.abs(d) < 0.01
      ? d * d / 4 - d ** 4 / 96
      : Math.abs(d) + 2 * Math.log((1 + Math.exp(-Math.abs(d))) / 2)
  );
  assertEach(results[0]!.data, logit, 2e-6);
  alphas.forEach((alpha, i) => {
    const limit = row(alpha < -1e3 ? -Infinity : Math.fround(alpha));
    const expected = reference.robustLoss(small, limit, row(0.5)).data;
    assertEach(results[1 + i]!.data, expected, 1e-5);
  });
  for (const { data } of results.slice(1 + alphas.length)) {
    assert.ok(data.every(Number.isFinite), `${data}`);
  }
});

Deno.test("ln Z and its slope are the integral's from α = 0 to 2, and constant beyond", async () => {
  const alphas = Array.from({ length: 401 }, (_, i) => Math.fround(i / 200));
  const inside = tensorOf(row(...alphas));
  const outside = tensorOf(row(-1, 2.5, 1e30));
  const results = await evaluate(gpu, [
    robustLogPartition(inside),
    ...gradients(robustLogPartition(inside), [inside]),
    robustLogPartition(outside),
    ...gradients(robustLogPartition(outside), [outside]),
  ]);
  const [y, slope, beyond, flat] = results.map(({ data }) => data);
  const logZ = (...at: number[]) =>
    reference.robustLogPartition({ ...row(...at), data: Float64Array.from(at) }).data;
  assertEach(y!, logZ(...alphas), 3e-7);
  const h = 1e-6;
  const inner = alphas.slice(1, -1);
  const [above, below] = [h, -h].map((step) => logZ(...inner.map((a) => a + step)));
  assertEach(slope!.slice(1, -1), above!.map((v, i) => (v - below![i]!) / (2 * h)), 1e-5);
  assert.ok(slope!.every((v) => v < -0.1 && v > -10), "finite at both ends");
  assertEach(
    beyond!,
    [Math.log(Math.PI * Math.SQRT2), ...Array(2).fill(Math.log(2 * Math.PI) / 2)],
    3e-7,
  );
  assert.deepEqual([...flat!], [0, 0, 0]);
});

Deno.test("the adaptive loss starts in the middle and learns the shape and scale of noise", async () => {
  const random = new Random(5);
  const noise = randomValues(random, [1, 2, 32, 32]);
  // Channel 0 normal with deviation 0.3; channel 1 a Cauchy distribution, whose α is 0.
  const data = noise.data.map((v, i) =>
    Math.fround(i < 1024 ? 0.3 * v : Math.tan(Math.PI * (random.uniform() - 0.5)))
  );
  const [alpha, scale] = [0, 0].map(() => new Variable(gpu, [1, 2, 1, 1])) as [Variable, Variable];
  using _alpha = alpha;
  using _scale = scale;
  const x = tensorOf({ ...noise, data });
  const loss = mean(adaptiveRobustLoss(x, alpha.tensor, scale.tensor), [0, 1, 2, 3]);
  const steps = gradients(loss, [alpha.tensor, scale.tensor]);
  const learned = [robustAlpha(alpha.tensor), robustScale(scale.tensor)];
  using program = await compile(gpu, {
    outputs: [loss, ...learned],
    assign: [alpha, scale].map((v, i) => [v, add(v.tensor, affine(steps[i]!, -2))]),
  });
  program.run();
  const [before, ...start] = await Promise.all([loss, ...learned].map((t) => program.read(t)));
  assertEach(start[0]!, [1, 1], 1e-6);
  assertEach(start[1]!, [1, 1], 1e-6);
  for (let i = 0; i < 600; i++) program.run();
  const [after, shape, size] = await Promise.all([loss, ...learned].map((t) => program.read(t)));
  assert.ok(after![0]! < before![0]! - 0.2, `${before} to ${after}`);
  assert.ok(shape![0]! > 1.7 && shape![1]! < 0.1, `shapes ${shape}`);
  // Cauchy's density 1/(π(1 + x²)) is that of α = 0 and c = 1/√2.
  assert.ok(Math.abs(size![1]! - Math.SQRT1_2) < 0.15, `scale ${size![1]}`);
  // No other shapes and scales fit the noise much better.
  const least = [0, 1].map((channel) => {
    const own = row(...data.subarray(1024 * channel, 1024 * (channel + 1)));
    const fits = Array.from({ length: 21 }, (_, i) => 0.001 + i * 0.0999).flatMap((a) => {
      const logZ = reference.robustLogPartition(row(a)).data[0]!;
      return Array.from({ length: 21 }, (_, j) => 0.15 * 1.1 ** j).map((c) => {
        const rho = reference.robustLoss(own, row(a), row(c)).data;
        return rho.reduce((total, v) => total + v, 0) / 1024 + Math.log(c) + logZ;
      });
    });
    return Math.min(...fits);
  });
  const best = (least[0]! + least[1]!) / 2;
  assert.ok(after![0]! < best + 1e-3, `the loss is ${after}, the grid's best ${best}`);
});

Deno.test("a distance to the median is half of l1, and its least is at the quantile", async () => {
  const target = tensorOf(row(...Array.from({ length: 101 }, (_, i) => i)));
  const at = (x: number, q: number) => distance("quantile", affine(target, 0, x), target, { q });
  const l1 = l1Distance(affine(target, 0, 30), target);
  const tensors = [l1, at(30, 0.5), at(19.5, 0.2), at(20, 0.2), at(20.5, 0.2)];
  const [whole, half, below, least, above] = (await evaluate(gpu, tensors)).map((v) => v.data[0]!);
  assertEach([half!], [whole! / 2], 1e-6);
  assert.ok(least! < below! && least! < above!, `${below} ${least} ${above}`);
});
