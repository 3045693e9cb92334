/** What was opened is given back when a later step fails. */
import assert from "node:assert/strict";
import { measurePeak } from "../../bench/ceiling.ts";
import { openGradient } from "../../bench/gradient_cost.ts";
import { openKernel } from "../../bench/kernel_cost.ts";
import { openModel } from "../../cli/shared/model.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import { readSheet, type Sheet } from "../../kernels/runtime/sheet.ts";
import { randomWeights } from "../../models/random_weights.ts";
import { createModel } from "../../models/registry.ts";
import { gpuForTests } from "../compare.ts";
import { allocations } from "../reliability/device_memory.ts";

Deno.test("a kernel that cannot be built leaves no operands", async () => {
  using gpu = await gpuForTests();
  const { made, left } = await allocations(gpu, async () => {
    await assert.rejects(
      openKernel(gpu, {
        name: "k",
        shape: "s",
        build(random) {
          random([1, 4, 8, 8]);
          throw new Error("no such kernel");
        },
      }),
      /no such kernel/,
    );
  });
  assert.ok(made > 0);
  assert.equal(left, 0);
});

Deno.test("a gradient up to no layer leaves no pictures", async () => {
  using gpu = await gpuForTests();
  const model = createModel("motifs");
  const weights = randomWeights(model);
  const { made, left } = await allocations(gpu, async () => {
    const wanted = { model, weights, layer: "features.99", pictures: 1, size: 32 };
    await assert.rejects(openGradient(gpu, wanted));
  });
  assert.ok(made > 0);
  assert.equal(left, 0);
});

Deno.test("a peak that cannot be measured leaves nothing", async () => {
  using gpu = await gpuForTests();
  const { made, left } = await allocations(gpu, async () => {
    gpu.device.createShaderModule = () => {
      throw new Error("no compiler today");
    };
    await assert.rejects(measurePeak(gpu), /no compiler today/);
  });
  assert.ok(made > 0);
  assert.equal(left, 0);
});

Deno.test("a readback that fails leaves no buffer", async () => {
  let [made, left] = [0, 0];
  const device = {
    createBuffer: () => {
      made++, left++;
      return { mapAsync: () => Promise.reject(new Error("lost")), destroy: () => left-- };
    },
    createCommandEncoder: () => ({ copyBufferToBuffer() {}, finish() {} }),
    queue: { submit() {} },
  };
  const sheet = { storage: "buffer", width: 4, height: 4 } as Sheet;
  await assert.rejects(readSheet({ device } as unknown as Gpu, sheet, 4, 4), /lost/);
  assert.deepEqual([made, left], [1, 0]);
});

Deno.test("weights of no network are closed", async () => {
  // The test itself fails when a file is left open.
  const weights = new URL("../../models/motifs/motifs.safetensors", import.meta.url).pathname;
  await assert.rejects(openModel("resnet81", { weights }), /no model "resnet81"/);
});
