/** One line a test: an operation on random shapes against its reference, forward and backward. */
import assert from "node:assert/strict";
import { type Gpu, openGpu, type Storage } from "../kernels/device.ts";
import {
  ancestors,
  compile,
  constant,
  formatShape,
  gradients,
  mul,
  Random,
  type Shape,
  sizeOf,
  type Tensor,
} from "../ops/mod.ts";
import * as ops from "../ops/mod.ts";
import { isOp, node } from "../ops/tensor.ts";
import { type Operations, reference, type Values } from "./reference.ts";

/** Opens the GPU for all tests of a file. */
export async function gpuForTests(storage?: Storage): Promise<Gpu> {
  const gpu = await openGpu(storage ? { storage } : {});
  Deno.test.beforeEach(() => {
    gpu.fault = undefined; // an earlier test's, which has failed for it
  });
  Deno.test.afterAll(() => gpu[Symbol.dispose]());
  return gpu;
}

/** Random values that float32 holds exactly. */
export function randomValues(random: Random, shape: Shape, scale = 1): Values {
  const data = Float64Array.from(
    { length: sizeOf(shape) },
    () => Math.fround(scale * random.normal()),
  );
  return { shape, data };
}

/** Given values. */
export function values(shape: Shape, data: ArrayLike<number>): Values {
  assert.equal(data.length, sizeOf(shape), `${formatShape(shape)} does not hold the data`);
  return { shape, data: Float64Array.from(data) };
}

/** The values as a constant of a graph. */
export function tensorOf({ shape, data }: Values): Tensor<"constant"> {
  return constant(shape, () => Float32Array.from(data));
}

/**
 * All lanes of a tensor's texels, as channels: a window that is wider than the tensor it looks at.
 * It is no kernel, so what is read is what the tensor's own kernel wrote.
 */
function lanesOf(tensor: Tensor): Tensor {
  const [n, c, h, w] = tensor.shape;
  const shape: Shape = [n, Math.ceil(c / 4) * 4, h, w];
  return node("slice", shape, [tensor], { start: [0, 0, 0], step: [1, 1, 1] });
}

/**
 * Computes tensors on memory full of NaN, without rewriting the graph, in one run.
 *
 * @throws when a lane beyond a tensor's channels is not zero.
 */
export async function evaluate(
  gpu: Gpu,
  tensors: readonly Tensor[],
  options: { fuse?: boolean } = {},
): Promise<Values[]> {
  const outputs = tensors.map(lanesOf);
  using program = await compile(gpu, { outputs, fuse: options.fuse ?? false });
  program.poison();
  program.run();
  const lanes = await Promise.all(outputs.map((output) => program.read(output)));
  return tensors.map(({ op, shape }, i) => {
    const [n, c, h, w] = shape;
    const picture = Math.ceil(c / 4) * 4 * h * w;
    const data = new Float64Array(sizeOf(shape));
    for (let p = 0; p < n; p++) {
      const of = lanes[i]!.subarray(p * picture, (p + 1) * picture);
      data.set(of.subarray(0, c * h * w), p * c * h * w);
      const beyond = of.subarray(c * h * w);
      assert.ok(beyond.every((v) => v === 0), `${op} ${formatShape(shape)}: lanes beyond C not 0`);
    }
    return { shape, data };
  });
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
};
const norm = (a: ArrayLike<number>) => Math.sqrt(dot(a, a));

/** The largest |actual − expected|, relative to the largest |expected|; NaN when there is one. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.equal(actual.length, expected.length);
  let [worst, largest] = [0, 0];
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= worst)) worst = difference;
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return worst === 0 ? 0 : worst / largest;
}

/** Asserts that values agree with a reference: the same shape, and within `tolerance` of its largest. */
export function assertClose(
  actual: Values,
  expected: Values,
  what: string,
  tolerance = 1e-5,
): number {
  assert.deepEqual(actual.shape, expected.shape, `${what}: shape`);
  const error = relativeError(actual.data, expected.data);
  assert.ok(error <= tolerance, `${what}: off by ${error.toExponential(1)} of the largest value`);
  return error;
}

/** A random case of an operation. */
export interface Sample<O> {
  readonly inputs: readonly Values[];
  readonly options: O;
}

/** What is special about a case. */
export interface CaseOptions {
  /** The inputs to differentiate for, [0] by default. */
  wrt?: readonly number[] | "all";
  /** Linear in those inputs together: checks <Lx, c> = <x, Lᵀc> on the GPU's own numbers. */
  linear?: boolean;
  /** 1e-5 of the largest value by default. */
  tolerance?: number;
  /** How many random cases, 20 by default. */
  count?: number;
}

/** Largest errors of each test, for the curious: `MINDSEYE_TEST_ERRORS=1 deno test`. */
export function note(name: string, errors: Record<string, number>): void {
  if (!Deno.env.get("MINDSEYE_TEST_ERRORS")) return;
  const text = Object.entries(errors).map(([kind, e]) => `${kind} ${e.toExponential(1)}`).join(
    ", ",
  );
  // deno-lint-ignore no-console
  console.log(`${name}: ${text}`);
}

