/** A network on a golden photo: taps, loss, gradient and logits, and how near they must come. */
import assert from "node:assert/strict";
import type { Gpu } from "../kernels/runtime/device.ts";
import { createModel } from "../models/registry.ts";
import { traceModel } from "../models/trace.ts";
import type { WeightSource } from "../models/formats/weights.ts";
import {
  compile,
  constant,
  globalAveragePool,
  gradients,
  mul,
  type Shape,
  sum,
  Variable,
} from "../ops/mod.ts";
import { largest, relativeL2 } from "./distance.ts";

/** Golden tensors by name, however they were read. */
export interface NetworkGoldens {
  readonly metadata: Readonly<Record<string, string>>;
  keys(): Iterable<string>;
  get(name: string): { shape: readonly number[]; data: ArrayLike<number> } | undefined;
}

/** What a network computed. */
export interface NetworkResults {
  /** By the goldens' names. */
  readonly values: ReadonlyMap<string, Float32Array>;
  /** The names of the kernels that did. */
  readonly kernels: ReadonlySet<string>;
}

/** Taps, loss, gradient and logits of a network, computed in poisoned memory. */
export async function computeNetwork(
  gpu: Gpu,
  name: string,
  goldens: NetworkGoldens,
  weights: WeightSource,
): Promise<NetworkResults> {
  const input = goldens.get("input")!;
  using x = new Variable(gpu, input.shape as unknown as Shape);
  x.write(Float32Array.from(input.data));
  const trace = traceModel(createModel(name, {}, weights), x.tensor, weights);

  const names: string[] = JSON.parse(goldens.metadata.taps!);
  const taps = names.map((path) => trace.modules.get(path)!.output!);
  const gaps = taps.map(globalAveragePool);
  const direction = Float32Array.from(goldens.get("direction")!.data);
  const loss = sum(mul(gaps.at(-1)!, constant([1, direction.length, 1, 1], () => direction)), [1]);
  const [grad] = gradients(loss, [x.tensor]) as [typeof loss];
  const logits = goldens.get("logits") ? [trace.output!] : [];
  using program = await compile(gpu, { outputs: [...taps, ...gaps, loss, grad, ...logits] });
  program.poison();
  program.run();

  const values = new Map<string, Float32Array>();
  for (const [i, path] of names.entries()) {
    const activation = await program.read(taps[i]!);
    const stride = Number(goldens.metadata.sample_stride);
    values.set(`act/${path}`, activation);
    values.set(`sample/${path}`, activation.filter((_, j) => j % stride === 0));
    values.set(`gap/${path}`, await program.read(gaps[i]!));
  }
  values.set("loss", await program.read(loss));
  values.set("grad", await program.read(grad));
  for (const tensor of logits) values.set("logits", await program.read(tensor));
  gpu.check();
  return { values, kernels: new Set(program.kernelNames) };
}

/**
 * Compares what a network computed with what PyTorch did in float64.
 *
 * @returns the gradient's relative L2 error
 * @throws when something is off: values by 1e-4 of the largest, the gradient by 1e-3
 */
export function compareNetwork(
  { values }: NetworkResults,
  goldens: NetworkGoldens,
): number {
  const stored = [...goldens.keys()];
  const compared = stored.filter((key) => /^(act|sample|gap)\//.test(key));
  assert.ok(compared.length >= 2 * JSON.parse(goldens.metadata.taps!).length);
  for (const key of [...compared, "loss", ...(stored.includes("logits") ? ["logits"] : [])]) {
    const reference = goldens.get(key)!.data;
    const computed = values.get(key)!;
    assert.equal(computed.length, reference.length, key);
    const error = largest(computed.map((v, i) => v - reference[i]!)) / largest(reference);
    assert.ok(error <= 1e-4, `${key} is off by ${error} of its largest value`);
  }
  const error = relativeL2(values.get("grad")!, goldens.get("grad")!.data);
  assert.ok(error <= 1e-3, `gradient: relative L2 error ${error}`);
  return error;
}
