/** Many pictures, some at a time: each batch is grown to its end before the next one begins. */
import type { Gpu } from "../kernels/runtime/device.ts";
import type { Grown, GrowState, Listener, PictureInfo } from "./events.ts";
import { grow, type GrowOptions } from "./grow.ts";
import { Loop } from "./loop/loop.ts";
import { isTogether, metricsOf, namesOf, pick } from "./objectives/objective.ts";
import type { Parameters } from "./parameters.ts";
import { concatenate } from "../base/concatenate.ts";

/** What {@linkcode growInBatches} needs: as {@linkcode grow}, with what differs from batch to batch. */
export interface BatchOptions
  extends Omit<GrowOptions, "start" | "magnitudes" | "photos" | "resume"> {
  /** What some of the pictures start from, [their number,3,size,size] in 0..255. */
  readonly start: (pictures: readonly number[]) => Promise<Float32Array>;
  /** Magnitudes of some pictures' images: what magnitude=images needs. */
  readonly magnitudes?:
    | ((pictures: readonly number[], side: number) => Promise<Float32Array>)
    | undefined;
  /** The photos that each picture is shown beside. */
  readonly photos?: readonly PictureInfo["photos"][] | undefined;
  /** Pictures that are compared with each other and must be in one batch; they follow each other. */
  readonly set?: number | undefined;
  /** Goes on from where the same run was. */
  readonly resume?: BatchResume | undefined;
}

/** How far a run in batches was. */
export interface BatchResume {
  /** What came of the batches that were done, in order. */
  readonly done: readonly Grown[];
  /** The state of the batch after these, if it had one. */
  readonly state?: GrowState | undefined;
}

/** Pictures of a batch, at most: more would only wait for each other. */
const MOST = 8;

/** How many pictures are grown at a time: whole sets, as many as go through the network together. */
function batchSize(gpu: Gpu, options: BatchOptions, pictures: number, set: number): number {
  const { objective, network, size, seed } = options;
  const octaves = [options.parameters].flat() as readonly Parameters[];
  const fits = (count: number) => {
    const some = pick(objective, Array.from({ length: count }, (_, i) => i));
    return octaves.every((parameters) => {
      const side = parameters.size || size;
      const magnitudes = parameters.magnitude === "images" ? new Float32Array() : undefined;
      const loop = { network, objective: some, start: new Float32Array(), size: side, parameters };
      return Loop.plan(gpu, { ...loop, seed, magnitudes }).groups === 1;
    });
  };
  const most = Math.max(set, Math.floor(MOST / set) * set);
  for (let count = Math.min(most, pictures); count > set; count -= set) {
    if (fits(count)) return count;
  }
  return set;
}

/** How many pictures some batches have. */
function picturesOf(batches: readonly Grown[]): number {
  return batches.reduce((sum, { names }) => sum + names.length, 0);
}

/**
 * Grows a picture for each wish of an objective, in batches that fit the device. The events are those
 * of {@linkcode grow} for each batch, between one `started` for all and one `finished`; pictures and
 * results say which picture their first one is.
 *
 * @throws {UserError} as `grow` does.
 */
export async function growInBatches(
  gpu: Gpu,
  options: BatchOptions,
  tell: Listener = () => {},
): Promise<Grown> {
  const { objective, signal, photos } = options;
  const names = namesOf(objective);
  const whole = isTogether(objective) && options.set === undefined;
  const set = whole ? names.length : options.set ?? 1;
  const size = names.length <= set ? names.length : batchSize(gpu, options, names.length, set);
  await tell({
    kind: "started",
    pictures: names.map((name, i) => ({ name, photos: photos?.[i] ?? [] })),
    metrics: metricsOf(objective),
  });
  const done: Grown[] = [...options.resume?.done ?? []];
  const doneBefore = picturesOf(done);
  for (let first = doneBefore; first < names.length && !signal?.aborted; first += size) {
    const numbers = Array.from(
      { length: Math.min(size, names.length - first) },
      (_, i) => first + i,
    );
    const one = numbers.length === names.length;
    const grown = await grow(gpu, {
      ...options,
      objective: one ? objective : pick(objective, numbers),
      start: await options.start(numbers),
      magnitudes: options.magnitudes && ((side) => options.magnitudes!(numbers, side)),
      photos: numbers.map((i) => photos?.[i] ?? []),
      resume: first === doneBefore ? options.resume?.state : undefined,
      // Each batch has its own warps, as each octave has.
      seed: (options.seed + first * 0x85ebca6b) >>> 0,
    }, async (event) => {
      if (event.kind === "started") return;
      if (event.kind === "finished") await tell({ kind: "batch", first, grown: event.grown });
      else if ("results" in event || "pictures" in event || "state" in event) {
        await tell({ ...event, first });
      } else await tell(event);
    });
    done.push(grown);
  }
  const all: Grown = {
    ...done.at(-1)!,
    names: done.flatMap((each) => each.names),
    pictures: concatenate(done.map((each) => each.pictures)),
    before: done.flatMap((each) => each.before),
    after: done.flatMap((each) => each.after),
    stopped: done.flatMap(({ stopped }, i) => {
      const first = picturesOf(done.slice(0, i));
      return stopped.map((each) => ({ ...each, picture: each.picture + first }));
    }),
    aborted: done.some(({ aborted }) => aborted) || picturesOf(done) < names.length,
    seconds: {
      compile: done.reduce((sum, { seconds }) => sum + seconds.compile, 0),
      loop: done.reduce((sum, { seconds }) => sum + seconds.loop, 0),
    },
  };
  await tell({ kind: "finished", grown: all });
  return all;
}
