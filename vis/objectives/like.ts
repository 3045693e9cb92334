/**
 * Like a photo: what a layer makes of the picture is to be what it makes of one given photo. Added to
 * another objective it is the feature accentuation of Hamblin et al. 2024, which shows *what* in that
 * photo the other objective answers to.
 */
import { UserError } from "../../base/errors.ts";
import { detach, div, sub, sumOfSquares } from "../../ops/mod.ts";
import { affine } from "../../ops/mod.ts";
import { resizeArea } from "../photos/area_resize.ts";
import { type Objective, objectiveOf } from "./objective.ts";

/** A photo to be like. */
export interface Likeness {
  /** What to call it. */
  readonly name: string;
  /** [3,S,S] in 0..255, of any side. */
  readonly pixels: Float32Array;
}

/**
 * A picture for each of some photos, or one photo for any number of pictures: Σ (x − t)² / Σ t² over
 * the whole map, where t is the photo's, seen through the same warp. Its gradient is brought to the
 * size of the other terms' at the first step, so `scale(like(...), 0.5)` means half as strong as
 * these, for every network.
 *
 * @param module path of the layer
 * @throws {UserError} when a photo is no square of three colours.
 */
export function like(module: string, photos: readonly Likeness[]): Objective {
  const output = { module, of: "output" } as const;
  photos.forEach(({ name, pixels }) => {
    const side = Math.sqrt(pixels.length / 3);
    if (Number.isInteger(side) && side > 0) return;
    throw new UserError(`like ${name}: expected a square picture, got ${pixels.length} numbers`);
  });
  return objectiveOf({
    kind: "like",
    names: photos.map(({ name }) => `like ${name}`),
    needs: [output],
    metrics: ["unlike"],
    balanced: true,
    build(seen, context) {
      const side = context.picture.shape[3];
      const rows = context.rows(rowsAt(photos, side), [3, side, side]);
      const target = detach(context.see(rows).get(output));
      const size = sumOfSquares(target, [1, 2, 3]);
      const unlike = div(
        sumOfSquares(sub(seen.get(output), target), [1, 2, 3]),
        affine(size, 1, 1e-20),
      );
      return { loss: unlike, metrics: { unlike } };
    },
    pick: (pictures) => like(module, pictures.map((i) => photos[i]!)),
  });
}

/** Photos at a side, pixel/255 − ½. */
function rowsAt(photos: readonly Likeness[], side: number): Float32Array<ArrayBuffer> {
  const plane = 3 * side * side;
  const rows = new Float32Array(photos.length * plane);
  const square = (length: number) => ({ width: length, height: length });
  photos.forEach(({ pixels }, i) => {
    const own = Math.sqrt(pixels.length / 3);
    const sized = own === side ? pixels : resizeArea(pixels, square(own), square(side));
    rows.set(sized.map((level) => level / 255 - 0.5), i * plane);
  });
  return rows;
}
