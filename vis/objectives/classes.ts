/** Classes: a logit is to become large, the network run to its end (Simonyan et al. 2013). */
import { affine, mul, softmax, sum } from "../../ops/mod.ts";
import { type Objective, objectiveOf } from "./objective.ts";
import { dotRows, oneHot, requireNumbers } from "./rows.ts";

/**
 * A picture for each of some classes of the network.
 *
 * @param numbers of the classes, counted from 0
 * @param names what they are called; `class 310` and so on by default
 */
export function classes(
  numbers: readonly number[],
  names: readonly string[] = numbers.map((number) => `class ${number}`),
): Objective {
  const logits = { module: "", of: "output" } as const;
  const rowsOf = (count: number) => {
    requireNumbers(numbers, count, "class", "the network");
    return oneHot(numbers, count);
  };
  return objectiveOf({
    kind: "classes",
    names,
    needs: [logits],
    metrics: ["logit", "probability"],
    build(seen, context) {
      const out = seen.get(logits);
      const count = out.shape[1];
      const row = context.rows(rowsOf(count), [count, 1, 1]);
      const logit = sum(mul(out, row), [1]);
      return {
        loss: affine(logit, -1),
        metrics: { logit, probability: sum(mul(softmax(out), row), [1]) },
      };
    },
    pick: (pictures) => classes(pictures.map((i) => numbers[i]!), pictures.map((i) => names[i]!)),
    answers(seen) {
      const out = seen.get(logits);
      return dotRows(out, rowsOf(out.shape[1]));
    },
  });
}
