/** A device that has no memory left, though it has. */
import type { Gpu } from "../../kernels/runtime/device.ts";

/** Lets a device say that it has no memory left, so many times. */
export function exhaust(gpu: Gpu, times: number): { tried: () => number } {
  const { device } = gpu;
  const [push, pop] = [device.pushErrorScope, device.popErrorScope];
  const filters: GPUErrorFilter[] = [];
  let tried = 0;
  device.pushErrorScope = (filter) => {
    filters.push(filter);
    return push.call(device, filter);
  };
  device.popErrorScope = async () => {
    const error = await pop.call(device);
    if (filters.pop() !== "out-of-memory") return error;
    return ++tried <= times ? { message: "not enough memory left" } as GPUError : error;
  };
  return { tried: () => tried };
}
