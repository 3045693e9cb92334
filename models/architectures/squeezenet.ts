/** SqueezeNet (Iandola et al., 2016, arXiv:1602.07360), as in torchvision. */
import { concat, type Tensor } from "../../ops/mod.ts";
import { AdaptiveAvgPool2d, Conv2d, Dropout, MaxPool2d, ReLU, Sequential } from "../layers.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

/** Squeeze to few channels, then expand with 1x1 and 3x3 windows: [N,I,H,W] to [N,E1+E3,H,W]. */
class Fire extends Module {
  readonly type = "Fire";
  readonly squeeze: Conv2d;
  readonly squeeze_activation = new ReLU();
  readonly expand1x1: Conv2d;
  readonly expand1x1_activation = new ReLU();
  readonly expand3x3: Conv2d;
  readonly expand3x3_activation = new ReLU();

  constructor(inputs: number, squeezed: number, expanded: number) {
    super();
    this.squeeze = new Conv2d(inputs, squeezed, 1);
    this.expand1x1 = new Conv2d(squeezed, expanded, 1);
    this.expand3x3 = new Conv2d(squeezed, expanded, 3, { padding: 1 });
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const squeezed = scope.run(x, this.squeeze, this.squeeze_activation);
    return concat([
      scope.run(squeezed, this.expand1x1, this.expand1x1_activation),
      scope.run(squeezed, this.expand3x3, this.expand3x3_activation),
    ]);
  }
}

/** SqueezeNet, [N,3,H,W] to [N,classes,1,1]; H and W at least 21 (`1_0`) or 17 (`1_1`). */
export class SqueezeNet extends Module {
  readonly type = "SqueezeNet";
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(version: "1_0" | "1_1", { classes = 1000 }: { readonly classes?: number } = {}) {
    super();
    const pool = () => new MaxPool2d(3, { stride: 2, ceilMode: true });
    this.features = new Sequential(
      version === "1_0"
        ? [
          new Conv2d(3, 96, 7, { stride: 2 }),
          new ReLU(),
          pool(),
          new Fire(96, 16, 64),
          new Fire(128, 16, 64),
          new Fire(128, 32, 128),
          pool(),
          new Fire(256, 32, 128),
          new Fire(256, 48, 192),
          new Fire(384, 48, 192),
          new Fire(384, 64, 256),
          pool(),
          new Fire(512, 64, 256),
        ]
        : [
          new Conv2d(3, 64, 3, { stride: 2 }),
          new ReLU(),
          pool(),
          new Fire(64, 16, 64),
          new Fire(128, 16, 64),
          pool(),
          new Fire(128, 32, 128),
          new Fire(256, 32, 128),
          pool(),
          new Fire(256, 48, 192),
          new Fire(384, 48, 192),
          new Fire(384, 64, 256),
          new Fire(512, 64, 256),
        ],
    );
    this.classifier = new Sequential([
      new Dropout(),
      new Conv2d(512, classes, 1),
      new ReLU(),
      new AdaptiveAvgPool2d(1),
    ]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(x, this.features, this.classifier);
  }
}

/** The registered networks. */
export const SQUEEZENETS = {
  ...family({ inputSize: 224, minSize: 21, lastMap: "features.12" }, {
    squeezenet1_0: (classes) => new SqueezeNet("1_0", { classes }),
  }),
  ...family({ inputSize: 224, minSize: 17, lastMap: "features.12" }, {
    squeezenet1_1: (classes) => new SqueezeNet("1_1", { classes }),
  }),
};
