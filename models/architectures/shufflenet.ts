/** ShuffleNet V2 (Ma et al., 2018, arXiv:1807.11164), as in torchvision. */
import { channelShuffle, concat, globalAveragePool, slice, type Tensor } from "../../ops/mod.ts";
import { BatchNorm2d, Conv2d, Linear, MaxPool2d, ReLU, Sequential } from "../layers.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

/** Blocks of the three stages. */
const REPEATS = [4, 8, 4];

function depthwise(channels: number, stride: number): Module[] {
  const options = { stride, padding: 1, groups: channels, bias: false };
  return [new Conv2d(channels, channels, 3, options), new BatchNorm2d(channels)];
}

function pointwise(inputs: number, outputs: number): Module[] {
  return [
    new Conv2d(inputs, outputs, 1, { bias: false }),
    new BatchNorm2d(outputs),
    new ReLU(),
  ];
}

/** Two branches, shuffled: [N,I,H,W] to [N,O,H/stride,W/stride]. */
class InvertedResidual extends Module {
  readonly type = "InvertedResidual";
  readonly branch1: Sequential;
  readonly branch2: Sequential;
  readonly #stride: number;
  readonly #half: number;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    const half = this.#half = outputs / 2;
    this.#stride = stride;
    this.branch1 = new Sequential(
      stride > 1 ? [...depthwise(inputs, stride), ...pointwise(inputs, half)] : [],
    );
    this.branch2 = new Sequential([
      ...pointwise(stride > 1 ? inputs : half, half),
      ...depthwise(half, stride),
      ...pointwise(half, half),
    ]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const [, , h, w] = x.shape;
    const size = [this.#half, h, w] as const;
    const parts = this.#stride === 1
      ? [
        slice(x, { size }),
        scope.run(slice(x, { start: [this.#half, 0, 0], size }), this.branch2),
      ]
      : [scope.run(x, this.branch1), scope.run(x, this.branch2)];
    return channelShuffle(concat(parts), 2);
  }
}

/** ShuffleNet V2, [N,3,H,W] to [N,classes,1,1]. */
export class ShuffleNetV2 extends Module {
  readonly type = "ShuffleNetV2";
  readonly conv1 = new Sequential([
    new Conv2d(3, 24, 3, { stride: 2, padding: 1, bias: false }),
    new BatchNorm2d(24),
    new ReLU(),
  ]);
  readonly maxpool = new MaxPool2d(3, { stride: 2, padding: 1 });
  readonly stage2: Sequential;
  readonly stage3: Sequential;
  readonly stage4: Sequential;
  readonly conv5: Sequential;
  readonly fc: Linear;

  /** @param widths Channels of the stages and of the last convolution. */
  constructor(widths: readonly [number, number, number, number], classes: number) {
    super();
    const stage = (i: 0 | 1 | 2) =>
      new Sequential(Array.from({ length: REPEATS[i]! }, (_, block) => {
        const outputs = widths[i];
        return block === 0
          ? new InvertedResidual(i === 0 ? 24 : widths[i - 1]!, outputs, 2)
          : new InvertedResidual(outputs, outputs, 1);
      }));
    this.stage2 = stage(0);
    this.stage3 = stage(1);
    this.stage4 = stage(2);
    this.conv5 = new Sequential(pointwise(widths[2], widths[3]));
    this.fc = new Linear(widths[3], classes);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const map = scope.run(
      x,
      ...[this.conv1, this.maxpool, this.stage2, this.stage3, this.stage4, this.conv5],
    );
    return scope.run(globalAveragePool(map), this.fc);
  }
}

/** The registered networks. */
export const SHUFFLENETS = family({ inputSize: 224, minSize: 1, lastMap: "conv5" }, {
  shufflenet_v2_x0_5: (classes) => new ShuffleNetV2([48, 96, 192, 1024], classes),
  shufflenet_v2_x1_0: (classes) => new ShuffleNetV2([116, 232, 464, 1024], classes),
  shufflenet_v2_x1_5: (classes) => new ShuffleNetV2([176, 352, 704, 1024], classes),
  shufflenet_v2_x2_0: (classes) => new ShuffleNetV2([244, 488, 976, 2048], classes),
});
