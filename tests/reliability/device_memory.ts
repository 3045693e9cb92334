/** What is allocated on a device. */
import type { Gpu } from "../../kernels/runtime/device.ts";

/** Buffers and textures. */
export interface Count {
  /** How many were made. */
  made: number;
  /** How many of them are left. */
  left: number;
  /** Bytes of these. */
  bytes: number;
}

/** Bytes of a buffer or an rgba32float texture. */
function bytesOf(memory: GPUBuffer | GPUTexture): number {
  return "size" in memory ? memory.size : memory.width * memory.height * 16;
}

/** Counts what is allocated on a device while `body` runs, which can look at the count meanwhile. */
export async function allocations(
  { device }: Gpu,
  body: (count: Readonly<Count>) => Promise<void>,
): Promise<Count> {
  const count = { made: 0, left: 0, bytes: 0 };
  const counted = <T extends GPUBuffer | GPUTexture>(memory: T): T => {
    const bytes = bytesOf(memory);
    count.made++;
    count.left++;
    count.bytes += bytes;
    const { destroy } = memory;
    let alive = true;
    memory.destroy = () => {
      if (alive) {
        count.left--;
        count.bytes -= bytes;
      }
      alive = false;
      return destroy.call(memory);
    };
    return memory;
  };
  const own = { createBuffer: device.createBuffer, createTexture: device.createTexture };
  device.createBuffer = (descriptor) => counted(own.createBuffer.call(device, descriptor));
  device.createTexture = (descriptor) => counted(own.createTexture.call(device, descriptor));
  try {
    await body(count);
  } finally {
    Object.assign(device, own);
  }
  return count;
}
