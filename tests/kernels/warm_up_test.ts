import assert from "node:assert/strict";
import { openGpu } from "../../kernels/runtime/device.ts";
import { compileKernel } from "../../kernels/runtime/kernel.ts";
import { warmUp } from "../../kernels/runtime/warm_up.ts";

/** How many adapters are asked for meanwhile. */
async function adaptersAsked(body: () => Promise<void>): Promise<number> {
  const { requestAdapter } = navigator.gpu;
  let asked = 0;
  navigator.gpu.requestAdapter = function (...options) {
    asked++;
    return requestAdapter.apply(this, options);
  };
  try {
    await body();
  } finally {
    navigator.gpu.requestAdapter = requestAdapter;
  }
  return asked;
}

/** A kernel that no cache has seen: long, with a number nobody had before. */
function strange() {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const wgsl = `fn compute(n: i32, c4: i32, y: i32, x: i32) {
  var v = load_x(n, c4, y, x);
  #for i in 0..60
  v = sin(v * \${1 + (SEED + i) % 1e6 / 1e7}f + v.yzwx);
  #end
  store_y(n, c4, y, x, v);
}`;
  return { name: "strange", wgsl, seed };
}

Deno.test("cold kernels are translated on two devices, warm ones are left alone", async () => {
  using gpu = await openGpu();
  const kernels = await Promise.all(Array.from({ length: 7 }, () => {
    const { seed, ...source } = strange();
    return compileKernel(gpu, {
      source,
      defines: { SEED: seed },
      reads: [{ name: "x", storage: gpu.storage }],
      writes: [{ name: "y", storage: gpu.storage, full: true }],
      scratch: ["state"],
      parameters: [{ name: "unused", type: "f32" }],
    });
  }));
  const several = gpu.software && navigator.hardwareConcurrency > 1;
  assert.equal(await adaptersAsked(() => warmUp(gpu, kernels)), several ? 1 : 0);
  assert.equal(await adaptersAsked(() => warmUp(gpu, kernels)), 0);
  gpu.check();
});
