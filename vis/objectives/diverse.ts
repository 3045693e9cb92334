/** Diverse: pictures of one wish that must differ (Olah et al. 2017), added to that wish. */
import { UserError } from "../../base/errors.ts";
import { conv2d, div, mul, sqrt, sum, sumOfSquares } from "../../ops/mod.ts";
import { affine } from "../../ops/mod.ts";
import { type Objective, objectiveOf } from "./objective.ts";

/**
 * How alike what a layer makes of a picture is to what it makes of the others of its set: the mean
 * cosine of the pooled activations. Brought to the size of the other terms' gradient at the first
 * step, so `scale(diverse(...), 0.1)` means a tenth as strong as these.
 *
 * @param module path of the layer
 * @param of pictures of a set, which follow each other; all pictures are one set by default
 */
export function diverse(module: string, of?: number): Objective {
  if (of !== undefined && !(Number.isInteger(of) && of >= 2)) {
    throw new UserError(`diverse: expected a whole number of pictures from 2, got ${of}`);
  }
  const pool = { module, of: "pool" } as const;
  return objectiveOf({
    kind: "diverse",
    names: [],
    needs: [pool],
    metrics: ["similarity"],
    balanced: true,
    together: true,
    build(seen, context) {
      const out = seen.get(pool);
      const { total } = context.pictures;
      const set = of ?? total;
      const others = new Float32Array(total * total);
      for (let i = 0; i < total; i++) {
        const first = Math.floor(i / set) * set;
        const last = Math.min(first + set, total);
        for (let j = first; j < last; j++) {
          if (j !== i) others[i * total + j] = 1 / (last - first - 1);
        }
      }
      const length = sqrt(affine(sumOfSquares(out, [1]), 1, 1e-12));
      const unit = div(out, length);
      // As weights of a 1×1 convolution the pictures meet each other: [K,K,1,1].
      const cosines = conv2d(unit, unit);
      const similarity = sum(mul(cosines, context.rows(others, [total, 1, 1])), [1]);
      return { loss: similarity, metrics: { similarity } };
    },
  });
}
