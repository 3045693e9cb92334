/** Channels: the mean of a channel's map is to become large (Erhan et al. 2009; Olah et al. 2017). */
import { affine, mul, sum } from "../../ops/mod.ts";
import { type Objective, objectiveOf } from "./objective.ts";
import { dotRows, oneHot, requireNumbers } from "./rows.ts";

/**
 * A picture for each of some channels of a module's output; the same channel may be asked for again.
 *
 * @param module its path
 * @param numbers of the channels, counted from 0
 */
export function channels(module: string, numbers: readonly number[]): Objective {
  const pool = { module, of: "pool" } as const;
  const rowsOf = (count: number) => {
    requireNumbers(numbers, count, "channel", module);
    return oneHot(numbers, count);
  };
  return objectiveOf({
    kind: "channels",
    names: numbers.map((channel) => `channel ${channel}`),
    needs: [pool],
    metrics: ["activation"],
    build(seen, context) {
      const out = seen.get(pool);
      const count = out.shape[1];
      const activation = sum(mul(out, context.rows(rowsOf(count), [count, 1, 1])), [1]);
      return { loss: affine(activation, -1), metrics: { activation } };
    },
    pick: (pictures) => channels(module, pictures.map((i) => numbers[i]!)),
    answeringChannels: { module, numbers },
    answers(seen) {
      const out = seen.get(pool);
      return dotRows(out, rowsOf(out.shape[1]));
    },
  });
}
