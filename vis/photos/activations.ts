/** What a layer answers to each image of a folder. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import { planProgram } from "../../ops/compiler/compile.ts";
import { compile, Variable } from "../../ops/mod.ts";
import type { Trunk } from "../trunk.ts";

/** Images looked at together. */
const BATCH = 8;

/** At most so many images that no tensor of theirs is too large for the device; at least one. */
export function batchThatFits(gpu: Gpu, trunk: Trunk, most: number, size: number): number {
  for (let batch = most; batch > 1; batch--) {
    using input = new Variable(gpu, [batch, 3, size, size]);
    if (planProgram(gpu, { outputs: [trunk.observe(input.tensor).pooled] }).fits) return batch;
  }
  return 1;
}

/**
 * Global average pool of the target layer for each image.
 *
 * @param picture Image i, [3,S,S] in 0..255.
 * @returns [n,C]
 */
export async function poolActivations(
  gpu: Gpu,
  trunk: Trunk,
  count: number,
  size: number,
  picture: (i: number) => Float32Array | Promise<Float32Array>,
  onProgress?: (done: number, total: number) => void,
): Promise<Float32Array<ArrayBuffer>> {
  const batch = batchThatFits(gpu, trunk, Math.min(BATCH, count), size);
  const plane = 3 * size * size;
  const pooled = new Float32Array(count * trunk.channels);
  using input = new Variable(gpu, [batch, 3, size, size]);
  const output = trunk.observe(input.tensor).pooled;
  using program = await compile(gpu, { outputs: [output] });
  const pixels = new Float32Array(batch * plane);
  for (let first = 0; first < count; first += batch) {
    const images = Math.min(batch, count - first);
    for (let i = 0; i < images; i++) {
      const values = await picture(first + i);
      for (let j = 0; j < plane; j++) pixels[i * plane + j] = values[j]! / 255 - 0.5;
    }
    input.write(pixels);
    program.run();
    const values = await program.read(output);
    pooled.set(values.subarray(0, images * trunk.channels), first * trunk.channels);
    onProgress?.(first + images, count);
  }
  return pooled;
}
