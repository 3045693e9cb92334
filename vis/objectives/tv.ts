/** TV: the total variation of a picture; little of it is smooth (Mahendran & Vedaldi 2015). */
import { affine, sizeOf, totalVariation } from "../../ops/mod.ts";
import { type Objective, objectiveOf } from "./objective.ts";

/**
 * Mean |difference| of neighbouring pixels of each picture, its range being 0..1. Brought to the size
 * of the other terms' gradient at the first step, as {@linkcode scale} of it says.
 */
export function tv(): Objective {
  return objectiveOf({
    kind: "tv",
    names: [],
    needs: [],
    metrics: ["tv"],
    balanced: true,
    build(_seen, { picture }) {
      const pixels = sizeOf(picture.shape) / picture.shape[0];
      const value = affine(totalVariation(picture), 1 / pixels);
      return { loss: value, metrics: { tv: value } };
    },
  });
}
