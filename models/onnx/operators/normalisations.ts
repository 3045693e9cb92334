/** Normalisation. */
import {
  abs,
  type Axis,
  batchNorm,
  constant,
  conv2d,
  div,
  inverseDeviation,
  layerNorm,
  localResponseNorm,
  mean,
  mul,
  multiplyAdd,
  normalise,
  sqrt,
  sub,
  sum,
  sumOfSquares,
  type Tensor,
  variance,
} from "../../../ops/mod.ts";
import { UserError } from "../../../base/errors.ts";
import { align, type Call, gatherAxes } from "../call.ts";
import { View } from "../view.ts";
import type { Operators } from "./table.ts";

/** Channels, the second axis of any array of two to four. */
function channelled(call: Call): { x: Tensor; view: View; channels: number } {
  const view = call.view(0);
  if (view.rank < 2 || view.rank > 4) throw new UserError(`its input [${view.dims}] is no picture`);
  return { x: view.usual, view, channels: view.dims[1]! };
}

function batch(call: Call): [View] {
  const { x, view, channels } = channelled(call);
  const y = batchNorm(x, {
    weight: call.perChannel(1, channels),
    bias: call.perChannel(2, channels),
    mean: call.perChannel(3, channels),
    variance: call.perChannel(4, channels),
    epsilon: call.float("epsilon", 1e-5),
  });
  return [View.of(y, view.dims)];
}

function instance(call: Call): View {
  const { x, view, channels } = channelled(call);
  const axes: Axis[] = [2, 3];
  const m = mean(x, axes);
  const inverse = inverseDeviation(variance(x, m, axes), call.float("epsilon", 1e-5));
  const [weight, bias] = [call.perChannel(1, channels), call.perChannel(2, channels)];
  return View.of(normalise(x, m, inverse, weight, bias, axes), view.dims);
}

/**
 * Over groups of channels: the statistics of each channel, averaged over its group by a small matrix
 * product.
 */
function group(call: Call): View {
  const { x, view, channels } = channelled(call);
  const groups = call.int("num_groups", 1);
  if (channels % groups) throw new UserError(`${channels} channels in ${groups} groups`);
  const size = channels / groups;
  const same = constant(
    [channels, channels, 1, 1],
    () =>
      Float32Array.from(
        { length: channels * channels },
        (_, i) =>
          Math.floor(i / channels / size) === Math.floor(i % channels / size) ? 1 / size : 0,
      ),
  );
  const overGroup = (t: Tensor) => conv2d(mean(t, [2, 3]), same);
  const centred = sub(x, overGroup(x));
  const inverse = inverseDeviation(
    overGroup(mul(centred, centred)),
    call.float("epsilon", 1e-5),
  );
  // Before version 21 a scale and a shift for each group, which is repeated.
  const each = (index: number) => {
    const { dims } = call.value(index);
    if (dims[0] === channels) return call.perChannel(index, channels);
    const wide = call.view(index).reshaped([groups, 1]);
    const one = constant([1, 1, size, 1], () => new Float32Array(size).fill(1));
    const repeated = mul(wide.at([[], [0], [], []]), one);
    return View.of(repeated, [groups, size], [[], [0], [1], []]).reshaped([channels]).usual;
  };
  return View.of(multiplyAdd(mul(centred, inverse), each(1), each(2)), view.dims);
}

function layer(call: Call): [View] {
  const view = call.view(0);
  const first = call.axis(call.int("axis", -1), view.rank);
  const dims = view.dims.map((_, i) => i).slice(first);
  const { tensor: x, layout, axes } = gatherAxes(view, dims);
  const epsilon = call.float("epsilon", 1e-5);
  const whole = View.of(x, view.dims, layout);
  const { tensors } = align([whole, call.value(1), ...(call.has(2) ? [call.value(2)] : [])]);
  const [, weight, bias] = tensors;
  const channelsOnly = axes.length === 1 && axes[0] === 1 && tensors[0] === x &&
    weight!.shape[1] === x.shape[1];
  if (channelsOnly) {
    return [View.of(layerNorm(x, { weight, bias, epsilon }), view.dims, layout)];
  }
  const m = mean(x, axes);
  const inverse = inverseDeviation(variance(x, m, axes), epsilon);
  const scaled = align([
    View.of(mul(sub(x, m), inverse), view.dims, layout),
    call.value(1),
    ...(call.has(2) ? [call.value(2)] : []),
  ]);
  const [y, w, b] = scaled.tensors;
  return [scaled.wrap(b ? multiplyAdd(y!, w!, b) : mul(y!, w!))];
}

function lpNorm(call: Call): View {
  const view = call.view(0);
  const axis = call.axis(call.int("axis", -1), view.rank);
  const { tensor: x, layout, axes } = gatherAxes(view, [axis]);
  const p = call.int("p", 2);
  const length = p === 1 ? sum(abs(x), axes) : sqrt(sumOfSquares(x, axes));
  return View.of(div(x, length), view.dims, layout);
}

/** The operators. */
export const NORMALISATIONS: Operators = {
  BatchNormalization: batch,
  GroupNormalization: group,
  InstanceNormalization: instance,
  LayerNormalization: layer,
  LpNormalization: lpNorm,
  LRN: (call) => {
    const { x, view } = channelled(call);
    const y = localResponseNorm(x, {
      size: call.int("size", 1),
      alpha: call.float("alpha", 1e-4),
      beta: call.float("beta", 0.75),
      k: call.float("bias", 1),
    });
    return View.of(y, view.dims);
  },
};
