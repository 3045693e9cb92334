/** One line a test: an operation on random shapes against its reference, forward and backward. */
import assert from "node:assert/strict";
import { type Gpu, openGpu, type Storage } from "../kernels/runtime/device.ts";
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
import type { ChooseVariant } from "../ops/graph/convolution.ts";
import { isOp, node } from "../ops/graph/tensor.ts";
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
  options: { fuse?: boolean; choose?: ChooseVariant } = {},
): Promise<Values[]> {
  const outputs = tensors.map(lanesOf);
  using program = await compile(gpu, { outputs, fuse: false, ...options });
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
  /** f(t·x) = tᵏ·f(x) for those inputs together and t > 0: 1 for what is linear. */
  degree?: number;
  /** 1e-5 of the largest value by default. */
  tolerance?: number;
  /** How many random cases, 20 by default. */
  count?: number;
}

/** Largest errors of each test, for the curious: `MINDSEYE_TEST_ERRORS=1 deno test`. */
export function note(name: string, errors: Errors): void {
  if (!Deno.env.get("MINDSEYE_TEST_ERRORS")) return;
  const text = Object.entries(errors).map(([kind, e]) => `${kind} ${e.toExponential(1)}`).join(
    ", ",
  );
  // deno-lint-ignore no-console
  console.log(`${name}: ${text}`);
}

/** The largest error of each kind of check, relative to the largest value. */
export type Errors = Record<string, number>;

/** How a case is drawn and computed: `run` with the operations of the GPU and with the references. */
export interface OperationCase<O> {
  readonly name: string;
  readonly sample: (random: Random, index: number) => Sample<O>;
  readonly run: <T>(f: Operations<T>, inputs: T[], options: O) => T;
  readonly special: CaseOptions;
}

/** Adds a case to a group. */
export type Register = <O>(
  name: string,
  sample: OperationCase<O>["sample"],
  run: OperationCase<O>["run"],
  special?: CaseOptions,
) => void;

/** Cases that belong together. */
export type Group = (test: Register) => void;

/** The cases of some groups. */
export function collect(...groups: Group[]): OperationCase<unknown>[] {
  const cases: OperationCase<unknown>[] = [];
  for (const group of groups) {
    group((name, sample, run, special = {}) => {
      cases.push({ name, sample, run, special } as OperationCase<unknown>);
    });
  }
  return cases;
}

/** The names of all operations and element functions in a case and its gradients. */
export function operationsIn(operationCase: OperationCase<unknown>): Set<string> {
  const traced = trace(operationCase, new Random(1)).flatMap(({ y, dx }) => [y, ...dx]);
  return new Set(ancestors(traced).map((n) => isOp(n, "elementwise") ? n.attributes.f : n.op));
}

/** Random cases as graphs, with their gradients. */
function trace<O>({ name, sample, run, special }: OperationCase<O>, random: Random) {
  const { wrt: chosen = [0], count = 20, degree } = special;
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
    const direction = wrt.map((index) => randomValues(random, inputs[index]!.shape));
    const nearby = wrt.length === 0 || degree !== undefined ? [] : [STEP, -STEP].map((h) => {
      const moved = [...inputs];
      wrt.forEach((index, j) => moved[index] = along(inputs[index]!, h, direction[j]!.data));
      return run<Tensor>(ops, moved.map(tensorOf), options);
    });
    const shapes = inputs.map((input) => formatShape(input.shape)).join(" ");
    const what = `${name} case ${i}, ${shapes} ${JSON.stringify(options) ?? ""}`;
    return { inputs, options, wrt, y, cotangent, dx, direction, nearby, what };
  });
}

/** x + h·v */
function along({ shape, data }: Values, h: number, v: ArrayLike<number>): Values {
  return { shape, data: data.map((value, i) => value + h * v[i]!) };
}

