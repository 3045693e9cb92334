/**
 * The one layout of all tensors: a two-dimensional *sheet* of texels, each `vec4f` holding four
 * neighbouring channels. Element [n,c,y,x] of an [N,C,H,W] tensor is lane c%4 of the texel in
 * column n·W + x and row ⌊c/4⌋·H + y. Lanes beyond C are zero.
 *
 * A sheet lives in an `rgba32float` texture or in a storage buffer; kernels cannot tell.
 */
import { UserError } from "../../base/errors.ts";
import type { Gpu, Storage } from "./device.ts";

/** Sizes in PyTorch's order. */
export type Size4 = readonly [n: number, c: number, h: number, w: number];

/** The memory of a sheet, which may be larger than the tensor in it. */
export interface Sheet {
  /** Texture or buffer. */
  readonly storage: Storage;
  /** In texels. For buffers, rows follow one another without gaps. */
  readonly width: number;
  /** In texels. */
  readonly height: number;
  /** What WebGPU knows it as. */
  readonly memory: GPUTexture | GPUBuffer;
}

/** Bytes of a texel. */
export const TEXEL = 16;

/** Columns and rows of the sheet of a tensor. */
export function sheetSize([n, c, h, w]: Size4): { width: number; height: number } {
  return { width: n * w, height: Math.ceil(c / 4) * h };
}

/** Where a sheet of this size should live on this device. */
export function storageFor(gpu: Gpu, width: number, height: number): Storage {
  const limit = gpu.device.limits.maxTextureDimension2D;
  return gpu.storage === "texture" && width <= limit && height <= limit ? "texture" : "buffer";
}

/**
 * Whether a tensor fits this device. Where textures are faster than buffers, pictures that are too
 * many for one do not; a picture that is too large for one may live in a buffer.
 */
export function fitsDevice(gpu: Gpu, shape: Size4): boolean {
  const { width, height } = sheetSize(shape);
  if (storageFor(gpu, width, height) === "texture") return true;
  const wide = gpu.storage === "texture" && width > gpu.device.limits.maxTextureDimension2D;
  return !(wide && shape[0] > 1) && sheetBytes({ width, height }) <= largestBuffer(gpu);
}

/** Bytes of the largest buffer a kernel can use. */
export function largestBuffer({ device: { limits } }: Gpu): number {
  return Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
}

/** Bytes of a sheet. */
export function sheetBytes(sheet: { width: number; height: number }): number {
  return sheet.width * sheet.height * TEXEL;
}

/**
 * The next length that is no power of two. llvmpipe compiles a pipeline anew, for half a second, for
 * each combination of its textures' sides being powers of two or not; so none ever is.
 */
function notPowerOfTwo(length: number): number {
  if ((length & (length - 1)) !== 0) return length;
  return length < 3 ? 3 : length + 1;
}

/**
 * Allocates a sheet. Its owner destroys it with {@linkcode destroySheet}.
 *
 * @throws {UserError} when it is larger than this device's largest buffer.
 */
export function createSheet(
  gpu: Gpu,
  width: number,
  height: number,
  storage: Storage = storageFor(gpu, width, height),
): Sheet {
  const { device } = gpu;
  if (storage === "texture") {
    const limit = device.limits.maxTextureDimension2D;
    const side = (texels: number) => gpu.software ? Math.min(notPowerOfTwo(texels), limit) : texels;
    const memory = device.createTexture({
      size: [side(width), side(height)],
      format: "rgba32float",
      usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_SRC | GPUTextureUsage.COPY_DST,
    });
    return { storage, width, height, memory };
  }
  const size = width * height * TEXEL;
  const limit = largestBuffer(gpu);
  if (size > limit) {
    throw new UserError(
      `${size} bytes are needed in one piece, and this device's largest buffer has ${limit}; ` +
        "use smaller or fewer pictures",
    );
  }
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  return { storage, width, height, memory: device.createBuffer({ size, usage }) };
}

/** Frees a sheet. */
export function destroySheet(sheet: Sheet): void {
  sheet.memory.destroy();
}

/** Host values [N,C,H,W] in C order to texels in sheet order. */
export function packSheet(values: Float32Array, shape: Size4): Float32Array<ArrayBuffer> {
  const [n, c, h, w] = shape;
  const { width, height } = sheetSize(shape);
  const texels = new Float32Array(width * height * 4);
  let at = 0;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < c; k++) {
      const lane = k & 3;
      for (let y = 0; y < h; y++) {
        let to = (((k >> 2) * h + y) * width + i * w) * 4 + lane;
        for (let x = 0; x < w; x++, to += 4) texels[to] = values[at++]!;
      }
    }
  }
  return texels;
}

/** The inverse of {@linkcode packSheet}; `stride` is the texels' row length. */
export function unpackSheet(
  texels: Float32Array,
  shape: Size4,
  stride: number,
): Float32Array<ArrayBuffer> {
  const [n, c, h, w] = shape;
  const values = new Float32Array(n * c * h * w);
  let at = 0;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < c; k++) {
      for (let y = 0; y < h; y++) {
        let from = (((k >> 2) * h + y) * stride + i * w) * 4 + (k & 3);
        for (let x = 0; x < w; x++, from += 4) values[at++] = texels[from]!;
      }
    }
  }
  return values;
}

/** Writes texels to the left of a sheet, from its top or from a row on. */
export function writeSheet(
  gpu: Gpu,
  sheet: Sheet,
  texels: Float32Array<ArrayBuffer>,
  width: number,
  height: number,
  row = 0,
): void {
  const { queue } = gpu.device;
  if (sheet.storage === "buffer") {
    queue.writeBuffer(sheet.memory as GPUBuffer, row * width * TEXEL, texels);
  } else {
    queue.writeTexture(
      { texture: sheet.memory as GPUTexture, origin: [0, row] },
      texels,
      { bytesPerRow: width * TEXEL },
      [width, height],
    );
  }
}

/** Reads the top `height` rows of `width` texels back. Costs 11 ms whatever the size. */
export async function readSheet(
  gpu: Gpu,
  sheet: Sheet,
  width: number,
  height: number,
): Promise<{ texels: Float32Array<ArrayBuffer>; stride: number }> {
  const { device } = gpu;
  const bytesPerRow = sheet.storage === "buffer" ? width * TEXEL : Math.ceil(width / 16) * 256;
  const size = bytesPerRow * height;
  const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
  const staging = device.createBuffer({ size, usage });
  try {
    const encoder = device.createCommandEncoder();
    if (sheet.storage === "buffer") {
      encoder.copyBufferToBuffer(sheet.memory as GPUBuffer, 0, staging, 0, size);
    } else {
      encoder.copyTextureToBuffer(
        { texture: sheet.memory as GPUTexture },
        { buffer: staging, bytesPerRow },
        [width, height],
      );
    }
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const texels = new Float32Array(staging.getMappedRange().slice(0));
    gpu.check();
    return { texels, stride: bytesPerRow / TEXEL };
  } finally {
    staging.destroy();
  }
}
