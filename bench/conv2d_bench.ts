/**
 * `deno bench`: convolutions and their input gradients, twenty runs in one submit (to wait for it costs
 * some milliseconds by itself). `mindseye bench` measures more closely.
 */
import { openGpu } from "../kernels/runtime/device.ts";
import { runTimes } from "../ops/tuning/measure.ts";
import { kernelCases, type OpenKernel, openKernel } from "./kernel_cost.ts";

const gpu = await openGpu();
let open: { name: string; kernel: OpenKernel } | undefined;

for (const kernelCase of kernelCases()) {
  if (!kernelCase.name.includes("convolution")) continue;
  const name = `20 × ${kernelCase.name} ${kernelCase.shape}`;
  Deno.bench(name, { group: kernelCase.shape }, async (b) => {
    if (open?.name !== name) {
      open?.kernel[Symbol.dispose]();
      open = { name, kernel: await openKernel(gpu, kernelCase) };
    }
    b.start();
    const { program } = open.kernel;
    await runTimes(gpu, (pass) => program.encode(pass), 20);
    b.end();
  });
}
