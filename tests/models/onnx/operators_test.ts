/** Every operator of ONNX by ONNX's own backend tests, in a network and folded on the host. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openGpu } from "../../../kernels/runtime/device.ts";
import { bytesInMemory } from "../../../models/formats/byte_source.ts";
import { OnnxFile } from "../../../models/formats/onnx/onnx_file.ts";
import { OnnxNetwork } from "../../../models/onnx/onnx_network.ts";
import { HOST_OPERATORS } from "../../../models/onnx/operators/host.ts";
import { OPERATORS } from "../../../models/onnx/operators/mod.ts";
import { traceModel } from "../../../models/trace.ts";
import { compile, type Tensor, Variable } from "../../../ops/mod.ts";
import { findPython, readFloats, runReference, WANTED_PYTHON } from "../../python.ts";
import { BACKEND_CASES, type BackendCase, backendCase, backendNames } from "./backend.ts";

/** Cases of operators that are here, which ask for what is not. */
const LEFT_OUT: readonly (readonly [name: RegExp, why: string])[] = [
  [/3d(_|$)/, "volumes"],
  [/sequence|optional|_opt$|_seq$|_seq_|simple\/test_gradient/, "values that are no tensors"],
  [/STRING|strnorm/, "texts"],
  [/(cast|castlike)_.*(BFLOAT16|_to_FLOAT16|to_DOUBLE)/, "all floats are float32 here"],
  [/training/, "training"],
  [/reduce_prod/, "products along an axis"],
  [/tf_crop_and_resize/, "a value of what lies outside of a picture"],
  [/slice_start_out_of_bounds/, "a picture without pixels"],
  [/range_float_type_positive_delta$/, "the start of a range from a picture"],
  [/test_(size|shape)/, "sizes, which are known beforehand: what is compared on the host"],
  [/operator_(pow|sqrt)$/, "NaN"],
];

const supported = ({ operators }: BackendCase) =>
  operators.every((name) => Object.hasOwn(OPERATORS, name) || Object.hasOwn(HOST_OPERATORS, name));

/** Whether numbers are as far apart as rounding takes them. */
function compare(name: string, found: ArrayLike<number>, expected: ArrayLike<number>): void {
  assert.equal(found.length, expected.length, name);
  for (let i = 0; i < found.length; i++) {
    const [a, b] = [found[i]!, expected[i]!];
    const near = a === b || Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(b));
    assert.ok(near, `${name}: element ${i} is ${a}, expected ${b}`);
  }
}

const here = existsSync(BACKEND_CASES);
// deno-lint-ignore no-console
if (!here) console.warn(`SKIPPED ONNX's backend tests: no ${BACKEND_CASES} (libonnx-testdata)`);

Deno.test({ name: "operators give what ONNX's own tests expect", ignore: !here }, async () => {
  using gpu = await openGpu();
  let compared = 0;
  const inNetworks = new Set<string>();
  for (const name of backendNames()) {
    if (LEFT_OUT.some(([pattern]) => pattern.test(name))) continue;
    const found = backendCase(name, false);
    if (!found?.picture || !supported(found)) continue;
    using x = new Variable(gpu, [1, 1, 1, found.picture.length]);
    x.write(found.picture);
    const trace = traceModel({ name, root: new OnnxNetwork(found.file) }, x.tensor);
    // Further outputs, such as the places of maxima, are not given.
    const rows = [...found.expected].map(([row, expected]) => {
      const path = trace.aliases.get(row);
      const module = path === undefined ? undefined : trace.modules.get(path);
      assert.ok(module?.output || path === undefined || row !== "row 0", module?.stopped);
      return [module?.output, expected] as const;
    }).filter((row): row is readonly [Tensor, ArrayLike<number>] => row[0] !== undefined);
    using program = await compile(gpu, { outputs: rows.map(([tensor]) => tensor) });
    program.poison();
    program.run();
    for (const [tensor, expected] of rows) compare(name, await program.read(tensor), expected);
    compared += rows.length;
    for (const operator of found.operators) inNetworks.add(operator);
  }
  gpu.check();
  assert.ok(compared > 400, `${compared} outputs were compared`);
  // deno-lint-ignore no-console
  console.log(`${compared} outputs of ${inNetworks.size} operators`);
});

Deno.test(
  { name: "what is known beforehand is folded as ONNX's tests expect", ignore: !here },
  () => {
    let compared = 0;
    for (const name of backendNames()) {
      if (
        LEFT_OUT.some(([pattern]) => pattern.test(name)) && !/test_(size|shape)/.test(name)
      ) continue;
      const found = backendCase(name, true);
      const sizes = ["Shape", "Size"];
      const onHost = (operator: string) =>
        Object.hasOwn(HOST_OPERATORS, operator) || sizes.includes(operator);
      if (!found?.operators.every(onHost)) continue;
      const root = new OnnxNetwork(found.file);
      traceModel({ name, root }, [1, 1, 1, 1]);
      for (const [row, expected] of found.expected) {
        const known = root.known(row);
        assert.ok(known, `${name}: ${row} is not known`);
        compare(name, known.numbers, expected);
        compared++;
      }
    }
    assert.ok(compared > 200, `${compared} outputs were compared`);
  },
);

const python = findPython();
// deno-lint-ignore no-console
if (!python) console.warn(`SKIPPED ONNX's later operators: no ${WANTED_PYTHON}`);

/** A case of newer.py. */
interface Newer {
  readonly name: string;
  readonly file: Uint8Array<ArrayBuffer>;
  readonly input: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
  readonly expected: Float32Array;
}

Deno.test({ name: "later operators give what PyTorch gives", ignore: !python }, async () => {
  const cases = await runReference(python!, "models/onnx/newer.py", [], (folder): Newer[] => {
    const list = JSON.parse(Deno.readTextFileSync(join(folder, "cases.json")));
    return list.map(([name, shape]: [string, number[]]) => ({
      ...{ name, shape, file: Deno.readFileSync(join(folder, `${name}.onnx`)) },
      input: readFloats(join(folder, `${name}.in`)),
      expected: readFloats(join(folder, `${name}.out`)),
    }));
  });
  using gpu = await openGpu();
  for (const { name, file, input, shape, expected } of cases) {
    using opened = new OnnxFile(name, bytesInMemory(file), () => bytesInMemory(new Uint8Array()));
    const [n, c, h, w = 1] = shape as [number, number, number, number?];
    using x = new Variable(gpu, [n, c, h, w]);
    x.write(input);
    const { output, stopped } = traceModel({ name, root: new OnnxNetwork(opened) }, x.tensor);
    assert.ok(output, `${name}: ${stopped}`);
    using program = await compile(gpu, { outputs: [output] });
    program.poison();
    program.run();
    compare(name, await program.read(output), expected);
  }
});
