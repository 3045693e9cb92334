/** Every operation against its reference: forward, gradient, adjoint, both kinds of storage. */
import assert from "node:assert/strict";
import {
  affine,
  finite,
  gelu,
  gradients,
  hardswish,
  maxPool2d,
  sigmoid,
  silu,
  tanh,
  totalVariation,
  where,
} from "../../ops/mod.ts";
import { ELEMENT_FUNCTIONS } from "../../ops/element/elementwise.ts";
import { OPERATIONS } from "../../ops/autograd/operations.ts";
import { CASES } from "../cases/all.ts";
import {
  compareCase,
  evaluate,
  gpuForTests,
  note,
  operationsIn,
  relativeError,
  tensorOf,
  values,
} from "../compare.ts";
import { FORMULAS } from "../formulas.ts";
import { described, TABLE } from "../operations_table.ts";
import { reference, REFERENCE_OF } from "../reference.ts";

const gpus = [await gpuForTests("texture"), await gpuForTests("buffer")];

for (const operationCase of CASES) {
  for (const gpu of gpus) {
    const { name } = operationCase;
    Deno.test(`${name} agrees with its reference (${gpu.storage})`, async () => {
      note(`${name} (${gpu.storage})`, await compareCase(gpu, operationCase));
    });
  }
}

for (const gpu of gpus) {
  Deno.test(`the first of equal maxima gets the gradient (${gpu.storage})`, async () => {
    const options = { kernel: 2, stride: 1 };
    // Also where all are the lowest there is.
    const inputs = [0, -Infinity].map((value) => values([1, 1, 3, 3], Array(9).fill(value)));
    const tensors = inputs.map(tensorOf);
    const outputs = tensors.map((x) => maxPool2d(x, options));
    const gradient = outputs.map((y, i) => gradients(y, [tensors[i]!])[0]!);
    const results = await evaluate(gpu, [...outputs, ...gradient]);
    assert.deepEqual([...results[0]!.data], [0, 0, 0, 0]);
    assert.deepEqual([...results[1]!.data], Array(4).fill(-Infinity));
    for (const dx of results.slice(2)) assert.deepEqual([...dx.data], [1, 1, 0, 1, 1, 0, 0, 0, 0]);
  });
}

for (const gpu of gpus) {
  Deno.test(`smooth functions hold far out and near 0 (${gpu.storage})`, async () => {
    const far = [-3e38, -1e4, -89, -20, 20, 89, 1e4, 3e38];
    const near = [-1e-3, -1e-6, 0, 1e-6, 1e-3, 0.4999, 0.5, 0.5001].map(Math.fround);
    const [outside, inside] = [far, near].map((data) => values([1, 1, 1, 8], data));
    const x = tensorOf(outside!);
    const likeRelu = [silu(x), gelu(x), gelu(x, "tanh"), hardswish(x)];
    const results = await evaluate(gpu, [
      tanh(x),
      sigmoid(x),
      ...gradients(tanh(x), [x]),
      ...gradients(sigmoid(x), [x]),
      tanh(tensorOf(inside!)),
      ...likeRelu,
      ...likeRelu.flatMap((y) => gradients(y, [x])),
    ]);
    const [t, s, dt, ds, small, ...rest] = results.map(({ data }) => [...data]);
    assert.deepEqual(t, far.map(Math.sign));
    assert.ok(relativeError(s!, far.map((v) => 1 / (1 + Math.exp(-v)))) < 1e-7, `sigmoid ${s}`);
    // What is left of the slope is below the rounding of a value near 1.
    assert.ok([...dt!, ...ds!].every((v) => Math.abs(v) < 2.2e-9), `${dt} ${ds}`);
    // Far out these are the identity or zero; the silu of -20 is -4e-8.
    rest.forEach((numbers, i) =>
      numbers.forEach((v, j) => {
        const limit = i < likeRelu.length ? Math.fround(Math.max(far[j]!, 0)) : Number(far[j]! > 0);
        assert.ok(Math.abs(v - limit) <= 1e-7 * limit + 4.2e-8, `${i}: ${v} at ${far[j]}`);
      })
    );
    small!.forEach((v, i) => {
      const expected = Math.tanh(near[i]!);
      assert.ok(Math.abs(v - expected) <= 3e-7 * Math.abs(expected), `tanh(${near[i]}) = ${v}`);
    });
  });
  Deno.test(`flat pictures have a total variation and no gradient of it (${gpu.storage})`, async () => {
    const x = tensorOf(values([2, 3, 4, 5], Array(120).fill(0.7)));
    const epsilon = 1e-8;
    const outputs = [totalVariation(x), totalVariation(x, { isotropic: true, epsilon })];
    const all = [...outputs, ...outputs.map((y) => gradients(y, [x])[0]!)];
    const [anisotropic, isotropic, ...dx] = await evaluate(gpu, all);
    assert.deepEqual([...anisotropic!.data], [0, 0]);
    for (const y of isotropic!.data) assert.ok(Math.abs(y / (60 * 1e-4) - 1) < 1e-5, `${y}`);
    for (const { data } of dx) assert.deepEqual([...data.map(Math.abs)], Array(120).fill(0));
  });
}

