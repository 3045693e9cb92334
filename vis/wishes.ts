/** Pictures of wishes: channels, classes, directions and the like, from noise or from photos. */
import { UserError } from "../base/errors.ts";
import type { Gpu } from "../kernels/runtime/device.ts";
import { growInBatches } from "./batches.ts";
import type { Grown, Listener } from "./events.ts";
import { blended } from "./facets/targets.ts";
import { asSeen, type Start, startPictures } from "./loop/start.ts";
import type { Network } from "./network.ts";
import { answersOf, canAnswer, namesOf, needsOf, type Objective } from "./objectives/objective.ts";
import type { Parameters } from "./parameters.ts";
import { askPhotos } from "./photos/activations.ts";
import { type Answer, answerWeights, bestPhotos } from "./photos/answers.ts";
import { pixelsOf, type SourceImage } from "./photos/images.ts";
import { checkOctaves } from "./presets.ts";
import { magnitudesOf } from "./visualize.ts";

/** What to grow. */
export interface GrowWishesOptions {
  /** The network. */
  readonly network: Network;
  /** What the pictures are grown for. */
  readonly objective: Objective;
  /** Side of the images, and of the pictures of octaves that name no other. */
  readonly size: number;
  /** Photos to start from, and to be shown beside the pictures; none to start from noise. */
  readonly images?: readonly SourceImage[] | undefined;
  /**
   * What the photos answer to the wishes as the method's parameters have them seen, [n,K], if that is
   * known already: {@linkcode answersOf} them; otherwise they are asked.
   */
  readonly answers?: Float32Array | undefined;
  /**
   * What the pictures start from: `mean`, that of the photos that answer most, where there are some;
   * else `noise`; or one picture for all.
   */
  readonly start?: Start | undefined;
  /** What the loop does; of several octaves each goes on from the pictures of the last. */
  readonly parameters: Parameters | readonly Parameters[];
  /** Pictures of each wish that are compared with each other. */
  readonly set?: number | undefined;
  /** Seeds everything that is random. */
  readonly seed: number;
  /** Every how many iterations to hand out the pictures. */
  readonly saveEvery?: number | undefined;
  /** Ends the run between two iterations: the pictures are then as far as they are. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Grows a picture for each wish of an objective.
 *
 * @throws {UserError} when the network cannot be asked what the objective wants to know, when photos
 * are needed and there are none, or when the pictures do not fit the device.
 */
export async function growWishes(
  gpu: Gpu,
  options: GrowWishesOptions,
  tell: Listener = () => {},
): Promise<Grown> {
  const { network, objective, size, seed, images = [] } = options;
  const octaves = [options.parameters].flat() as readonly Parameters[];
  checkOctaves(octaves);
  const goals = octaves[0]!;
  for (const side of new Set([size, ...octaves.map((octave) => octave.size || size)])) {
    network.check(needsOf(objective), side);
  }
  if (images.length === 0 && octaves.some(({ magnitude }) => magnitude === "images")) {
    throw new UserError("magnitude=images needs photos: give some, or take another preset");
  }
  const photo = async (i: number) => asSeen(await pixelsOf(images[i]!), goals);
  const best = images.length > 0 ? await bestOf(gpu, options, goals, photo, tell) : undefined;
  const start = options.start ?? (best ? "mean" : "noise");
  if (start === "mean" && !best) {
    throw new UserError("pictures can start from the mean of photos only where there are photos");
  }
  const chosen = best?.map((answers) => ({
    indices: answers.map(({ image }) => image),
    weights: answerWeights(answers),
  }));
  const plane = 3 * size * size;
  const [...grey] = network.model.normalisation.mean;
  return await growInBatches(gpu, {
    ...options,
    seed,
    photos: best,
    start: async (pictures) => {
      const mean = new Float32Array(pictures.length * plane);
      for (const [i, picture] of pictures.entries()) {
        if (!chosen) {
          grey.forEach((value, c) =>
            mean.fill(255 * value, i * plane + c * plane / 3, i * plane + (c + 1) * plane / 3)
          );
          continue;
        }
        const { indices, weights } = chosen[picture]!;
        mean.set(blended(await Promise.all(indices.map(photo)), weights, goals.blend), i * plane);
      }
      // Each picture's noise is its own, whatever batch it is in.
      const seeds = pictures.map((picture) => (seed + picture * 0x9e3779b9) >>> 0);
      const parts = pictures.map((_, i) =>
        startPictures(start, {
          mean: mean.subarray(i * plane, (i + 1) * plane),
          size,
          seed: seeds[i]!,
          parameters: goals,
        })
      );
      parts.forEach((part, i) => mean.set(part, i * plane));
      return mean;
    },
    magnitudes: chosen &&
      ((pictures, side) => magnitudesOf(gpu, pictures.map((i) => chosen[i]!), photo, size, side)),
  }, tell);
}

/** The photos that answer most to each wish; where no wish can tell, the first ones. */
async function bestOf(
  gpu: Gpu,
  { network, objective, size, images = [], answers: known }: GrowWishesOptions,
  { nearest }: Parameters,
  photo: (i: number) => Promise<Float32Array>,
  tell: Listener,
): Promise<Answer[][]> {
  const names = namesOf(objective);
  const plain = objective.terms.map(({ term }) => term.names)
    .find((list) => list.length === names.length) ?? names;
  if (!canAnswer(objective)) {
    const first = Array.from({ length: Math.min(nearest, images.length) }, (_, image) => {
      return { image, answer: 0 };
    });
    return names.map(() => first);
  }
  const answers = known ?? await askPhotos(gpu, {
    count: images.length,
    size,
    photo,
    ask: (pictures) => answersOf(objective, network.see(pictures))!,
    onProgress: (done, total) => tell({ kind: "activations", done, total }),
  });
  return bestPhotos(answers, plain, nearest);
}
