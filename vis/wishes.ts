/** Pictures of wishes: channels, classes, directions and the like, from noise or from photos. */
import { UserError } from "../base/errors.ts";
import type { Gpu } from "../kernels/runtime/device.ts";
import { type BatchResume, growInBatches } from "./batches.ts";
import type { Grown, Listener } from "./events.ts";
import { blended } from "./facets/targets.ts";
import { FINE_NOISES, noisePicture, type Start, startPictures } from "./loop/start.ts";
import { asSeen, startSeen } from "./photos/seen.ts";
import type { Network } from "./network.ts";
import { answersOf, canAnswer, namesOf, needsOf, type Objective } from "./objectives/objective.ts";
import type { Parameters } from "./parameters.ts";
import { askPhotos } from "./photos/activations.ts";
import { type Answer, answerWeights, bestPhotos } from "./photos/answers.ts";
import { seenSide } from "./loop/schedule.ts";
import { resizeSquare } from "./photos/area_resize.ts";
import { pixelsAt, type SourceImage } from "./photos/images.ts";
import { checkOctaves } from "./presets.ts";
import { magnitudesOf } from "./loop/spectrum.ts";
import { concatenate } from "../base/concatenate.ts";

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
  /** Hands out pictures more often, for a film; what is grown is the same. */
  readonly film?: boolean | undefined;
  /** Ends the run between two iterations: the pictures are then as far as they are. */
  readonly signal?: AbortSignal | undefined;
  /** Tells a state at least every so many seconds: see {@linkcode BatchOptions}. */
  readonly stateEvery?: number | undefined;
  /** Goes on from where the same run was. */
  readonly resume?: BatchResume | undefined;
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
  const { inputSize } = network.model;
  const sides = octaves.map((octave) => seenSide(octave, octave.size || size, inputSize));
  const seen = sides[0]!;
  for (const side of new Set(sides)) network.check(needsOf(objective), side);
  if (images.length === 0 && octaves.some(({ magnitude }) => magnitude === "images")) {
    throw new UserError("magnitude=images needs photos: give some, or take another preset");
  }
  const photo = async (i: number) =>
    asSeen(await pixelsAt(images[i]!, size), goals, network.model.normalisation);
  const best = images.length > 0
    ? await bestOf(
      gpu,
      options,
      {
        count: images.length,
        size: seen,
        picture: async (i) => resizeSquare(await photo(i), size, seen),
        most: goals.nearest,
      },
      tell,
    )
    : undefined;
  const start = startSeen(options.start ?? (best ? "mean" : "noise"), goals);
  if (start === "mean" && !best) {
    throw new UserError("pictures can start from the mean of photos only where there are photos");
  }
  const grey = network.model.normalisation.mean.map((value) => 255 * value);
  const noises = start === "noise"
    ? await noisesFor(
      gpu,
      options,
      (i) => noisePicture(i, { size, seed, grey, parameters: goals }),
      seen,
      tell,
    )
    : undefined;
  const chosen = best?.map((answers) => ({
    indices: answers.map(({ image }) => image),
    weights: answerWeights(answers),
  }));
  return await growInBatches(gpu, {
    ...options,
    seed,
    photos: best,
    start: async (pictures) =>
      concatenate(
        await Promise.all(pictures.map(async (i) => {
          if (noises) return noises(i);
          const { indices, weights } = chosen?.[i] ?? { indices: [], weights: [] };
          const mean = start === "mean"
            ? blended(await Promise.all(indices.map(photo)), weights, goals.blend)
            : new Float32Array(3 * size * size);
          return startPictures(start, { mean, size, seed, parameters: goals });
        })),
      ),
    magnitudes: chosen &&
      ((pictures, side) => magnitudesOf(gpu, pictures.map((i) => chosen[i]!), photo, size, side)),
  }, tell);
}

/**
 * The noise that each picture starts from: of some the one that answers most to its wish, because
 * where a rectifier lets nothing through nothing pulls; coarse ones where no fine one answers. Copies
 * of a wish get different ones.
 *
 * @param noise number i, [3,size,size] in 0..255
 * @param seen side at which the network looks at it
 */
async function noisesFor(
  gpu: Gpu,
  options: GrowWishesOptions,
  noise: (i: number) => Float32Array,
  seen: number,
  tell: Listener,
): Promise<(picture: number) => Float32Array> {
  const { objective } = options;
  if (!canAnswer(objective)) return (i) => noise(i % FINE_NOISES);
  const asked = { ...options, answers: undefined };
  const bestFrom = async (first: number) => {
    const picture = (i: number) =>
      Promise.resolve(resizeSquare(noise(first + i), options.size, seen));
    const wanted = { count: FINE_NOISES, size: seen, picture, most: 1 };
    const tellStage = (done: number) =>
      tell({ kind: "stage", stage: "noise", done, total: FINE_NOISES });
    await tellStage(0);
    const found = await bestOf(gpu, asked, wanted, async (event) => {
      if (event.kind === "activations") await tellStage(event.done);
    });
    return found.map(([one]) => ({ noise: first + one!.image, answer: one!.answer }));
  };
  let best = await bestFrom(0);
  if (best.some(({ answer }) => answer === 0)) {
    const coarse = await bestFrom(FINE_NOISES);
    best = best.map((fine, i) => fine.answer === 0 ? coarse[i]! : fine);
  }
  const silent = namesOf(objective).filter((_, i) => best[i]!.answer === 0);
  if (silent.length > 0) {
    const names = silent.length > 8 ? `${silent.slice(0, 8).join(", ")}, …` : silent.join(", ");
    const text = `${names}: no noise tried is answered at all, so nothing may grow; ` +
      "start from photos, or look at what the layer's rectifier is given";
    await tell({ kind: "note", text });
  }
  return (i) => noise(best[i]!.noise);
}

/** The photos that answer most to each wish; where no wish can tell, the first ones. */
async function bestOf(
  gpu: Gpu,
  { network, objective, answers: known }: GrowWishesOptions,
  { count, size, picture, most }: {
    count: number;
    size: number;
    picture: (i: number) => Promise<Float32Array>;
    most: number;
  },
  tell: Listener,
): Promise<Answer[][]> {
  const names = namesOf(objective);
  if (!canAnswer(objective)) {
    const first = Array.from({ length: Math.min(most, count) }, (_, image) => {
      return { image, answer: 0 };
    });
    return names.map(() => first);
  }
  const answers = known ?? await askPhotos(gpu, {
    count,
    size,
    photo: picture,
    ask: (pictures) => answersOf(objective, network.see(pictures))!,
    onProgress: (done, total) => tell({ kind: "activations", done, total }),
  });
  // Copies of a wish have the same name here, before they are numbered.
  const wishes = objective.terms.map(({ term }) => term.names)
    .find((list) => list.length === names.length) ?? names;
  return bestPhotos(answers, wishes, most);
}
