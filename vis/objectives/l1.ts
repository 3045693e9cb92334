/** L1: how far a picture's pixels are from grey; little of it leaves out what is not needed. */
import { abs, mean } from "../../ops/mod.ts";
import { type Objective, objectiveOf } from "./objective.ts";

/**
 * Mean |pixel − ½| of each picture, its range being 0..1. Brought to the size of the other terms'
 * gradient at the first step, as {@linkcode scale} of it says.
 */
export function l1(): Objective {
  return objectiveOf({
    kind: "l1",
    names: [],
    needs: [],
    metrics: ["l1"],
    balanced: true,
    build(_seen, { picture }) {
      const value = mean(abs(picture), [1, 2, 3]);
      return { loss: value, metrics: { l1: value } };
    },
  });
}
