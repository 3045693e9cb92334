/** What is in a gradient has a gradient too: second derivatives of smooth element functions. */
import {
  exp,
  gradients,
  logCoshHalf,
  Random,
  sigmoid,
  softplus,
  tanh,
  type Tensor,
} from "../ops/mod.ts";
import { assertClose, evaluate, gpuForTests, note, randomValues, tensorOf } from "./compare.ts";
import { reference, type Values } from "./reference.ts";

const gpu = await gpuForTests();

const FUNCTIONS = { exp, logCoshHalf, sigmoid, softplus, tanh } satisfies Partial<
  Record<keyof typeof reference, unknown>
>;

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
    const [result] = await evaluate(gpu, [secondDerivative(f, tensorOf(x))]);
    const expected = curvature(reference[name as keyof typeof FUNCTIONS], x);
    note(name, { second: assertClose(result!, expected, name) });
  });
}
