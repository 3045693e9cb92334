/** Channels in another order. */
import source from "../../kernels/shape/channel_shuffle.wgsl" with { type: "text" };
import { type Operation, perTexel } from "../graph/operation.ts";
import { formatShape, node, type Tensor } from "../graph/tensor.ts";

/**
 * `torch.nn.ChannelShuffle`: takes the channels of `groups` groups one by one in turn, so that the
 * next grouped convolution sees channels of every group. [N,C,H,W] → the same.
 *
 * @throws {RangeError} when the groups do not divide the channels.
 */
export function channelShuffle(x: Tensor, groups: number): Tensor<"channelShuffle"> {
  if (!(groups > 0 && Number.isInteger(x.shape[1] / groups))) {
    throw new RangeError(
      `channelShuffle: ${groups} groups do not divide the channels of ${formatShape(x.shape)}`,
    );
  }
  return node("channelShuffle", x.shape, [x], { groups });
}

/** Table entry. */
export const channelShuffleOperation: Operation<"channelShuffle"> = {
  lower(y) {
    const { groups } = y.attributes;
    return [{
      source: { name: "channelShuffle", wgsl: source },
      reads: { x: y.inputs[0]! },
      writes: { y },
      parameters: { groups, per_group: y.shape[1] / groups },
      workgroups: perTexel(y),
    }];
  },
  // As many groups as channels in a group: the way back.
  gradient: (y, dy) => [channelShuffle(dy, y.shape[1] / y.attributes.groups)],
};