for (const gpu of gpus) {
  Deno.test(`what is no number is found, and left behind (${gpu.storage})`, async () => {
    const data = [NaN, -NaN, Infinity, -Infinity, 0, -0, 1e-45, 1e-38, -3.4e38, 3.4028234e38, 1];
    const marks = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1];
    const x = tensorOf(values([1, 1, 1, data.length], data.map(Math.fround)));
    const one = tensorOf(values([1, 1, 1, 1], [1]));
    const picked = where(finite(x), x, one);
    const gradient = gradients(affine(picked, 3), [x])[0]!;
    // Alone, and as one kernel.
    for (const fuse of [false, true]) {
      const [mask, kept, other, dx] = await evaluate(
        gpu,
        [finite(x), picked, where(finite(x), one, x), gradient],
        { fuse },
      );
      assert.deepEqual([...mask!.data], marks);
      assert.deepEqual([...kept!.data], data.map((v, i) => marks[i] ? Math.fround(v) : 1));
      assert.deepEqual([...other!.data], data.map((v, i) => marks[i] ? 1 : v));
      assert.deepEqual([...dx!.data], marks.map((mark) => 3 * mark));
    }
  });
}

/** The operations that compute something. */
const COMPUTING = Object.keys(OPERATIONS).filter((op) => op !== "constant" && op !== "variable");

Deno.test("every operation has a reference", () => {
  const missing = COMPUTING.filter((op) => !(op in reference) && !(op in REFERENCE_OF));
  assert.deepEqual(missing, [], "operations without a reference in tests/reference.ts");
  for (const name of Object.values(REFERENCE_OF)) assert.equal(typeof reference[name], "function");
});

Deno.test("every operation and element function takes part in a comparison", () => {
  const compared = new Set(
    CASES.flatMap((operationCase) => [...operationsIn(operationCase)]),
  );
  // Fused functions are compared with the single ones in ops_fuse_elements_test.ts.
  for (const name of ["elementwise", "fusedElementwise"]) compared.add(name);
  const all = [...COMPUTING, ...ELEMENT_FUNCTIONS];
  assert.deepEqual(all.filter((op) => !compared.has(op)), []);
});

Deno.test("docs/operations.md says of every operation what tests/formulas.ts says", async () => {
  const collapse = (text: string) => text.replace(/\s+/g, " ");
  const page = collapse(await Deno.readTextFile(TABLE));
  const missing = (Object.keys(FORMULAS) as (keyof typeof FORMULAS)[]).filter((name) =>
    !page.includes(collapse(described(name)))
  );
  assert.deepEqual(missing, [], "run `deno task docs:operations`");
});
