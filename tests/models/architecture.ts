/** A network with weights by formula beside what torchvision computed with the same. */
import assert from "node:assert/strict";
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { Model } from "../../models/registry.ts";
import { traceModel } from "../../models/trace.ts";
import {
  compile,
  constant,
  globalAveragePool,
  gradients,
  mul,
  sum,
  Variable,
} from "../../ops/mod.ts";
import { largest, relativeL2 } from "../distance.ts";
import { formulaWeights, stream } from "./formula_weights.ts";
import type { NetworkGoldens } from "../networks.ts";

/**
 * Compares pooled maps, logits and the gradient for the picture.
 *
 * @returns the largest error of a value, as a share of the largest, and the gradient's relative L2
 * @throws when values are off by more than 1e-4, or the gradient by more than 1e-3
 */
export async function compareArchitecture(
  gpu: Gpu,
  model: Model,
  goldens: NetworkGoldens,
): Promise<{ values: number; gradient: number }> {
  const { metadata } = goldens;
  const side = Number(metadata.input_side);
  using x = new Variable(gpu, [1, 3, side, side]);
  x.write(stream(metadata.input ?? "input", 3 * side * side));
  const weights = formulaWeights(model.root, Number(metadata.gain));
  const trace = traceModel(model, x.tensor, weights);
  const names: string[] = JSON.parse(metadata.taps!);
  const gaps = names.map((path) => globalAveragePool(trace.modules.get(path)!.output!));
  const direction = Float32Array.from(goldens.get("direction")!.data);
  const loss = sum(mul(gaps.at(-1)!, constant([1, direction.length, 1, 1], () => direction)), [1]);
  const [gradient] = gradients(loss, [x.tensor]) as [typeof loss];
  const outputs = [...gaps, trace.output!, loss, gradient];
  using program = await compile(gpu, { outputs });
  program.run();
  let values = 0;
  const keys = [...names.map((path) => `gap/${path}`), "logits", "loss"];
  for (const [i, key] of keys.entries()) {
    const computed = await program.read(outputs[i]!);
    const reference = goldens.get(key)!.data;
    assert.equal(computed.length, reference.length, key);
    const error = largest(computed.map((v, j) => v - reference[j]!)) / largest(reference);
    assert.ok(error <= 1e-4, `${model.name} ${key} is off by ${error} of its largest value`);
    values = Math.max(values, error);
  }
  const error = relativeL2(await program.read(gradient), goldens.get("grad")!.data);
  assert.ok(error <= 1e-3, `${model.name}: gradient, relative L2 error ${error}`);
  return { values, gradient: error };
}
