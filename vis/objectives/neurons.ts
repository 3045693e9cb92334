/** Neurons: one channel at one place is to become large. */
import { concatenate } from "../../base/concatenate.ts";
import { UserError } from "../../base/errors.ts";
import { add, affine, concat, mul, type Shape, slice, sum } from "../../ops/mod.ts";
import { type Objective, objectiveOf } from "./objective.ts";
import { oneHot, requireNumbers } from "./rows.ts";

/** A channel at a place of its map. */
export interface Neuron {
  /** Counted from 0. */
  readonly channel: number;
  /** Row and column, counted from 0; the middle of the map by default. */
  readonly at?: readonly [y: number, x: number] | undefined;
}

/**
 * How much the neuron's neighbourhood counts besides, by a Gaussian a sixth of the map wide: where its
 * rectifier lets nothing through, its channel nearby leads the way.
 */
const LEAD = 0.1;

/**
 * A picture for each of some neurons of a module's output: its value, and a tenth of the mean
 * around it.
 *
 * @param module its path
 */
export function neurons(module: string, list: readonly Neuron[]): Objective {
  const output = { module, of: "output" } as const;
  /** Where each is, checked. */
  const placesIn = ([, c, h, w]: Shape) => {
    requireNumbers(list.map(({ channel }) => channel), c, "channel", module);
    return list.map(({ channel, at = [h >> 1, w >> 1] }) => {
      const [y, x] = at;
      if (!isBelow(y, h) || !isBelow(x, w)) {
        throw new UserError(
          `the map of ${module} has ${h} rows and ${w} columns here; there is no place ${y},${x}`,
        );
      }
      return { channel, y, x };
    });
  };
  return objectiveOf({
    kind: "neurons",
    names: list.map(({ channel, at }) => `channel ${channel}${at ? ` at ${at.join(",")}` : ""}`),
    needs: [output],
    metrics: ["activation"],
    build(seen, context) {
      const map = seen.get(output);
      const [, c, h, w] = map.shape;
      const places = placesIn(map.shape);
      // One factor for the channel and one for the place: less than a whole map for each picture.
      const channel = context.rows(oneHot(places.map((place) => place.channel), c), [c, 1, 1]);
      const place = context.rows(oneHot(places.map(({ y, x }) => y * w + x), h * w), [1, h, w]);
      const own = sum(mul(map, channel), [1]);
      const activation = sum(mul(own, place), [2, 3]);
      const around = places.map((at) => neighbourhood(at, h, w));
      const near = sum(mul(own, context.rows(concatenate(around), [1, h, w])), [2, 3]);
      const wanted = add(activation, affine(near, LEAD));
      return { loss: affine(wanted, -1), metrics: { activation } };
    },
    pick: (pictures) => neurons(module, pictures.map((i) => list[i]!)),
    answers(seen) {
      const map = seen.get(output);
      return concat(
        placesIn(map.shape).map(({ channel, y, x }) =>
          slice(map, { start: [channel, y, x], size: [1, 1, 1] })
        ),
      );
    },
  });
}

/** Weights of a map's places by their distance from one, which add up to 1. */
function neighbourhood({ y, x }: { y: number; x: number }, h: number, w: number): Float32Array {
  const width = Math.max(h, w) / 6;
  const weights = Float32Array.from({ length: h * w }, (_, i) => {
    const square = (Math.floor(i / w) - y) ** 2 + (i % w - x) ** 2;
    return Math.exp(-square / (2 * width ** 2));
  });
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
}

function isBelow(number: number, count: number): boolean {
  return Number.isInteger(number) && number >= 0 && number < count;
}
