/** Options about the GPU, shared by all commands that use it. */
import { type Gpu, openGpu } from "../kernels/device.ts";
import type { Arguments, OptionSpec } from "./options.ts";

/** How the GPU computes. */
export const GPU_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  precise: {
    type: "boolean",
    help: "Compute convolutions by their definition: slower, rounds a little less",
  },
};

/** The best adapter, set as the options say. */
export async function openGpuFor(args: Arguments): Promise<Gpu> {
  return await openGpu({ precise: args.flag("precise") });
}
