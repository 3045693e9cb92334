/** Every operation against its reference: forward, gradient, adjoint, both kinds of storage. */
import assert from "node:assert/strict";
import { gradients, maxPool2d, totalVariation } from "../ops/mod.ts";
import type { ElementFunctionName } from "../ops/elementwise.ts";
import { OPERATIONS } from "../ops/operations.ts";
import { CASES } from "./cases/all.ts";
import {
  compareCase,
  evaluate,
  gpuForTests,
  note,
  operationsIn,
  tensorOf,
  values,
} from "./compare.ts";
import { reference, REFERENCE_OF } from "./reference.ts";

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

Deno.test("every operation has a reference", () => {
  const leaves = ["constant", "variable"];
  const missing = Object.keys(OPERATIONS).filter((op) =>
    !leaves.includes(op) && !(op in REFERENCE_OF)
  );
  assert.deepEqual(missing, [], "operations without a reference in tests/reference.ts");
  for (const name of Object.values(REFERENCE_OF)) assert.equal(typeof reference[name], "function");
});

Deno.test("every operation and element function takes part in a comparison", () => {
  const elements: Record<ElementFunctionName, true> = {
    identity: true,
    detach: true,
    add: true,
    sub: true,
    mul: true,
    div: true,
    multiplyAdd: true,
    affine: true,
    relu: true,
    relu6: true,
    reluGradient: true,
    relu6Gradient: true,
    abs: true,
    sign: true,
    sqrt: true,
    clampMin: true,
    atLeast: true,
    clampTo: true,
    notLess: true,
    mix: true,
  };
  const compared = new Set(CASES.flatMap((operationCase) => [...operationsIn(operationCase)]));
  const all = [...Object.keys(REFERENCE_OF), ...Object.keys(elements)];
  assert.deepEqual(all.filter((op) => op !== "elementwise" && !compared.has(op)), []);
});
