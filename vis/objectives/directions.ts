/** Directions: what a layer's channels make together is to point along a vector. */
import { UserError } from "../../base/errors.ts";
import { affine, clampMin, div, mean, mul, pow, sqrt, sum, type Tensor } from "../../ops/mod.ts";
import { constant } from "../../ops/mod.ts";
import { type Objective, objectiveOf } from "./objective.ts";
import { dotRows } from "./rows.ts";

/** Options of {@linkcode directions}. */
export interface DirectionOptions {
  /**
   * Power of the cosine that the dot product is multiplied by (1): 0 asks only for much of the vector,
   * more asks for little else.
   */
  readonly cosinePower?: number | undefined;
  /** What the pictures are called; `direction 1` and so on by default. */
  readonly names?: readonly string[] | undefined;
}

/** Smaller cosines count as this, so that there is always a way up. */
const LEAST_COSINE = 0.1;

/**
 * A picture for each of some vectors of a module's channels: x·v · max(cos(x, v), 0.1)^power, the mean
 * over all places of the map (lucid's `direction`, Carter et al. 2019).
 *
 * @param module its path
 * @param vectors of as many numbers as the module's output has channels
 */
export function directions(
  module: string,
  vectors: readonly ArrayLike<number>[],
  options: DirectionOptions = {},
): Objective {
  const { cosinePower = 1, names = vectors.map((_, i) => `direction ${i + 1}`) } = options;
  if (!(cosinePower >= 0 && cosinePower <= 16)) {
    throw new UserError(`a direction's cosine power must be from 0 to 16, got ${cosinePower}`);
  }
  const output = { module, of: "output" } as const;
  const rowsOf = (count: number) => {
    const rows = new Float32Array(vectors.length * count);
    vectors.forEach((vector, i) => {
      const numbers = Float32Array.from(vector);
      if (numbers.length !== count || !numbers.every(Number.isFinite)) {
        throw new UserError(
          `direction ${
            i + 1
          }: expected ${count} finite numbers, one for each channel of ${module}, ` +
            `got ${numbers.length}${numbers.every(Number.isFinite) ? "" : ", not all finite"}`,
        );
      }
      if (!numbers.some((v) => v !== 0)) throw new UserError(`direction ${i + 1} is all zeros`);
      rows.set(numbers, i * count);
    });
    return rows;
  };
  return objectiveOf({
    kind: "directions",
    names,
    needs: [output],
    metrics: ["dot", "cosine"],
    build(seen, context) {
      const map = seen.get(output);
      const count = map.shape[1];
      const rows = rowsOf(count);
      const v = context.rows(rows, [count, 1, 1]);
      const lengths = vectors.map((_, i) =>
        Math.hypot(...rows.subarray(i * count, (i + 1) * count))
      );
      const dot = sum(mul(map, v), [1]);
      const size = sqrt(affine(sum(mul(map, map), [1]), 1, 1e-12));
      const cosine = div(dot, mul(size, context.rows(Float32Array.from(lengths), [1, 1, 1])));
      const wanted = cosinePower === 0
        ? dot
        : mul(dot, power(clampMin(cosine, LEAST_COSINE), cosinePower));
      return {
        loss: affine(mean(wanted, [2, 3]), -1),
        metrics: { dot: mean(dot, [2, 3]), cosine: mean(cosine, [2, 3]) },
      };
    },
    pick: (pictures) =>
      directions(module, pictures.map((i) => vectors[i]!), {
        cosinePower,
        names: pictures.map((i) => names[i]!),
      }),
    answers(seen) {
      const pooled = seen.get({ module, of: "pool" });
      return dotRows(pooled, rowsOf(pooled.shape[1]));
    },
  });
}

function power(x: Tensor, exponent: number): Tensor {
  return exponent === 1 ? x : pow(x, constant([1, 1, 1, 1], () => new Float32Array([exponent])));
}