/** How far the GPU's own differences go: far enough for float32 to see them. */
const STEP = 1 / 512;
/** What float32 and curvature leave of their accuracy. */
const STEP_TOLERANCE = 5e-3;

/**
 * Compares a case on the GPU with its reference.
 *
 * @throws when shapes, values or gradients disagree, or memory is left unwritten.
 */
export async function compareCase<O>(
  gpu: Gpu,
  operationCase: OperationCase<O>,
  options: { choose?: ChooseVariant } = {},
): Promise<Errors> {
  const { run, special: { degree, tolerance = 1e-5 } } = operationCase;
  const random = new Random(1);
  const cases = trace(operationCase, random);
  const tensors = cases.flatMap(({ y, dx, nearby }) => [y, ...dx, ...nearby]);
  const results = await evaluate(gpu, tensors, options);

  const worst: Errors = { forward: 0 };
  const keep = (kind: string, error: number, limit: number, what: () => string) => {
    assert.ok(error <= limit, `${what()} (off by ${error})`);
    worst[kind] = Math.max(worst[kind] ?? 0, error);
  };
  for (const { inputs, options, wrt, cotangent, direction, nearby, what } of cases) {
    const y = results.shift()!;
    const dx = results.splice(0, wrt.length);
    const [above, below] = results.splice(0, nearby.length);
    const forward = assertClose(y, run(reference, [...inputs], options), what, tolerance);
    worst.forward = Math.max(worst.forward!, forward);
    if (wrt.length === 0) continue;
    dx.forEach((d, i) => assert.deepEqual(d.shape, inputs[wrt[i]!]!.shape, `${what}: gradient`));
    /** <dx, v>, and how large it could be. */
    const against = (v: ArrayLike<number>[]) => ({
      product: dx.reduce((total, d, i) => total + dot(d.data, v[i]!), 0),
      scale: Math.max(
        Math.hypot(...dx.map((d) => norm(d.data))) * Math.hypot(...v.map(norm)),
        1e-3,
      ),
    });

    // <gradient, v> against the reference's differences along v: everywhere, and in a few elements.
    for (const density of [1, 0.2, 0.05]) {
      const v = wrt.map((index) =>
        inputs[index]!.data.map(() => random.uniform() < density ? random.normal() : 0)
      );
      const referenceAt = (h: number) => {
        const moved = [...inputs];
        wrt.forEach((index, i) => moved[index] = along(inputs[index]!, h, v[i]!));
        return dot(run(reference, moved, options).data, cotangent.data);
      };
      const h = 1e-6;
      const expected = (referenceAt(h) - referenceAt(-h)) / (2 * h);
      const { product, scale } = against(v);
      keep(
        "gradient",
        Math.abs(product - expected) / scale,
        tolerance,
        () => `${what}: gradient gives ${product}, differences ${expected}`,
      );
    }
    // The dot-product test on the GPU's own numbers: <J v, c> = <v, Jᵀc>. Where f(t·x) = tᵏ·f(x),
    // J x = k·f(x) exactly (Euler); otherwise J v from the GPU's own differences.
    if (degree !== undefined) {
      const forwards = degree * dot(y.data, cotangent.data);
      const { product } = against(wrt.map((index) => inputs[index]!.data));
      const scale = norm(y.data) * norm(cotangent.data) || 1;
      keep(
        "adjoint",
        Math.abs(forwards - product) / scale,
        tolerance,
        () => `${what}: <Jx, c> = ${forwards}, <x, J'c> = ${product}`,
      );
    } else {
      const moved = dot(above!.data, cotangent.data) - dot(below!.data, cotangent.data);
      const { product, scale } = against(direction.map(({ data }) => data));
      keep(
        "adjoint",
        Math.abs(moved / (2 * STEP) - product) / scale,
        STEP_TOLERANCE,
        () => `${what}: <Jv, c> = ${moved / (2 * STEP)}, <v, J'c> = ${product}`,
      );
    }
  }
  return worst;
}
