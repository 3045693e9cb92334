/** Devices with no more than WebGPU promises. */
import assert from "node:assert/strict";
import { openGpu } from "../../kernels/runtime/device.ts";
import { compareCase } from "../compare.ts";
import { CASES } from "../cases/all.ts";

/** https://www.w3.org/TR/webgpu/#limits */
const DEFAULTS = {
  maxStorageBufferBindingSize: 128 * 2 ** 20,
  maxBufferSize: 256 * 2 ** 20,
  maxTextureDimension2D: 8192,
  maxStorageTexturesPerShaderStage: 4,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65535,
} as const;

Deno.test("default limits are WebGPU's, and tensors then live in buffers", async () => {
  using gpu = await openGpu({ limits: "default" });
  for (const [name, limit] of Object.entries(DEFAULTS)) {
    assert.equal(gpu.device.limits[name as keyof typeof DEFAULTS], limit, name);
  }
  assert.equal(gpu.storage, "buffer");
  await assert.rejects(
    openGpu({ limits: "default", storage: "texture" }),
    /storage "texture" needs 8 storage textures a shader stage, the device has 4; leave storage out/,
  );
});

Deno.test("every operation's first cases pass under default limits", async () => {
  using gpu = await openGpu({ limits: "default" });
  for (const each of CASES) {
    await compareCase(gpu, { ...each, special: { ...each.special, count: 2 } });
  }
});
