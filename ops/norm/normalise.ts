/**
 * x less its mean, divided by its deviation, scaled and shifted: what batch and layer normalisation
 * have in common. They differ in the axes of the mean.
 */
import { affine, elementwiseCall, mul, sub } from "../element/elementwise.ts";
import type { Operation } from "../graph/operation.ts";
import { reduceAxes, reduceCalls, resized } from "../element/reduce.ts";
import type { Axis } from "../graph/attributes.ts";
import { countAlong, sum, sumTo } from "../element/sum.ts";
import { node, type Tensor } from "../graph/tensor.ts";

/** Σ (x − mean)·z over some axes; z is x − mean when not given. */
function centredDot(x: Tensor, mean: Tensor, axes: readonly Axis[], z?: Tensor): Tensor {
  const inputs = z ? [x, mean, z] : [x, mean];
  const total = reduceAxes(
    x,
    axes,
    (part, axis) => {
      const shape = resized(part.shape, axis, 1);
      return part === x ? node("centredDotAxis", shape, inputs, { axis }) : sum(part, [axis]);
    },
  );
  if (total !== x) return total;
  const centred = sub(x, mean); // there is nothing to sum
  return mul(centred, z ?? centred);
}

/** The mean square of x − mean over some axes, given that mean: two passes, without cancellation. */
export function variance(x: Tensor, mean: Tensor, axes: readonly Axis[]): Tensor {
  return affine(centredDot(x, mean, axes), 1 / countAlong(x, axes));
}

/**
 * (x − mean)·inverse·weight + bias, where mean and inverse = 1/√(variance + ε) are those of x over
 * the axes: the gradient takes them as functions of x.
 */
export function normalise(
  x: Tensor,
  mean: Tensor,
  inverse: Tensor,
  weight: Tensor,
  bias: Tensor,
  axes: readonly Axis[],
): Tensor {
  return node("normalise", x.shape, [x, mean, inverse, weight, bias], { axes });
}

/** Table entry of the sum. */
export const centredDotAxisOperation: Operation<"centredDotAxis"> = {
  lower: (y) => reduceCalls(y, y.attributes.axis, "centred dot"),
  gradient(y, dy) {
    const [x, mean, z] = y.inputs as [Tensor, Tensor, Tensor?];
    const centred = sub(x, mean);
    const dx = z ? mul(dy, z) : affine(mul(dy, centred), 2);
    return [dx, affine(sumTo(dx, mean.shape), -1), z && mul(dy, centred)];
  },
};

/** Table entry. */
export const normaliseOperation: Operation<"normalise"> = {
  lower: (y, gpu) => [elementwiseCall(gpu, "normalise", y, "(a - b) * c * d + e")],
  // With g = ∂·weight and u = x − mean:
  // dx = inverse·(g − mean g − u·inverse²·mean(g·u)), dweight = Σ ∂·u·inverse, dbias = Σ ∂.
  gradient(y, dy, [, , , needsWeight, needsBias]) {
    const { axes } = y.attributes;
    const [x, mean, inverse, weight, bias] = y.inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
    // A weight that is the same along the axes comes before the sums, which then are the
    // gradients of the parameters too.
    const outside = axes.every((axis) => weight.shape[axis] === 1);
    const g = outside ? dy : mul(dy, weight);
    const total = sum(g, axes);
    const dot = mul(centredDot(x, mean, axes, g), inverse);
    const weighted = (t: Tensor) => affine(outside ? mul(t, weight) : t, 1 / countAlong(x, axes));
    const inputs = [dy, x, mean, inverse, weight, weighted(total), weighted(mul(dot, inverse))];
    const others = ([0, 1, 2, 3] as const).filter((axis) => weight.shape[axis] === 1);
    return [
      node("normaliseGradient", x.shape, inputs, {}),
      undefined,
      undefined,
      needsWeight
        ? sumTo(outside ? dot : centredDot(x, mean, others, mul(dy, inverse)), weight.shape)
        : undefined,
      needsBias ? sumTo(outside ? total : dy, bias.shape) : undefined,
    ];
  },
};

/** Table entry of the gradient for x. */
export const normaliseGradientOperation: Operation<"normaliseGradient"> = {
  lower: (
    y,
    gpu,
  ) => [elementwiseCall(gpu, "normaliseGradient", y, "(a * e - f - (b - c) * g) * d")],
  gradient: "second derivatives are not part of the method",
};
