/** GoogLeNet (Szegedy et al., 2014, arXiv:1409.4842), as in torchvision, which has 3x3 for its 5x5. */
import { concat, relu, type Tensor } from "../../ops/mod.ts";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Linear,
  MaxPool2d,
  Sequential,
} from "../layers.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

/** Convolution, batch norm, ReLU. */
class BasicConv2d extends Module {
  readonly type = "BasicConv2d";
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;

  constructor(inputs: number, outputs: number, kernel: number, { stride = 1, padding = 0 } = {}) {
    super();
    this.conv = new Conv2d(inputs, outputs, kernel, { stride, padding, bias: false });
    this.bn = new BatchNorm2d(outputs, 1e-3);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return relu(scope.run(x, this.conv, this.bn));
  }
}

/** Channels of an Inception: 1x1; before and of 3x3; before and of the other 3x3; after the pool. */
type Channels = readonly [
  one: number,
  reduced3: number,
  three: number,
  reduced5: number,
  five: number,
  pooled: number,
];

/** Four branches side by side: [N,I,H,W] to [N,1x1+3x3+3x3+pool,H,W]. */
class Inception extends Module {
  readonly type = "Inception";
  readonly branch1: BasicConv2d;
  readonly branch2: Sequential;
  readonly branch3: Sequential;
  readonly branch4: Sequential;

  constructor(inputs: number, [one, reduced3, three, reduced5, five, pooled]: Channels) {
    super();
    const twoOf = (reduced: number, outputs: number) =>
      new Sequential([
        new BasicConv2d(inputs, reduced, 1),
        new BasicConv2d(reduced, outputs, 3, { padding: 1 }),
      ]);
    this.branch1 = new BasicConv2d(inputs, one, 1);
    this.branch2 = twoOf(reduced3, three);
    this.branch3 = twoOf(reduced5, five);
    this.branch4 = new Sequential([
      new MaxPool2d(3, { stride: 1, padding: 1, ceilMode: true }),
      new BasicConv2d(inputs, pooled, 1),
    ]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return concat(
      [this.branch1, this.branch2, this.branch3, this.branch4].map((branch) =>
        scope.run(x, branch)
      ),
    );
  }
}

const halving = { stride: 2, ceilMode: true };

/** GoogLeNet without the heads it is trained with, [N,3,H,W] to [N,classes,1,1]. */
export class GoogLeNet extends Module {
  readonly type = "GoogLeNet";
  readonly conv1 = new BasicConv2d(3, 64, 7, { stride: 2, padding: 3 });
  readonly maxpool1 = new MaxPool2d(3, halving);
  readonly conv2 = new BasicConv2d(64, 64, 1);
  readonly conv3 = new BasicConv2d(64, 192, 3, { padding: 1 });
  readonly maxpool2 = new MaxPool2d(3, halving);
  readonly inception3a = new Inception(192, [64, 96, 128, 16, 32, 32]);
  readonly inception3b = new Inception(256, [128, 128, 192, 32, 96, 64]);
  readonly maxpool3 = new MaxPool2d(3, halving);
  readonly inception4a = new Inception(480, [192, 96, 208, 16, 48, 64]);
  readonly inception4b = new Inception(512, [160, 112, 224, 24, 64, 64]);
  readonly inception4c = new Inception(512, [128, 128, 256, 24, 64, 64]);
  readonly inception4d = new Inception(512, [112, 144, 288, 32, 64, 64]);
  readonly inception4e = new Inception(528, [256, 160, 320, 32, 128, 128]);
  readonly maxpool4 = new MaxPool2d(2, halving);
  readonly inception5a = new Inception(832, [256, 160, 320, 32, 128, 128]);
  readonly inception5b = new Inception(832, [384, 192, 384, 48, 128, 128]);
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly dropout = new Dropout();
  readonly fc: Linear;

  constructor(classes: number) {
    super();
    this.fc = new Linear(1024, classes);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(x, ...this.children().map(([, child]) => child));
  }
}

/** The registered network. */
export const GOOGLENET = family({ inputSize: 224, minSize: 15, lastMap: "inception5b" }, {
  googlenet: (classes) => new GoogLeNet(classes),
});
