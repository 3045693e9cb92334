/** Softmax, its logarithm, and the cross entropy of a classifier. */
import { affine, detach, div, exp, log, mul, sub } from "./elementwise.ts";
import { max } from "./max.ts";
import { sum } from "./sum.ts";
import { formatShape, sameShape, type Tensor } from "../graph/tensor.ts";

/**
 * x − max x over the channels, which changes neither a softmax nor, therefore, its gradient: the
 * exponentials are at most 1.
 */
function fromLargest(x: Tensor): Tensor {
  return sub(x, detach(max(x, [1])));
}

/** `torch.softmax(x, dim=1)`: e^x[c] / Σ e^x over the channels, [N,C,H,W] → the same. */
export function softmax(x: Tensor): Tensor {
  const e = exp(fromLargest(x));
  return div(e, sum(e, [1]));
}

/** `torch.log_softmax(x, dim=1)`: x[c] − ln Σ e^x over the channels, [N,C,H,W] → the same. */
export function logSoftmax(x: Tensor): Tensor {
  const z = fromLargest(x);
  return sub(z, log(sum(exp(z), [1])));
}

/**
 * `torch.nn.CrossEntropyLoss` with class probabilities: −Σ targets·ln softmax(logits) over the
 * classes, averaged over the pictures. [N,C,1,1] twice → [1,1,1,1], in nats.
 *
 * @throws {RangeError} when the shapes differ or are not [N,C,1,1].
 */
export function crossEntropy(logits: Tensor, targets: Tensor): Tensor {
  const [pictures, , h, w] = logits.shape;
  if (h * w !== 1 || !sameShape(logits.shape, targets.shape)) {
    const [got, and] = [logits, targets].map(({ shape }) => formatShape(shape));
    throw new RangeError(
      `crossEntropy: expected logits and targets [N,C,1,1], got ${got} and ${and}; ` +
        `targets are probabilities, 1 at the right class`,
    );
  }
  return affine(sum(mul(targets, logSoftmax(logits)), [0, 1]), -1 / pictures);
}
