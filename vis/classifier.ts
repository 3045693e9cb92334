/** What a network says of pictures in the end: how sure it is of each of its classes. */
import type { Gpu } from "../kernels/runtime/device.ts";
import { globalAveragePool } from "../ops/mod.ts";
import { UserError } from "../base/errors.ts";
import type { Network } from "./network.ts";
import { askPhotos } from "./photos/activations.ts";

/** Numbers as a distribution; as they are if they are one already, as behind a softmax. */
export function probabilities(answers: Float32Array): Float32Array<ArrayBuffer> {
  const total = answers.reduce((sum, value) => sum + value, 0);
  const already = answers.every((value) => value >= 0) && Math.abs(total - 1) < 1e-3;
  if (already) return Float32Array.from(answers);
  const largest = answers.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = Float32Array.from(answers, (value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}

/**
 * How sure a network is of each class.
 *
 * @param pictures [3,size,size] each, in 0..255
 * @returns for each picture a number for each class; together they are 1
 * @throws {UserError} when the network does not run to its end at this size, or ends in a map of
 * single numbers.
 */
export async function classify(
  gpu: Gpu,
  network: Network,
  size: number,
  pictures: readonly Float32Array[],
): Promise<Float32Array<ArrayBuffer>[]> {
  const [shape] = network.check([{ module: "", of: "output" }], size);
  const classes = shape![1];
  if (classes < 2) {
    throw new UserError(`${network.model.name} ends in ${classes} number; expected classes`);
  }
  const answers = await askPhotos(gpu, {
    count: pictures.length,
    size,
    photo: (i) => pictures[i]!,
    ask: (batch) => globalAveragePool(network.see(batch).get({ module: "", of: "output" })),
  });
  return pictures.map((_, i) => probabilities(answers.subarray(i * classes, (i + 1) * classes)));
}
