/** A network in an ONNX file beside its golden numbers. */
import assert from "node:assert/strict";
import type { Gpu } from "../../../kernels/runtime/device.ts";
import { openOnnx } from "../../../models/formats/onnx/open_onnx.ts";
import { onnxModel } from "../../../models/onnx/onnx_model.ts";
import { findModule } from "../../../models/names.ts";
import { traceModel } from "../../../models/trace.ts";
import {
  compile,
  constant,
  globalAveragePool,
  gradients,
  mul,
  type Shape,
  sum,
  type Tensor,
  Variable,
} from "../../../ops/mod.ts";
import { largest } from "../../distance.ts";
import { type Goldens, readSafetensors, sharedPath } from "../../goldens.ts";

/** Part of the largest number of a tensor by which another may differ. */
const TOLERANCE = 1e-4;

/** Computes all that a golden file holds of an ONNX file, and compares; the worst error is returned. */
export async function compareOnnx(
  gpu: Gpu,
  onnx: string,
  goldenFile: string,
  tolerance = TOLERANCE,
): Promise<number> {
  const goldens = readSafetensors(sharedPath("networks", ...goldenFile.split("/")));
  const { grad_node: gradNode, onnx_nodes: nodes } = goldens.metadata;
  const names: Record<string, string> = (nodes ? JSON.parse(nodes) : {})[onnx.split("/").at(-1)!] ??
    {};
  using file = openOnnx(sharedPath("networks", ...onnx.split("/")));
  const model = onnxModel(file);
  const input = goldens.get("input")!;
  using x = new Variable(gpu, input.shape as unknown as Shape);
  x.write(Float32Array.from(input.data));
  const trace = traceModel(model, x.tensor, file);
  assert.equal(trace.stopped, undefined);
  const outputOf = (name: string): Tensor => findModule(trace, names[name] ?? name).output;

  const maps = new Map(
    [...goldens.keys()].filter((key) => /^(node|output):/.test(key))
      .map((key) => [key, outputOf(key.slice(key.indexOf(":") + 1))]),
  );
  const w = Float32Array.from(goldens.get("w")!.data);
  const pooled = globalAveragePool(outputOf(gradNode!));
  const value = sum(mul(pooled, constant([1, w.length, 1, 1], () => w)), [0, 1]);
  const [grad] = gradients(value, [x.tensor]) as [Tensor];
  maps.set("value", value).set("grad", grad);
  using program = await compile(gpu, { outputs: [...maps.values()] });
  program.poison();
  program.run();
  let worst = 0;
  for (const [key, tensor] of maps) {
    const error = errorOf(await program.read(tensor), goldens, key);
    assert.ok(error <= tolerance, `${onnx}: ${key} is off by ${error} of its largest value`);
    worst = Math.max(worst, error);
  }
  gpu.check();
  return worst;
}

function errorOf(computed: Float32Array, goldens: Goldens, key: string): number {
  const { data } = goldens.get(key)!;
  assert.equal(computed.length, data.length, key);
  return largest(computed.map((v, i) => v - data[i]!)) / largest(Float32Array.from(data));
}
