/** What photos answer to the wishes of an objective, and which of them answer most. */
import { UserError } from "../../base/errors.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import { compile, type Tensor, Variable } from "../../ops/mod.ts";
import { planProgram } from "../../ops/compiler/compile.ts";

/** Photos looked at together, at most. */
const BATCH = 8;

/**
 * What a graph makes of each of some photos.
 *
 * @param ask from photos [B,3,S,S], pixel/255 − ½, to their answers [B,K,1,1]
 * @param photo number i, [3,S,S] in 0..255
 * @returns [n,K]
 * @throws {UserError} when not even one photo fits the device.
 */
export async function askPhotos(
  gpu: Gpu,
  { count, size, photo, ask, onProgress }: {
    count: number;
    size: number;
    photo: (i: number) => Float32Array | Promise<Float32Array>;
    ask: (pictures: Tensor) => Tensor;
    onProgress?: ((done: number, total: number) => void | Promise<void>) | undefined;
  },
): Promise<Float32Array<ArrayBuffer>> {
  const batch = batchThatFits(gpu, Math.min(BATCH, count), size, ask);
  const plane = 3 * size * size;
  using input = new Variable(gpu, [batch, 3, size, size]);
  const output = ask(input.tensor);
  const columns = output.shape[1] * output.shape[2] * output.shape[3];
  using program = await compile(gpu, { outputs: [output] });
  const pixels = new Float32Array(batch * plane);
  const answers = new Float32Array(count * columns);
  for (let first = 0; first < count; first += batch) {
    const photos = Math.min(batch, count - first);
    for (let i = 0; i < photos; i++) {
      const values = await photo(first + i);
      if (values.length !== plane) {
        throw new UserError(
          `image ${first + i + 1}: expected ${plane} numbers for a picture of ${size} pixels ` +
            `[3,${size},${size}], got ${values.length}; read it at that size`,
        );
      }
      for (let j = 0; j < plane; j++) pixels[i * plane + j] = values[j]! / 255 - 0.5;
    }
    input.write(pixels);
    program.run();
    const values = await program.read(output);
    answers.set(values.subarray(0, photos * columns), first * columns);
    await onProgress?.(first + photos, count);
  }
  return answers;
}

/** As many photos as no tensor of theirs is too large for the device. */
function batchThatFits(
  gpu: Gpu,
  most: number,
  size: number,
  ask: (pictures: Tensor) => Tensor,
): number {
  for (let batch = most; batch >= 1; batch--) {
    using input = new Variable(gpu, [batch, 3, size, size]);
    const { fits, own } = planProgram(gpu, { outputs: [ask(input.tensor)] });
    if (fits) return batch;
    if (batch > 1) continue;
    throw new UserError(
      `one photo of ${size} pixels needs ${own} bytes here, more than this device takes in one ` +
        "piece; use a smaller size or an earlier layer",
    );
  }
  return 1;
}

/** A photo and what it answers. */
export interface Answer {
  /** Its number. */
  readonly image: number;
  /** What it answers. */
  readonly answer: number;
}

/**
 * The photos that answer most to each wish, best first, equal ones by their number. Of several
 * pictures of one wish the first gets the best photo, the second the next, and so on in turns.
 *
 * @param answers [n,K]
 * @param names what the wishes are called; those of the same name are one wish
 * @param most photos for each
 */
export function bestPhotos(
  answers: Float32Array,
  names: readonly string[],
  most: number,
): Answer[][] {
  const n = answers.length / names.length;
  return names.map((name, k) => {
    const copies = names.filter((other) => other === name).length;
    const mine = names.slice(0, k).filter((other) => other === name).length;
    const column = Array.from({ length: n }, (_, image) => {
      return { image, answer: answers[image * names.length + k]! };
    });
    column.sort((a, b) => b.answer - a.answer || a.image - b.image);
    const turns = column.filter((_, i) => i % copies === mine);
    return (turns.length > 0 ? turns : column).slice(0, most);
  });
}

/** Weights, which sum to 1, of photos by their answers: in proportion where these are positive. */
export function answerWeights(best: readonly Answer[]): number[] {
  const positive = best.map(({ answer }) => Math.max(answer, 0));
  const total = positive.reduce((a, b) => a + b, 0);
  return positive.map((answer) => total > 0 ? answer / total : 1 / best.length);
}
