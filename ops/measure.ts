/**
 * What kernels cost, in processor time: on a software adapter the one measure that other processes
 * do not disturb. On a GPU the same calls measure the clock on the wall.
 */
import process from "node:process";
import source from "../kernels/fma_peak.wgsl" with { type: "text" };
import type { Gpu } from "../kernels/device.ts";
import { compileKernel, packParameters } from "../kernels/kernel.ts";
import { createSheet, destroySheet, writeSheet } from "../kernels/sheet.ts";

/** Records some work into a pass. */
export type Encode = (pass: GPUComputePassEncoder) => void;

/** Seconds of this process's processors on a software adapter, of the clock on a GPU. */
function now(gpu: Gpu): number {
  if (!gpu.software) return performance.now() / 1e3;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function secondsFor(gpu: Gpu, encode: Encode, times: number): Promise<number> {
  const { queue } = gpu.device;
  await queue.onSubmittedWorkDone();
  const start = now(gpu);
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let i = 0; i < times; i++) encode(pass);
  pass.end();
  queue.submit([encoder.finish()]);
  await queue.onSubmittedWorkDone();
  return now(gpu) - start;
}

/**
 * Seconds one run of the work takes: the least of some tries, each of them long enough to measure.
 *
 * @param enough seconds of a try
 */
export async function measure(
  gpu: Gpu,
  encode: Encode,
  { enough = 0.15, tries = 3 }: { enough?: number; tries?: number } = {},
): Promise<number> {
  await secondsFor(gpu, encode, 1); // compiles
  let times = 1;
  let seconds = await secondsFor(gpu, encode, times);
  while (seconds < enough) {
    times = Math.ceil(times * Math.min(10, 1.2 * enough / Math.max(seconds, 1e-4)));
    seconds = await secondsFor(gpu, encode, times);
  }
  let best = seconds;
  for (let i = 1; i < tries; i++) best = Math.min(best, await secondsFor(gpu, encode, times));
  gpu.check();
  return best / times;
}

/** The most floating-point operations a second (a fused multiply-add is two) an adapter does. */
export async function measurePeak(gpu: Gpu): Promise<number> {
  const [columns, rows, turns] = gpu.software ? [64, 64, 128] : [1024, 1024, 1024];
  const x = createSheet(gpu, 1, 1);
  const y = createSheet(gpu, columns, rows);
  writeSheet(gpu, x, new Float32Array([0.999, 0.001, 0, 0]), 1, 1);
  const kernel = await compileKernel(gpu, {
    source: { name: "fmaPeak", wgsl: source },
    defines: {},
    reads: [{ name: "x", storage: x.storage }],
    writes: [{ name: "y", storage: y.storage }],
    scratch: [],
    parameters: [{ name: "turns", type: "i32" }],
  });
  const data = packParameters([
    { size: [1, 1, 1, 1], place: [0, 1, 4, 0] },
    { size: [1, 1, rows, columns], place: [0, columns, 4, 0] },
  ], [{ value: turns, type: "i32" }]);
  const uniforms = gpu.device.createBuffer({
    size: data.byteLength,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
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
  try {
    const seconds = await measure(gpu, (pass) => {
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(columns / 16, rows / 4, 1);
    });
    return columns * rows * turns * 320 * 2 / seconds;
  } finally {
    uniforms.destroy();
    destroySheet(x);
    destroySheet(y);
  }
}
