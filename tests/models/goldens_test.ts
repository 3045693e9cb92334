/** Trained networks on a real photo, forwards and backwards, against PyTorch in float64. */
import assert from "node:assert/strict";
import { type Gpu, openGpu, type Storage } from "../../kernels/runtime/device.ts";
import { openSafetensors } from "../../models/formats/open_safetensors.ts";
import type { WeightSource } from "../../models/formats/weights.ts";
import { relativeL2 } from "../distance.ts";
import { golden, readSafetensors, sharedPath, testWithShared } from "../goldens.ts";
import { compareNetwork, computeNetwork } from "../networks.ts";
import { testWithVariants } from "../variants.ts";

/** With both ways to keep tensors for one, the adapter's own for the others. */
const NETWORKS: [name: string, storages: (Storage | undefined)[], logits: boolean][] = [
  ["squeezenet1_1", ["texture", "buffer"], true],
  ["mobilenet_v2", [undefined], false],
  ["resnet18", [undefined], false],
  ["inception_v3", [undefined], false],
  ["cifar10_resnet20", [undefined], true],
];

/** Taps, loss, gradient and logits of a network, its weights perhaps changed. */
async function compute(
  name: string,
  goldens: ReturnType<typeof readSafetensors>,
  gpu: Gpu,
  change: (weights: WeightSource) => WeightSource = (weights) => weights,
) {
  using file = openSafetensors(sharedPath("weights", `${name}.safetensors`));
  return await computeNetwork(gpu, name, goldens, change(file));
}

for (const [name, storages, hasHead] of NETWORKS) {
  const files = [`goldens/models_${name}.safetensors`, `weights/${name}.safetensors`];
  for (const storage of storages) {
    const where = storage ? ` in ${storage}s` : "";

    testWithVariants(`${name}${where} computes what PyTorch computes`, files, async (open) => {
      const goldens = readSafetensors(sharedPath(files[0]!));
      assert.equal(goldens.has("logits"), hasHead);
      using gpu = await open(storage ? { storage } : {});
      const error = compareNetwork(await compute(name, goldens, gpu), goldens);
      // deno-lint-ignore no-console
      if (error > 1e-5) console.log(`${name}: gradient's relative L2 error ${error}`);
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
    using gpu = await openGpu();
    const { values } = await compute("mobilenet_v2", goldens, gpu, (weights) => ({
      name: weights.name,
      has: (key) => weights.has(key),
      shape: (key) => weights.shape(key),
      read(key) {
        const values = weights.read(key).slice();
        if (key === "features.3.conv.1.1.bias") values[93]! -= 5e-7;
        return values;
      },
    }));
    const error = relativeL2(values.get("grad")!, golden(goldens, "grad"));
    assert.ok(error <= 1e-5, `relative L2 error ${error}`);
  },
);
