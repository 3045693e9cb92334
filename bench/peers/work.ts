/**
 * The work that every peer is given: three convolutions and the gradient of a whole network. The
 * numbers are drawn once by main.ts and lie in a folder of files, float32 in C order.
 */
import { join } from "node:path";
import { Random } from "../../base/random.ts";

/** A convolution of stride `stride`; its filter is square. */
export interface Convolution {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  /** Where its weight, and after that its bias, starts in the file of weights, in numbers. */
  readonly offset: number;
}

/** A convolution on a picture of `size`², forward, and forward and back to its input. */
export interface ConvolutionWork extends Convolution {
  readonly size: number;
}

/** The gradient of Σ mean(trunk(x))·v with respect to x; the trunk is ResNet-18's, batch norms folded. */
export interface TrunkWork {
  readonly name: "W4";
  readonly size: number;
  readonly convolutions: readonly Convolution[];
}

/** A folder's work.json. */
export interface Work {
  readonly convolutions: readonly ConvolutionWork[];
  readonly trunk: TrunkWork;
}

/** Channels of ResNet-18's four layers. */
export const LAYERS = [64, 128, 256, 512] as const;

/** Numbers a convolution has in the file of weights. */
export function weightCount({ inputs, outputs, kernel }: Convolution): number {
  return outputs * inputs * kernel * kernel;
}

function trunkConvolutions(): Convolution[] {
  const list: Convolution[] = [];
  let offset = 0;
  const add = (name: string, inputs: number, outputs: number, kernel: number, stride: number) => {
    const padding = Math.floor(kernel / 2);
    const convolution = { name, inputs, outputs, kernel, stride, padding, offset };
    list.push(convolution);
    offset += weightCount(convolution) + outputs;
  };
  add("stem", 3, LAYERS[0], 7, 2);
  let inputs: number = LAYERS[0];
  for (const [layer, channels] of LAYERS.entries()) {
    for (const block of [0, 1]) {
      const stride = layer > 0 && block === 0 ? 2 : 1;
      add(`${layer}.${block}.first`, inputs, channels, 3, stride);
      add(`${layer}.${block}.second`, channels, channels, 3, 1);
      if (stride > 1) add(`${layer}.${block}.shortcut`, inputs, channels, 1, stride);
      inputs = channels;
    }
  }
  return list;
}

const single = (
  name: string,
  inputs: number,
  outputs: number,
  size: number,
  kernel: number,
): ConvolutionWork => ({
  name,
  inputs,
  outputs,
  size,
  kernel,
  stride: 1,
  padding: Math.floor(kernel / 2),
  offset: 0,
});

/** The four of them; `shrink` divides the sides of the pictures, to try the machinery. */
export function makeWork(shrink = 1): Work {
  const side = (size: number) => Math.round(size / shrink);
  return {
    convolutions: [
      single("W1", 64, 64, side(56), 3),
      single("W2", 256, 256, side(14), 3),
      single("W3", 256, 64, side(56), 1),
    ],
    trunk: { name: "W4", size: side(224), convolutions: trunkConvolutions() },
  };
}

/** Writes the numbers of all work into a folder. */
export function writeWork(folder: string, work: Work): void {
  const random = new Random(1);
  const uniform = (length: number, bound: number) =>
    Float32Array.from({ length }, () => random.uniform(-bound, bound));
  const write = (name: string, ...parts: Float32Array[]) => {
    using file = Deno.createSync(join(folder, `${name}.f32`));
    for (const part of parts) {
      const bytes = new Uint8Array(part.buffer);
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    }
  };
  // He et al. 2015: the size of activations stays the same from layer to layer.
  const weights = (c: Convolution, gain = 1) =>
    uniform(weightCount(c), gain * Math.sqrt(6 / (c.inputs * c.kernel ** 2)));
  for (const c of work.convolutions) {
    write(`${c.name}.x`, uniform(c.inputs * c.size ** 2, 1));
    write(`${c.name}.dy`, uniform(c.outputs * c.size ** 2, 1));
    write(`${c.name}.weights`, weights(c), uniform(c.outputs, 0.1));
  }
  const { name, size, convolutions } = work.trunk;
  write(`${name}.x`, uniform(3 * size ** 2, 1));
  write(`${name}.v`, uniform(LAYERS.at(-1)!, 1));
  write(
    `${name}.weights`,
    ...convolutions.flatMap((c) => [
      weights(c, c.name.endsWith("second") ? 0.5 : 1),
      uniform(c.outputs, 0.1),
    ]),
  );
  Deno.writeTextFileSync(join(folder, "work.json"), JSON.stringify(work));
}

/** Numbers `from` … `from + length` of a file; all without them. */
export function readNumbers(
  folder: string,
  name: string,
  from = 0,
  length?: number,
): Float32Array<ArrayBuffer> {
  using file = Deno.openSync(join(folder, `${name}.f32`));
  const count = length ?? file.statSync().size / 4 - from;
  const numbers = new Float32Array(count);
  const bytes = new Uint8Array(numbers.buffer);
  file.seekSync(4 * from, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const got = file.readSync(bytes.subarray(at));
    if (got === null) throw new RangeError(`${name} ends before ${from + count} numbers`);
    at += got;
  }
  return numbers;
}

/** A convolution's weight and bias. */
export function readWeights(folder: string, work: string, c: Convolution) {
  const count = weightCount(c);
  return {
    weight: readNumbers(folder, `${work}.weights`, c.offset, count),
    bias: readNumbers(folder, `${work}.weights`, c.offset + count, c.outputs),
  };
}
