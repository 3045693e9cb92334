/** DenseNet (Huang et al., 2016, arXiv:1608.06993), as in torchvision. */
import { concat, globalAveragePool, relu, type Tensor } from "../../ops/mod.ts";
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Linear,
  MaxPool2d,
  NamedSequential,
  ReLU,
} from "../layers.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

/** A layer's first convolution makes so many times the channels it adds. */
const BOTTLENECK = 4;

/** Adds `growth` channels made of all before: [N,I,H,W] to [N,growth,H,W]. */
class DenseLayer extends Module {
  readonly type = "_DenseLayer";
  readonly norm1: BatchNorm2d;
  readonly relu1 = new ReLU();
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly relu2 = new ReLU();
  readonly conv2: Conv2d;

  constructor(inputs: number, growth: number) {
    super();
    const hidden = BOTTLENECK * growth;
    this.norm1 = new BatchNorm2d(inputs);
    this.conv1 = new Conv2d(inputs, hidden, 1, { bias: false });
    this.norm2 = new BatchNorm2d(hidden);
    this.conv2 = new Conv2d(hidden, growth, 3, { padding: 1, bias: false });
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(
      x,
      ...[this.norm1, this.relu1, this.conv1, this.norm2, this.relu2, this.conv2],
    );
  }
}

/** Layers each of which sees all before it: [N,I,H,W] to [N,I+layers·growth,H,W]. */
class DenseBlock extends Module {
  readonly type = "_DenseBlock";
  readonly #layers: readonly DenseLayer[];

  constructor(inputs: number, layers: number, growth: number) {
    super();
    this.#layers = Array.from(
      { length: layers },
      (_, i) => new DenseLayer(inputs + i * growth, growth),
    );
  }

  override children(): [name: string, child: Module][] {
    return this.#layers.map((layer, i) => [`denselayer${i + 1}`, layer]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return this.#layers.reduce((all, layer) => concat([all, scope.run(all, layer)]), x);
  }
}

/** Halves channels and map. */
function transition(inputs: number): NamedSequential {
  return new NamedSequential([
    ["norm", new BatchNorm2d(inputs)],
    ["relu", new ReLU()],
    ["conv", new Conv2d(inputs, inputs / 2, 1, { bias: false })],
    ["pool", new AvgPool2d(2, { stride: 2 })],
  ], "_Transition");
}

/** DenseNet, [N,3,H,W] to [N,classes,1,1]. */
export class DenseNet extends Module {
  readonly type = "DenseNet";
  readonly features: NamedSequential;
  readonly classifier: Linear;

  /** @param first Channels of the first convolution. */
  constructor(growth: number, blocks: readonly number[], first: number, classes: number) {
    super();
    let channels = first;
    const dense = blocks.flatMap((layers, i): [string, Module][] => {
      const block = new DenseBlock(channels, layers, growth);
      channels += layers * growth;
      const named: [string, Module][] = [[`denseblock${i + 1}`, block]];
      if (i < blocks.length - 1) {
        named.push([`transition${i + 1}`, transition(channels)]);
        channels /= 2;
      }
      return named;
    });
    this.features = new NamedSequential([
      ["conv0", new Conv2d(3, first, 7, { stride: 2, padding: 3, bias: false })],
      ["norm0", new BatchNorm2d(first)],
      ["relu0", new ReLU()],
      ["pool0", new MaxPool2d(3, { stride: 2, padding: 1 })],
      ...dense,
      ["norm5", new BatchNorm2d(channels)],
    ]);
    this.classifier = new Linear(channels, classes);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(globalAveragePool(relu(scope.run(x, this.features))), this.classifier);
  }
}

/** The registered networks. */
export const DENSENETS = family({ inputSize: 224, minSize: 29, lastMap: "features.norm5" }, {
  densenet121: (classes) => new DenseNet(32, [6, 12, 24, 16], 64, classes),
  densenet161: (classes) => new DenseNet(48, [6, 12, 36, 24], 96, classes),
  densenet169: (classes) => new DenseNet(32, [6, 12, 32, 32], 64, classes),
  densenet201: (classes) => new DenseNet(32, [6, 12, 48, 32], 64, classes),
});
