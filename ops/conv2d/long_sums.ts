/**
 * Convolutions that add up very many products for an element. A kernel does it in one loop, and some
 * drivers end an invocation's loops after 65535 turns.
 */
import { slice } from "../shape/slice.ts";
import type { Pair } from "../graph/attributes.ts";
import { formatShape, type Tensor } from "../graph/tensor.ts";

/** Turns of a convolution's loop, a tap of a channel quad each; a staging kernel's loop takes two. */
const MOST_TURNS = 30000;

/** Columns of a result whose weight gradient one loop can walk along, four at a time. */
const MOST_COLUMNS = 200_000;

function turns(channels: number, [, , kh, kw]: Tensor["shape"]): number {
  return kh * kw * Math.ceil(channels / 4);
}

/**
 * Inputs and weights of convolutions whose results add up to one that takes too many turns; nothing
 * where one will do.
 *
 * @throws {RangeError} for such weights in groups, which are not taken apart.
 */
export function shorterSums(x: Tensor, weight: Tensor, groups: number): [Tensor, Tensor][] {
  const [, inputs, kh, kw] = weight.shape;
  const parts = Math.ceil(turns(inputs, weight.shape) / MOST_TURNS);
  if (parts === 1) return [];
  if (groups > 1 || kh * kw > MOST_TURNS) {
    throw new RangeError(
      `conv2d: expected at most ${
        4 * MOST_TURNS
      } products for each element of a group, got weight ` +
        `${formatShape(weight.shape)}; use several convolutions`,
    );
  }
  const each = 4 * Math.floor(MOST_TURNS / (kh * kw));
  const [, , h, w] = x.shape;
  return Array.from({ length: Math.ceil(inputs / each) }, (_, part) => {
    const start = [part * each, 0, 0] as const;
    const channels = Math.min(each, inputs - part * each);
    return [
      slice(x, { start, size: [channels, h, w] }),
      slice(weight, { start, size: [channels, kh, kw] }),
    ];
  });
}

/**
 * Asserts that a convolution's gradients can be computed.
 *
 * @throws {RangeError} for more outputs, or longer rows, than a loop can take.
 */
export function expectGradients(
  weight: Tensor,
  dy: Tensor,
  { stride, dilation, groups }: { stride: Pair; dilation: Pair; groups: number },
  [ofInput, ofWeight]: readonly boolean[],
): void {
  const [outputs, , kh, kw] = weight.shape;
  // Of the taps a pixel has those of its phase; dilated ones may all be of one.
  const of = (kernel: number, axis: 0 | 1) =>
    dilation[axis] === 1 ? Math.ceil(kernel / stride[axis]) : kernel;
  const taps = [1, 1, of(kh, 0), of(kw, 1)] as const;
  const tooMany = ofInput && turns(outputs / groups, taps) > MOST_TURNS;
  if (!tooMany && !(ofWeight && dy.shape[3] > MOST_COLUMNS)) return;
  const most = tooMany
    ? `${4 * MOST_TURNS} products for each element of a picture's gradient`
    : `${MOST_COLUMNS} columns in the results for a weight's gradient`;
  throw new RangeError(
    `conv2d: expected at most ${most}, got weight ${formatShape(weight.shape)} and results ` +
      `${formatShape(dy.shape)}; use several convolutions`,
  );
}
