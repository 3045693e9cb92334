/** Trying whether a device has the memory that some work needs: WebGPU does not say how much it has. */
import type { Gpu } from "./device.ts";

/**
 * Does work that allocates. Where the device has too little memory for it, what came of it is given
 * back, and the device is as before.
 *
 * @returns `undefined` when there was too little
 * @throws {Error} whatever else goes wrong in the work, or on the device meanwhile.
 */
export async function withinMemory<T extends Disposable>(
  gpu: Gpu,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const { device } = gpu;
  device.pushErrorScope("out-of-memory");
  device.pushErrorScope("validation"); // what has no memory is invalid wherever it is used
  const [outcome] = await Promise.allSettled([work()]);
  const [invalid, exhausted] = [await device.popErrorScope(), await device.popErrorScope()];
  const failed = outcome.status === "rejected" || invalid || exhausted;
  if (!failed) return outcome.value;
  if (outcome.status === "fulfilled") outcome.value[Symbol.dispose]();
  if (exhausted) return undefined;
  throw outcome.status === "rejected"
    ? outcome.reason
    : new Error(`the GPU reported: ${invalid!.message}`);
}
