/**
 * Trained networks as other adapters than this one compute them: with no more than WebGPU promises
 * everywhere, and with the kernels and tiles that GPUs get, against PyTorch in float64.
 */
import assert from "node:assert/strict";
import { type Gpu, openGpu } from "../../kernels/runtime/device.ts";
import { openSafetensors } from "../../models/formats/open_safetensors.ts";
import { forcing, useVariants, variantOf } from "../../ops/conv2d/variants.ts";
import { asGpu, VENDORS } from "../as_gpu.ts";
import { readSafetensors, sharedPath, testWithShared } from "../goldens.ts";
import { compareNetwork, computeNetwork } from "../networks.ts";

/** An adapter to compute as. */
interface Adapter {
  readonly name: string;
  readonly open: () => Promise<Gpu>;
  /** A kernel that only it takes. */
  readonly kernel?: string;
}

const DEFAULT: Adapter = {
  name: "default limits",
  open: () => openGpu({ limits: "default" }),
};

// GPUs have more than the default limits, but a page gets no more unless it asks.
const GPUS: readonly Adapter[] = VENDORS.map((vendor) => ({
  name: `a GPU of ${vendor}`,
  open: async () => asGpu(await openGpu({ limits: "default" }), vendor),
  kernel: "stagedProducts",
}));

const IMPLICIT: Adapter = {
  name: "implicit GEMM",
  async open() {
    const gpu = asGpu(await openGpu({ limits: "default" }), "nvidia");
    useVariants(gpu, forcing((gpu, geometry) => variantOf("implicitGemm", gpu, geometry)));
    return gpu;
  },
  kernel: "implicitGemm",
};

const NETWORKS: Readonly<Record<string, readonly Adapter[]>> = {
  squeezenet1_1: [DEFAULT, ...GPUS, IMPLICIT],
  resnet18: [DEFAULT, ...GPUS, IMPLICIT],
  mobilenet_v2: [DEFAULT, GPUS[0]!, IMPLICIT],
  inception_v3: [DEFAULT, GPUS[0]!, IMPLICIT],
  cifar10_resnet20: [DEFAULT, GPUS[0]!, IMPLICIT],
};

/** Convolutions of 3×3 and stride 1 are computed by GPUs in staged tiles; it has none but depthwise. */
const WITHOUT_STAGED = new Set(["mobilenet_v2"]);

for (const [network, adapters] of Object.entries(NETWORKS)) {
  const files = [`goldens/models_${network}.safetensors`, `weights/${network}.safetensors`];
  for (const { name, open, kernel } of adapters) {
    testWithShared(`${network} computes what PyTorch computes: ${name}`, files, async () => {
      const goldens = readSafetensors(sharedPath(files[0]!));
      using weights = openSafetensors(sharedPath(files[1]!));
      using gpu = await open();
      assert.equal(gpu.storage, "buffer");
      const results = await computeNetwork(gpu, network, goldens, weights);
      compareNetwork(results, goldens);
      if (kernel && !(kernel === "stagedProducts" && WITHOUT_STAGED.has(network))) {
        assert.ok(results.kernels.has(kernel), [...results.kernels].join());
      }
    });
  }
}
