/** The GPU: which one was found, what it can do, and how kernels should be shaped for it. */
import { UserError } from "../../base/errors.ts";

/** Where tensors live: measured, not a matter of taste (see docs/performance.md). */
export type Storage = "buffer" | "texture";

/** How {@linkcode openGpu} should behave. */
export interface GpuOptions {
  /** Where tensors live. Default: textures on software adapters, buffers on real GPUs. */
  storage?: Storage;
  /**
   * Compute convolutions by their definition (default false). Otherwise those of 3×3 and stride 1
   * may take Winograd's algorithm: up to three times faster, its rounding a little coarser.
   */
  precise?: boolean;
}

/** An open device with everything kernels need to know about it. */
export class Gpu implements Disposable {
  /** The first error the device reported, outside any call, since the last check. */
  fault: string | undefined;

  /** Use {@linkcode openGpu}. */
  constructor(
    /** The adapter the device came from. */
    readonly adapter: GPUAdapter,
    /** The device itself. */
    readonly device: GPUDevice,
    /** Where tensors live unless one is too large for it. */
    readonly storage: Storage,
    /** Whether the adapter is a CPU in disguise (lavapipe, SwiftShader, WARP). */
    readonly software: boolean,
    /** Whether convolutions are computed by their definition. */
    readonly precise: boolean = false,
  ) {
    device.addEventListener("uncapturederror", (event) => {
      this.fault ??= (event as GPUUncapturedErrorEvent).error.message;
    });
  }

  /** The adapter's name, for people. */
  get name(): string {
    const { description, device, vendor } = this.adapter.info;
    return description || device || vendor || "unknown adapter";
  }

  /**
   * Throws what went wrong on the device since the last check, if anything did.
   *
   * @throws {Error} with the device's own message.
   */
  check(): void {
    const { fault } = this;
    this.fault = undefined;
    if (fault !== undefined) throw new Error(`the GPU reported: ${fault}`);
  }

  /** Gives the device back. */
  [Symbol.dispose](): void {
    this.device.destroy();
  }
}

/** Whether an adapter computes on the CPU. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter ||
    /llvmpipe|lavapipe|swiftshader|softpipe|basic render/i.test(
      `${info.description} ${info.device} ${info.architecture}`,
    );
}

/** What Deno reads, before its first adapter, of the interfaces to look for adapters in. */
const BACKENDS = "DENO_WEBGPU_BACKEND";

/** What to do when there is no adapter. */
export const NO_ADAPTER =
  "no WebGPU adapter found; expected a GPU with a Vulkan, Metal or DX12 driver, or a software one: " +
  "on Debian or Ubuntu install it with: apt-get install mesa-vulkan-drivers; " +
  `where there is only OpenGL, ${BACKENDS}=gl may do`;

/**
 * The best adapter. Deno would open OpenGL too, which costs 13 MB with Mesa's driver; a machine that
 * has nothing else must say so, because Deno looks for interfaces only once.
 */
export async function findAdapter(): Promise<GPUAdapter | null | undefined> {
  const request = () => navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  const { state } = Deno.permissions.querySync({ name: "env", variable: BACKENDS });
  if (state !== "granted" || Deno.env.get(BACKENDS) !== undefined) return await request();
  Deno.env.set(BACKENDS, "vulkan,metal,dx12");
  try {
    return await request();
  } finally {
    Deno.env.delete(BACKENDS);
  }
}

/**
 * Opens the best adapter with all its limits.
 *
 * @throws {UserError} when there is none.
 */
export async function openGpu(options: GpuOptions = {}): Promise<Gpu> {
  const adapter = await findAdapter();
  if (!adapter) throw new UserError(NO_ADAPTER);
  const { limits, features } = adapter;
  const wanted = [
    "maxStorageBufferBindingSize",
    "maxBufferSize",
    "maxTextureDimension2D",
    "maxStorageTexturesPerShaderStage",
    "maxStorageBuffersPerShaderStage",
    "maxComputeInvocationsPerWorkgroup",
    "maxComputeWorkgroupSizeX",
  ] as const;
  const device = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(wanted.map((name) => [name, limits[name]])),
    requiredFeatures: features.has("timestamp-query") ? ["timestamp-query"] : [],
  });
  const software = isSoftware(adapter.info);
  const storage = options.storage ?? (software ? "texture" : "buffer");
  return new Gpu(adapter, device, storage, software, options.precise ?? false);
}
