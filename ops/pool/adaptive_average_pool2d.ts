/** Average pooling to a given size. */
import type { Pair } from "../graph/attributes.ts";
import { resample } from "../image/resample_axis.ts";
import { checkedSize } from "../image/resize.ts";
import { adaptiveWeights } from "../image/resize_weights.ts";
import { globalAveragePool } from "../element/sum.ts";
import { formatShape, type Tensor } from "../graph/tensor.ts";

/**
 * `torch.nn.functional.adaptive_avg_pool2d`: [N,C,H,W] → [N,C,h,w]. Output i is the mean over the
 * inputs from ⌊i·H/h⌋ to before ⌈(i+1)·H/h⌉: windows that may overlap, and repeat where h > H.
 *
 * @param size Rows and columns of the result.
 * @throws {RangeError} when a size is not a whole number from 1.
 */
export function adaptiveAveragePool2d(x: Tensor, size: number | Pair): Tensor {
  const [, , height, width] = x.shape;
  const [rows, columns] = checkedSize(`adaptiveAveragePool2d of ${formatShape(x.shape)}`, size);
  if (rows === 1 && columns === 1) return globalAveragePool(x);
  return resample(x, adaptiveWeights(height, rows), adaptiveWeights(width, columns));
}
