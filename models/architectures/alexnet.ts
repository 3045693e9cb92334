/** AlexNet in its one-tower form (Krizhevsky, 2014, arXiv:1404.5997), as in torchvision. */
import type { Tensor } from "../../ops/mod.ts";
import {
  AdaptiveAvgPool2d,
  Conv2d,
  Dropout,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
} from "../layers.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

/** AlexNet, [N,3,H,W] to [N,classes,1,1]; `features` from 63 pixels on, the classifier at 224. */
export class AlexNet extends Module {
  readonly type = "AlexNet";
  readonly features = new Sequential([
    new Conv2d(3, 64, 11, { stride: 4, padding: 2 }),
    new ReLU(),
    new MaxPool2d(3, { stride: 2 }),
    new Conv2d(64, 192, 5, { padding: 2 }),
    new ReLU(),
    new MaxPool2d(3, { stride: 2 }),
    new Conv2d(192, 384, 3, { padding: 1 }),
    new ReLU(),
    new Conv2d(384, 256, 3, { padding: 1 }),
    new ReLU(),
    new Conv2d(256, 256, 3, { padding: 1 }),
    new ReLU(),
    new MaxPool2d(3, { stride: 2 }),
  ]);
  readonly avgpool = new AdaptiveAvgPool2d(6);
  readonly classifier: Sequential;

  constructor({ classes = 1000 }: { readonly classes?: number } = {}) {
    super();
    this.classifier = new Sequential([
      new Dropout(),
      new Linear(256 * 6 * 6, 4096),
      new ReLU(),
      new Dropout(),
      new Linear(4096, 4096),
      new ReLU(),
      new Linear(4096, classes),
    ]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(x, this.features, this.avgpool, this.classifier);
  }
}

/** AlexNet as a registered network. */
export const ALEXNET = family({ inputSize: 224, minSize: 63, lastMap: "features" }, {
  alexnet: (classes) => new AlexNet({ classes }),
});