/** How a case is drawn and computed. */
interface OperationCase<O> {
  name: string;
  sample: (random: Random, index: number) => Sample<O>;
  run: <T>(f: Operations<T>, inputs: T[], options: O) => T;
  special: CaseOptions;
}

/** Random cases as graphs, with their gradients. */
function trace<O>({ name, sample, run, special }: OperationCase<O>, random: Random) {
  const { wrt: chosen = [0], count = 20 } = special;
  return Array.from({ length: count }, (_, i) => {
    const { inputs, options } = sample(random, i);
    const tensors = inputs.map(tensorOf);
    const wrt = chosen === "all" ? inputs.map((_, input) => input) : chosen;
    const y = run<Tensor>(ops, tensors, options);
    const cotangent = randomValues(random, y.shape);
    const dx = wrt.length === 0 ? [] : gradients(
      mul(y, tensorOf(cotangent)),
      wrt.map((index) => tensors[index]!),
    );
    const shapes = inputs.map((input) => formatShape(input.shape)).join(" ");
    const what = `${name} case ${i}, ${shapes} ${JSON.stringify(options) ?? ""}`;
    return { inputs, options, wrt, y, cotangent, dx, what };
  });
}

/** Registers tests of operations, and knows which it registered. */
export class Comparison {
  readonly #gpus: readonly Gpu[];
  readonly #traces: (() => Tensor[])[] = [];

  /** @param gpus the devices to compare on: one for each kind of storage */
  constructor(...gpus: Gpu[]) {
    this.#gpus = gpus;
  }

  /** The names of all operations and element functions in the registered cases. */
  operations(): Set<string> {
    const nodes = ancestors(this.#traces.flatMap((make) => make()));
    return new Set(nodes.map((n) => isOp(n, "elementwise") ? n.attributes.f : n.op));
  }

  /**
   * Registers a test for each kind of storage. `run` is evaluated with the operations of the GPU
   * and with the references.
   */
  operation<O>(
    name: string,
    sample: OperationCase<O>["sample"],
    run: OperationCase<O>["run"],
    special: CaseOptions = {},
  ): void {
    const operationCase = { name, sample, run, special };
    this.#traces.push(() => trace(operationCase, new Random(1)).flatMap(({ y, dx }) => [y, ...dx]));
    for (const gpu of this.#gpus) {
      Deno.test(`${name} agrees with its reference (${gpu.storage})`, async () => {
        note(`${name} (${gpu.storage})`, await this.#compare(gpu, operationCase));
      });
    }
  }

  async #compare<O>(gpu: Gpu, operationCase: OperationCase<O>): Promise<Record<string, number>> {
    const { run, special: { linear = false, tolerance = 1e-5 } } = operationCase;
    const random = new Random(1);
    const cases = trace(operationCase, random);
    const tensors = cases.flatMap(({ y, dx }) => [y, ...dx]);
    const results = await evaluate(gpu, tensors);

    const worst: Record<string, number> = { forward: 0 };
    const keep = (kind: string, e: number) => worst[kind] = Math.max(worst[kind] ?? 0, e);
    for (const { inputs, options, wrt, cotangent, what } of cases) {
      const y = results.shift()!;
      const dx = results.splice(0, wrt.length);
      keep("forward", assertClose(y, run(reference, [...inputs], options), what, tolerance));
      if (wrt.length === 0) continue;
      dx.forEach((d, i) => assert.deepEqual(d.shape, inputs[wrt[i]!]!.shape, `${what}: gradient`));

      // <gradient, v> against central differences along v: everywhere, and in a few elements only.
      for (const density of [1, 0.2, 0.05]) {
        const v = wrt.map((index) =>
          inputs[index]!.data.map(() => random.uniform() < density ? random.normal() : 0)
        );
        const along = (h: number) => {
          const moved = [...inputs];
          wrt.forEach((index, i) => {
            const { shape, data } = inputs[index]!;
            moved[index] = { shape, data: data.map((value, j) => value + h * v[i]![j]!) };
          });
          return dot(run(reference, moved, options).data, cotangent.data);
        };
        const h = 1e-6;
        const expected = (along(h) - along(-h)) / (2 * h);
        const actual = dx.reduce((total, d, i) => total + dot(d.data, v[i]!), 0);
        const scale = Math.hypot(...dx.map((d) => norm(d.data))) * Math.hypot(...v.map(norm));
        const error = Math.abs(actual - expected) / Math.max(scale, 1e-3);
        assert.ok(
          error <= tolerance,
          `${what}: gradient gives ${actual}, differences ${expected} (off by ${error})`,
        );
        keep("gradient", error);
      }
      if (linear) {
        const forwards = dot(y.data, cotangent.data);
        const backwards = dx.reduce((total, d, i) => total + dot(d.data, inputs[wrt[i]!]!.data), 0);
        const error = Math.abs(forwards - backwards) / (norm(y.data) * norm(cotangent.data) || 1);
        assert.ok(error <= tolerance, `${what}: <Lx, c> = ${forwards}, <x, L'c> = ${backwards}`);
        keep("adjoint", error);
      }
    }
    return worst;
  }
}
