/** The GPU: which one was found, what it can do, and how kernels should be shaped for it. */
import { UserError } from "../../base/errors.ts";
import { BACKENDS, withoutOpenGl } from "../../base/host.ts";

/** Where tensors live: measured, not a matter of taste (see docs/performance.md). */
export type Storage = "buffer" | "texture";

/** How {@linkcode openGpu} should behave. */
export interface GpuOptions {
  /**
   * Where tensors live. Default: textures on software adapters that allow a kernel 8 of them, buffers
   * on real GPUs and on devices with default limits.
   */
  storage?: Storage;
  /**
   * `adapter` (default) takes all the adapter has. `default` takes what WebGPU promises everywhere:
   * bindings of 128 MiB, 8 storage buffers and 4 storage textures a stage, 16 KiB of workgroup memory.
   */
  limits?: "adapter" | "default";
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

  /**
   * Why the device is lost, if it is: nothing can be done with it any more. To be asked after an error,
   * as errors say it each in their own way; the device may say it a little later.
   *
   * @param patience milliseconds to wait for that
   */
  async lossReason(patience: number): Promise<string | undefined> {
    const { promise: later, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), patience);
    const lost = await Promise.race([this.device.lost, later]);
    clearTimeout(timer);
    return lost && (lost.message || lost.reason || "no reason given");
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

/** What to do when there is no adapter. */
export const NO_ADAPTER =
  "no WebGPU adapter found; expected a GPU with a Vulkan, Metal or DX12 driver, or a software one: " +
  "on Debian or Ubuntu install it with: apt-get install mesa-vulkan-drivers; " +
  `where there is only OpenGL, ${BACKENDS}=gl may do`;

/** The best adapter. */
export async function findAdapter(): Promise<GPUAdapter | null | undefined> {
  return await withoutOpenGl(() =>
    Promise.resolve(navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }))
  );
}

/** What more than WebGPU's default limits is asked for, as much as the adapter has. */
const LIMITS = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxTextureDimension2D",
  "maxStorageTexturesPerShaderStage",
  "maxStorageBuffersPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

/** Operands a kernel may have: as many as WebGPU promises storage buffers. */
const MOST_OPERANDS = 8;

/**
 * Opens the best adapter with all its limits, or with WebGPU's default ones.
 *
 * @throws {UserError} when there is none, or tensors are to live in textures and a kernel cannot have
 * enough of them.
 */
export async function openGpu(options: GpuOptions = {}): Promise<Gpu> {
  const adapter = await findAdapter();
  if (!adapter) throw new UserError(NO_ADAPTER);
  const { limits, features } = adapter;
  const wanted = options.limits === "default" ? [] : LIMITS;
  const device = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(wanted.map((name) => [name, limits[name]])),
    requiredFeatures: features.has("timestamp-query") ? ["timestamp-query"] : [],
  });
  const software = isSoftware(adapter.info);
  const textures = device.limits.maxStorageTexturesPerShaderStage;
  const storage = options.storage ?? (software && textures >= MOST_OPERANDS ? "texture" : "buffer");
  if (storage === "texture" && textures < MOST_OPERANDS) {
    device.destroy();
    throw new UserError(
      `openGpu: storage "texture" needs ${MOST_OPERANDS} storage textures a shader stage, the ` +
        `device has ${textures}; leave storage out, or take "buffer"`,
    );
  }
  return new Gpu(adapter, device, storage, software, options.precise ?? false);
}
