/** MobileNet V2 (Sandler et al., 2018, arXiv:1801.04381), as in torchvision. */
import { add, type Tensor } from "../../ops/mod.ts";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  convNormActivation,
  Dropout,
  Linear,
  ReLU6,
  Sequential,
} from "../layers.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

/** Expansion, output channels, blocks and first stride of each group of blocks. */
const GROUPS = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** Expand, convolve channel by channel, project: [N,I,H,W] to [N,O,H/stride,W/stride]. */
class InvertedResidual extends Module {
  readonly type = "InvertedResidual";
  readonly conv: Sequential;
  readonly #shortcut: boolean;

  constructor(inputs: number, outputs: number, stride: number, expansion: number) {
    super();
    const hidden = inputs * expansion;
    this.#shortcut = stride === 1 && inputs === outputs;
    this.conv = new Sequential([
      ...(expansion === 1
        ? []
        : [convNormActivation(inputs, hidden, 1, { activation: new ReLU6() })]),
      convNormActivation(hidden, hidden, 3, { stride, groups: hidden, activation: new ReLU6() }),
      new Conv2d(hidden, outputs, 1, { bias: false }),
      new BatchNorm2d(outputs),
    ]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const y = scope.run(x, this.conv);
    return this.#shortcut ? add(x, y) : y;
  }
}

/** MobileNet V2, [N,3,H,W] to [N,classes,1,1]; any size, `features.18` is H/32 x W/32. */
export class MobileNetV2 extends Module {
  readonly type = "MobileNetV2";
  readonly features: Sequential;
  readonly classifier: Sequential;
  /** Functional in torchvision, so not a named child. */
  readonly #pool = new AdaptiveAvgPool2d(1);

  constructor({ classes = 1000 }: { readonly classes?: number } = {}) {
    super();
    const features: Module[] = [
      convNormActivation(3, 32, 3, { stride: 2, activation: new ReLU6() }),
    ];
    let channels = 32;
    for (const [expansion, outputs, blocks, stride] of GROUPS) {
      for (let block = 0; block < blocks; block++) {
        features.push(
          new InvertedResidual(channels, outputs, block === 0 ? stride : 1, expansion),
        );
        channels = outputs;
      }
    }
    features.push(convNormActivation(channels, 1280, 1, { activation: new ReLU6() }));
    this.features = new Sequential(features);
    this.classifier = new Sequential([new Dropout(), new Linear(1280, classes)]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(this.#pool.forward(scope.run(x, this.features)), this.classifier);
  }
}

/** The registered network. */
export const MOBILENET = family({ inputSize: 224, minSize: 1, lastMap: "features.18" }, {
  mobilenet_v2: (classes) => new MobileNetV2({ classes }),
});
