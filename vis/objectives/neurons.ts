/** Neurons: one channel at one place is to become large. */
import { UserError } from "../../base/errors.ts";
import { affine, concat, mul, type Shape, slice, sum } from "../../ops/mod.ts";
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
 * A picture for each of some neurons of a module's output.
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
      const activation = sum(mul(sum(mul(map, channel), [1]), place), [2, 3]);
      return { loss: affine(activation, -1), metrics: { activation } };
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

function isBelow(number: number, count: number): boolean {
  return Number.isInteger(number) && number >= 0 && number < count;
}
