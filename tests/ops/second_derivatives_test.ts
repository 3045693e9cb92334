/** What is in a gradient has a gradient too: second derivatives of smooth element functions. */
import * as ops from "../../ops/mod.ts";
import { gradients, Random, type Tensor } from "../../ops/mod.ts";
import { assertClose, evaluate, gpuForTests, note, randomValues, tensorOf } from "../compare.ts";
import { type Operations, reference, type Values } from "../reference.ts";

const gpu = await gpuForTests();

/** Each with the operations of the GPU and with the references. */
const FUNCTIONS: Record<string, <T>(f: Operations<T>, x: T) => T> = {
  exp: (f, x) => f.exp(x),
  logCoshHalf: (f, x) => f.logCoshHalf(x),
  softplus: (f, x) => f.softplus(x),
  sigmoid: (f, x) => f.sigmoid(x),
  tanh: (f, x) => f.tanh(x),
  silu: (f, x) => f.silu(x),
  gelu: (f, x) => f.gelu(x),
  "gelu by tanh": (f, x) => f.gelu(x, "tanh"),
  // Polynomials between their kinks.
  "hardsigmoid squared": (f, x) => f.mul(f.hardsigmoid(x), f.hardsigmoid(x)),
  hardswish: (f, x) => f.hardswish(x),
};

/** f″ by differences of fourth order. */
function curvature(f: (x: Values) => Values, x: Values): Values {
  const h = 1e-3;
  const at = (steps: number) => f({ shape: x.shape, data: x.data.map((v) => v + steps * h) }).data;
  const [a, b, c, d, e] = [at(-2), at(-1), at(0), at(1), at(2)];
  const data = c!.map((_, i) =>
    (16 * (b![i]! + d![i]!) - 30 * c![i]! - a![i]! - e![i]!) / (12 * h * h)
  );
  return { shape: x.shape, data };
}

/** The gradient of the gradient of Σ f(x). */
function secondDerivative(f: (x: Tensor) => Tensor, x: Tensor): Tensor {
  const [first] = gradients(f(x), [x]);
  return gradients(first!, [x])[0]!;
}

for (const [name, f] of Object.entries(FUNCTIONS)) {
  Deno.test(`${name}: the second derivative is that of the reference`, async () => {
    const x = randomValues(new Random(3), [2, 5, 7, 9], 2);
    // Odd multiples of 1/128: further from ±3 than the differences go.
    x.data.forEach((v, i) => x.data[i] = (Math.floor(v * 64) + 0.5) / 64);
    const [result] = await evaluate(gpu, [secondDerivative((t) => f<Tensor>(ops, t), tensorOf(x))]);
    const expected = curvature((v) => f(reference, v), x);
    note(name, { second: assertClose(result!, expected, name) });
  });
}
