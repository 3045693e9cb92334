/** Trained networks on a real photo, forwards and backwards, against PyTorch in float64. */
import assert from "node:assert/strict";
import { openGpu, type Storage } from "../../kernels/runtime/device.ts";
import { createModel } from "../../models/registry.ts";
import { openSafetensors } from "../../models/formats/open_safetensors.ts";
import { traceModel, type WeightSource } from "../../models/trace.ts";
import {
  compile,
  constant,
  globalAveragePool,
  gradients,
  mul,
  type Shape,
  sum,
  Variable,
} from "../../ops/mod.ts";
import { largest, relativeL2 } from "../distance.ts";
import { golden, maxDifference, readSafetensors, sharedPath, testWithShared } from "../goldens.ts";
import { type OpenGpu, testWithVariants } from "../variants.ts";

/** With both ways to keep tensors for one, the adapter's own for the others. */
const NETWORKS: [name: string, storages: (Storage | undefined)[], logits: boolean][] = [
  ["squeezenet1_1", ["texture", "buffer"], true],
  ["mobilenet_v2", [undefined], false],
  ["resnet18", [undefined], false],
  ["inception_v3", [undefined], false],
  ["cifar10_resnet20", [undefined], true],
];

/** Taps, loss, gradient and logits of a network, computed in poisoned memory. */
async function compute(
  name: string,
  goldens: ReturnType<typeof readSafetensors>,
  open: OpenGpu,
  storage?: Storage,
  change: (weights: WeightSource) => WeightSource = (weights) => weights,
) {
  using gpu = await open(storage ? { storage } : {});
  using file = openSafetensors(sharedPath("weights", `${name}.safetensors`));
  const weights = change(file);
  using x = new Variable(gpu, goldens.get("input")!.shape as unknown as Shape);
  x.write(golden(goldens, "input") as Float32Array);
  const trace = traceModel(createModel(name, {}, weights), x.tensor, weights);

  const names: string[] = JSON.parse(goldens.metadata.taps!);
  const taps = names.map((path) => trace.modules.get(path)!.output!);
  const gaps = taps.map(globalAveragePool);
  const direction = golden(goldens, "direction") as Float32Array;
  const loss = sum(mul(gaps.at(-1)!, constant([1, direction.length, 1, 1], () => direction)), [1]);
  const [grad] = gradients(loss, [x.tensor]) as [typeof loss];
  const logits = goldens.has("logits") ? [trace.output!] : [];
  using program = await compile(gpu, { outputs: [...taps, ...gaps, loss, grad, ...logits] });
  program.poison();
  program.run();

  const results = new Map<string, Float32Array>();
  for (const [i, path] of names.entries()) {
    const activation = await program.read(taps[i]!);
    const stride = Number(goldens.metadata.sample_stride);
    results.set(`act/${path}`, activation);
    results.set(`sample/${path}`, activation.filter((_, j) => j % stride === 0));
    results.set(`gap/${path}`, await program.read(gaps[i]!));
  }
  results.set("loss", await program.read(loss));
  results.set("grad", await program.read(grad));
  for (const tensor of logits) results.set("logits", await program.read(tensor));
  gpu.check();
  return results;
}

for (const [name, storages, hasHead] of NETWORKS) {
  const files = [`goldens/models_${name}.safetensors`, `weights/${name}.safetensors`];
  for (const storage of storages) {
    const where = storage ? ` in ${storage}s` : "";

    testWithVariants(`${name}${where} computes what PyTorch computes`, files, async (open) => {
      const goldens = readSafetensors(sharedPath(files[0]!));
      const results = await compute(name, goldens, open, storage);
      const compared = [...goldens.keys()].filter((key) => /^(act|sample|gap)\//.test(key));
      assert.ok(compared.length >= 2 * JSON.parse(goldens.metadata.taps!).length);
      assert.equal(goldens.has("logits"), hasHead);
      for (const key of [...compared, "loss", ...(hasHead ? ["logits"] : [])]) {
        const reference = golden(goldens, key);
        const error = maxDifference(results.get(key)!, reference) / largest(reference);
        assert.ok(error <= 1e-4, `${key} is off by ${error} of its largest value`);
      }
      const error = relativeL2(results.get("grad")!, golden(goldens, "grad"));
      // deno-lint-ignore no-console
      if (error > 1e-5) console.log(`${name}: gradient's relative L2 error ${error}`);
      assert.ok(error <= 1e-3, `gradient: relative L2 error ${error}`);
    });
  }
}

// Why mobilenet_v2's gradient is off by 9e-4: before features.3.conv.1.2 the value of channel 93 at
// (26, 12) is −2.28e-7 in float64. Rounding to float32 leaves errors of 2.0e-7 RMS (3e-6 at most)
// in that tensor, so its sign is chance: it comes out as +4.5e-8 in PyTorch's float32 on one
// machine, whose gradient is then off by 8.83e-4 as well, and as +2.1e-7 here. All other rectifiers
// decide as in float64. Here the channel's bias is lowered by so little (5e-7) that only this
// decision changes, and the rest of the gradient can be tested strictly.
const MOBILENET = [
  "goldens/models_mobilenet_v2.safetensors",
  "weights/mobilenet_v2.safetensors",
];
testWithShared(
  "mobilenet_v2's gradient differs by one rectifier that rounding decides, and by nothing else",
  MOBILENET,
  async () => {
    const goldens = readSafetensors(sharedPath(MOBILENET[0]!));
    const results = await compute("mobilenet_v2", goldens, openGpu, undefined, (weights) => ({
      name: weights.name,
      has: (key) => weights.has(key),
      shape: (key) => weights.shape(key),
      read(key) {
        const values = weights.read(key).slice();
        if (key === "features.3.conv.1.1.bias") values[93]! -= 5e-7;
        return values;
      },
    }));
    const error = relativeL2(results.get("grad")!, golden(goldens, "grad"));
    assert.ok(error <= 1e-5, `relative L2 error ${error}`);
  },
);
