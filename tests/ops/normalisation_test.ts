/** Normalisation where random small pictures do not look: many pixels, far from zero, one pixel. */
import assert from "node:assert/strict";
import {
  batchNorm,
  batchNormTraining,
  channelShuffle,
  compile,
  gradients,
  layerNorm,
  localResponseNorm,
  mul,
  Random,
  type Shape,
  Variable,
} from "../../ops/mod.ts";
import { assertClose, evaluate, gpuForTests, note, randomValues, tensorOf } from "../compare.ts";
import { reference, type Values } from "../reference.ts";

const gpu = await gpuForTests();

/** The gradients of Σ y·cotangent, from the definition: each sum over a channel's pixels. */
function trainingGradients(x: Values, weight: Values, cotangent: Values, epsilon: number) {
  const { mean, variance } = reference.batchNormTraining(x, {});
  const one = reference.affine(variance, 0, 1);
  const deviation = reference.sqrt(reference.affine(variance, 1, epsilon));
  const unit = reference.div(reference.sub(x, mean), deviation);
  const along = reference.mul(cotangent, unit);
  const axes = [0, 2, 3] as const;
  const inner = reference.sub(
    reference.sub(cotangent, reference.mean(cotangent, axes)),
    reference.mul(unit, reference.mean(along, axes)),
  );
  return {
    x: reference.mul(inner, reference.mul(weight, reference.div(one, deviation))),
    weight: reference.sum(along, axes),
    bias: reference.sum(cotangent, axes),
  };
}

const SHAPES: [Shape, number][] = [
  [[64, 24, 48, 48], 0],
  [[2, 5, 300, 3], 0],
  [[300, 3, 2, 2], 0],
  // A mean of 100 deviations: two digits fewer, of which a variance in one pass would leave none.
  [[4, 7, 33, 21], 100],
];

for (const [shape, offset] of SHAPES) {
  Deno.test(`batchNormTraining of ${shape} around ${offset}`, async () => {
    const random = new Random(9);
    const perChannel: Shape = [1, shape[1], 1, 1];
    const values = {
      x: randomValues(random, shape),
      weight: randomValues(random, perChannel),
      bias: randomValues(random, perChannel),
      cotangent: randomValues(random, shape),
    };
    values.x.data.forEach((v, i) => values.x.data[i] = Math.fround(v + offset));
    const [x, weight, bias, cotangent] = Object.values(values).map(tensorOf);
    const made = batchNormTraining(x!, { weight: weight!, bias: bias! });
    const wrt = gradients(mul(made.y, cotangent!), [x!, weight!, bias!]);
    const results = await evaluate(gpu, [made.y, made.mean, made.variance, ...wrt]);
    const forward = reference.batchNormTraining(values.x, values);
    const backward = trainingGradients(values.x, values.weight, values.cotangent, 1e-5);
    // Far out, x and its mean are rounded to some 1e-7 of the offset, which is in deviations.
    const tolerance = Math.max(1e-6, 3e-7 * offset);
    const errors = Object.entries({ ...forward, ...backward }).map(([name, expected], i) =>
      [name, assertClose(results[i]!, expected, name, tolerance)] as const
    );
    note(`${shape} around ${offset}`, Object.fromEntries(errors));
  });
}

Deno.test("batchNormTraining: one pixel a channel is refused", () => {
  const x = tensorOf(randomValues(new Random(1), [1, 3, 1, 1]));
  assert.throws(() => batchNormTraining(x, {}), /\[1,3,1,1\] has one pixel a channel/);
});

Deno.test("channelShuffle and localResponseNorm: what does not fit is named", () => {
  const x = tensorOf(randomValues(new Random(1), [1, 6, 2, 2]));
  assert.throws(() => channelShuffle(x, 4), /4 groups do not divide the channels of \[1,6,2,2\]/);
  assert.throws(() => channelShuffle(x, 0), RangeError);
  assert.throws(() => localResponseNorm(x, { size: 2.5 }), /got 2.5/);
});

Deno.test("layerNorm of one pixel takes all its parameters' gradients", async () => {
  const random = new Random(4);
  const [x, weight, bias, cotangent] = Array.from(
    { length: 4 },
    () => randomValues(random, [1, 9, 1, 1]),
  );
  const [tx, tw, tb, tc] = [x!, weight!, bias!, cotangent!].map(tensorOf);
  const y = layerNorm(tx!, { weight: tw!, bias: tb! });
  const results = await evaluate(gpu, gradients(mul(y, tc!), [tw!, tb!]));
  const unit = reference.layerNorm(x!);
  assertClose(results[0]!, reference.mul(unit, cotangent!), "weight", 1e-6);
  assertClose(results[1]!, cotangent!, "bias", 1e-6);
});

Deno.test("batchNorm: parameters that change are read at every run", async () => {
  const random = new Random(2);
  const shape: Shape = [1, 6, 1, 1];
  const x = randomValues(random, [2, 6, 5, 4]);
  const [mean, bias] = [randomValues(random, shape), randomValues(random, shape)];
  const positive = randomValues(random, shape);
  const variance = { shape, data: positive.data.map((v) => Math.fround(0.5 + v * v)) };
  using weight = new Variable(gpu, shape);
  const y = batchNorm(tensorOf(x), {
    mean: tensorOf(mean),
    variance: tensorOf(variance),
    bias: tensorOf(bias),
    weight: weight.tensor,
  });
  using program = await compile(gpu, { outputs: [y] });
  for (let run = 0; run < 2; run++) {
    const value = randomValues(random, shape);
    weight.write(Float32Array.from(value.data));
    program.run();
    const actual = { shape: y.shape, data: Float64Array.from(await program.read(y)) };
    const expected = reference.batchNorm(x, { mean, variance, bias, weight: value });
    assertClose(actual, expected, `run ${run}`);
  }
});
