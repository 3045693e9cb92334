/**
 * llvmpipe translates a pipeline to machine code when it is first dispatched: up to half a second
 * each, one after the other, while other processors have nothing to do. The driver keeps the results
 * in its cache on disk, where any device of the machine finds them. So where they are not there yet,
 * a second device translates half of them at the same time.
 */
import { processorSeconds } from "../../base/host.ts";
import { type Gpu, openGpu } from "./device.ts";
import { compileKernel, type Kernel } from "./kernel.ts";

/** Kernels that were dispatched before. */
const warm = new WeakSet<Kernel>();

/** Fewer are not worth another device. */
const ENOUGH_KERNELS = 6;

/** Translating takes tenths of these, finding in the cache thousandths. */
const COLD_SECONDS = 0.1;

/** Has the driver of a software adapter translate kernels before their first run. */
export async function warmUp(gpu: Gpu, kernels: Iterable<Kernel>): Promise<void> {
  // Where nobody counts the processors' time it is a browser, with another driver and other habits.
  if (!gpu.software || processorSeconds() === undefined) return;
  const cold = [...new Set(kernels)].filter((kernel) => !warm.has(kernel));
  for (const kernel of cold) warm.add(kernel);
  if (cold.length < ENOUGH_KERNELS || navigator.hardwareConcurrency < 2) return;
  cold.sort((a, b) => b.code.length - a.code.length);
  const [largest, ...others] = cold as [Kernel, ...Kernel[]];
  const start = processorSeconds()!;
  translate(gpu, [largest]);
  await gpu.device.queue.onSubmittedWorkDone();
  if (processorSeconds()! - start < COLD_SECONDS) return;

  using second = await openGpu({ storage: gpu.storage });
  translate(gpu, others.filter((_, i) => i % 2 === 1));
  const half = others.filter((_, i) => i % 2 === 0);
  translate(second, await Promise.all(half.map(({ spec }) => compileKernel(second, spec))));
  // Both devices work while this waits for the one and then for the other.
  await second.device.queue.onSubmittedWorkDone();
  await gpu.device.queue.onSubmittedWorkDone();
}

/** Dispatches kernels with no workgroups, on operands of no meaning. */
function translate({ device }: Gpu, kernels: readonly Kernel[]): void {
  using operands = new DisposableStack();
  const keep = <T extends { destroy(): void }>(memory: T): T => {
    operands.defer(() => memory.destroy());
    return memory;
  };
  const uniforms = keep(device.createBuffer({ size: 4096, usage: GPUBufferUsage.UNIFORM }));
  // Sides that are no powers of two, as those of all sheets: see sheet.ts.
  const texture = () =>
    keep(device.createTexture({
      size: [3, 3],
      format: "rgba32float",
      usage: GPUTextureUsage.STORAGE_BINDING,
    })).createView();
  const buffer = () => ({
    buffer: keep(device.createBuffer({ size: 64, usage: GPUBufferUsage.STORAGE })),
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const { spec, layout, pipeline } of kernels) {
    const resources = [
      { buffer: uniforms },
      ...[...spec.reads, ...spec.writes].map(({ storage }) =>
        storage === "texture" ? texture() : buffer()
      ),
      ...spec.scratch.map(buffer),
    ];
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(0, 0, 0);
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
}
