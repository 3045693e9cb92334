import {
  add,
  affine,
  div,
  exp,
  log,
  mean,
  mul,
  multiplyAdd,
  sqrt,
  sub,
  sum,
  type Tensor,
} from "../ops/mod.ts";
export function batchNormTraining(
  x: Tensor,
  { weight, bias, epsilon }: { weight: Tensor; bias: Tensor; epsilon: number },
) {
  const m = mean(x, [0, 2, 3]);
  const d = sub(x, m);
  const variance = mean(mul(d, d), [0, 2, 3]);
  const scale = div(weight, sqrt(affine(variance, 1, epsilon)));
  return { y: multiplyAdd(d, scale, bias), mean: m, variance };
}
export function crossEntropy(x: Tensor, t: Tensor) {
  const lse = log(sum(exp(x), [1]));
  return mean(sub(lse, sum(mul(x, t), [1])), [0]);
}
