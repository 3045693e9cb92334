/**
 * Like a photo: what a layer makes of the picture is to be what it makes of one given photo. Added to
 * another objective it is the feature accentuation of Hamblin et al. 2024, which shows *what* in that
 * photo the other objective answers to.
 */
import { UserError } from "../../base/errors.ts";
import { mul, type Shape, sub, sumOfSquares } from "../../ops/mod.ts";
import { resizeArea } from "../photos/area_resize.ts";
import { type LookOnce, type Objective, objectiveOf, type Term } from "./objective.ts";

/** A photo to be like. */
export interface Likeness {
  /** What to call it. */
  readonly name: string;
  /** [3,S,S] in 0..255, of any side. */
  readonly pixels: Float32Array;
}

/** What of a photo is known: what the layer makes of it. */
interface Answer {
  readonly values: Float32Array;
  readonly shape: Shape;
}

/**
 * A picture for each of some photos, or one photo for any number of pictures: Σ (x − t)² / Σ t² over
 * the whole map, where t is the photo's. Its gradient is brought to the size of the other terms' at
 * the first step, so `scale(like(...), 0.5)` means half as strong as these, for every network.
 *
 * @param module path of the layer
 */
export function like(module: string, photos: readonly Likeness[]): Objective {
  return objectiveOf(termFor(module, photos));
}

function termFor(module: string, photos: readonly Likeness[], answer?: Answer): Term {
  const output = { module, of: "output" } as const;
  return {
    kind: "like",
    names: photos.map(({ name }) => `like ${name}`),
    needs: [output],
    metrics: ["unlike"],
    balanced: true,
    build(seen, context) {
      const map = seen.get(output);
      const [, c, h, w] = map.shape;
      const size = c * h * w;
      // Asked for at run time only: a plan needs no numbers.
      const values = answer?.values ?? new Float32Array(photos.length * size);
      const target = context.rows(values, [c, h, w]);
      const inverse = Float32Array.from(photos, (_, i) => {
        const squares = values.subarray(i * size, (i + 1) * size).reduce((s, v) => s + v * v, 0);
        return 1 / Math.max(squares, 1e-20);
      });
      const distance = mul(
        sumOfSquares(sub(map, target), [1, 2, 3]),
        context.rows(inverse, [1, 1, 1]),
      );
      return { loss: distance, metrics: { unlike: distance } };
    },
    pick: (pictures) => like(module, pictures.map((i) => photos[i]!)),
    async prepare(look: LookOnce, size: number): Promise<Term> {
      const plane = 3 * size * size;
      const pictures = new Float32Array(photos.length * plane);
      photos.forEach(({ pixels, name }, i) => {
        const side = Math.sqrt(pixels.length / 3);
        if (!Number.isInteger(side) || side < 1) {
          throw new UserError(
            `like ${name}: expected a square picture, got ${pixels.length} numbers`,
          );
        }
        const square = (length: number) => ({ width: length, height: length });
        pictures.set(
          side === size ? pixels : resizeArea(pixels, square(side), square(size)),
          i * plane,
        );
      });
      return termFor(module, photos, await look(pictures, output));
    },
  };
}
