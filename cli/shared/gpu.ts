/** Options about the GPU, shared by all commands that use it. */
import { type Gpu, openGpu, type Storage } from "../../kernels/runtime/device.ts";
import { GpuKeeper } from "../../kernels/runtime/keeper.ts";
import { tuned } from "../../ops/tuning/tune.ts";
import { say } from "./progress.ts";
import { sharedGpu } from "./sharing.ts";
import type { Arguments, OptionSpec } from "./options.ts";

/** How the GPU computes. */
export const GPU_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  precise: {
    type: "boolean",
    help: "Compute convolutions by their definition: slower, rounds a little less",
  },
  "no-tune": {
    type: "boolean",
    help: "Neither measure which kernels are fastest here nor use what was measured (see: tune)",
  },
};

/**
 * The best adapter, set as the options say.
 *
 * @param storage where tensors live; the device's choice by default
 */
export async function openGpuFor(args: Arguments, storage?: Storage): Promise<Gpu> {
  const gpu = await openGpu({ precise: args.flag("precise"), ...(storage ? { storage } : {}) });
  if (!args.flag("no-tune")) tuned(gpu, { note: (text) => say(`note: ${text}`) });
  return gpu;
}

/** The same, opened again when it is lost; where runs share one, that. */
export async function keepGpuFor(args: Arguments): Promise<GpuKeeper> {
  const key = JSON.stringify([args.flag("precise"), args.flag("no-tune")]);
  return await sharedGpu(key, () => openKeeper(args)) ?? await openKeeper(args);
}

async function openKeeper(args: Arguments): Promise<GpuKeeper> {
  return await GpuKeeper.open(
    () => openGpuFor(args),
    (reason) => say(`note: the GPU was lost (${reason}); it is opened again`),
  );
}
