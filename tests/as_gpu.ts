/** A software adapter that is taken for a GPU, so that what only GPUs do is computed and compared. */
import { Gpu } from "../kernels/runtime/device.ts";

/** Vendors whose GPUs get tiles of their own (see ops/conv2d/variants.ts); AMD's are NVIDIA's. */
export const VENDORS = ["nvidia", "apple", "intel"] as const;

/** The same device; programs compiled for it choose as they would on a GPU of this vendor. */
export function asGpu({ adapter, device, precise }: Gpu, vendor: typeof VENDORS[number]): Gpu {
  const info = { vendor, architecture: "", device: "", description: "", isFallbackAdapter: false };
  return new Gpu(
    Object.create(adapter, { info: { value: info } }),
    device,
    "buffer",
    false,
    precise,
  );
}
