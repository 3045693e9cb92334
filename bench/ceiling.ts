/** The most an adapter does: what costs are compared with. */
import source from "../kernels/element/fma_peak.wgsl" with { type: "text" };
import type { Gpu } from "../kernels/runtime/device.ts";
import { compileKernel, packParameters } from "../kernels/runtime/kernel.ts";
import { createSheet, destroySheet, sheetBytes, writeSheet } from "../kernels/runtime/sheet.ts";
import { compile } from "../ops/compiler/compile.ts";
import { copy } from "../ops/element/elementwise.ts";
import type { Shape } from "../ops/graph/tensor.ts";
import { Variable } from "../ops/graph/variable.ts";
import { measure, type MeasureOptions } from "../ops/tuning/measure.ts";

/** The most an adapter does. */
export interface Ceiling {
  /** Floating-point operations a second, a multiply-add counts as two. */
  readonly operations: number;
  /** Bytes a second that a copy reads and writes. */
  readonly bytes: number;
}

/** The most floating-point operations a second (a fused multiply-add is two) an adapter does. */
export async function measurePeak(gpu: Gpu, options?: MeasureOptions): Promise<number> {
  const [columns, rows, turns] = gpu.software ? [64, 64, 128] : [1024, 1024, 1024];
  using owned = new DisposableStack();
  const x = owned.adopt(createSheet(gpu, 1, 1), destroySheet);
  const y = owned.adopt(createSheet(gpu, columns, rows), destroySheet);
  writeSheet(gpu, x, new Float32Array([0.999, 0.001, 0, 0]), 1, 1);
  const kernel = await compileKernel(gpu, {
    source: { name: "fmaPeak", wgsl: source },
    defines: {},
    reads: [{ name: "x", storage: x.storage }],
    writes: [{ name: "y", storage: y.storage, full: true }],
    scratch: [],
    parameters: [{ name: "turns", type: "i32" }],
  });
  const data = packParameters([
    { size: [1, 1, 1, 1], place: [0, 1, 4, 0] },
    { size: [1, 1, rows, columns], place: [0, columns, 4, 0] },
  ], [{ value: turns, type: "i32" }]);
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const uniforms = gpu.device.createBuffer({ size: data.byteLength, usage });
  owned.defer(() => uniforms.destroy());
  gpu.device.queue.writeBuffer(uniforms, 0, data);
  const resources = [x, y].map(({ memory }) =>
    memory instanceof GPUTexture ? memory.createView() : { buffer: memory }
  );
  const bindings = gpu.device.createBindGroup({
    layout: kernel.layout,
    entries: [{ buffer: uniforms }, ...resources].map((resource, binding) => ({
      binding,
      resource,
    })),
  });
  const seconds = await measure(gpu, (pass) => {
    pass.setPipeline(kernel.pipeline);
    pass.setBindGroup(0, bindings);
    pass.dispatchWorkgroups(columns / 16, rows / 4, 1);
  }, options);
  return columns * rows * turns * 320 * 2 / seconds;
}

/** The most bytes a second a kernel copies between two sheets, counting what it reads and writes. */
export async function measureCopy(gpu: Gpu, options?: MeasureOptions): Promise<number> {
  // Larger than a processor's caches, as a GPU's are larger still.
  const shape: Shape = gpu.software ? [1, 64, 512, 512] : [1, 64, 2048, 1024];
  using x = new Variable(gpu, shape);
  using program = await compile(gpu, { outputs: [copy(x.tensor)] });
  const seconds = await measure(gpu, (pass) => program.encode(pass), options);
  return 2 * sheetBytes(x.sheet) / seconds;
}
