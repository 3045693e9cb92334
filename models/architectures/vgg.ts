/** VGG (Simonyan and Zisserman, 2014, arXiv:1409.1556), as in torchvision. */
import type { Tensor } from "../../ops/mod.ts";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
} from "../layers.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

/** Convolutions before each of the five poolings, by depth. */
const CONVOLUTIONS = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
} as const;

/** VGG, [N,3,H,W] to [N,classes,1,1]; `features` from 32 pixels on, the classifier at 224. */
export class VGG extends Module {
  readonly type = "VGG";
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(7);
  readonly classifier: Sequential;

  constructor(
    depth: keyof typeof CONVOLUTIONS,
    { batchNorm = false, classes = 1000 }: {
      readonly batchNorm?: boolean;
      readonly classes?: number;
    } = {},
  ) {
    super();
    const features: Module[] = [];
    let channels = 3;
    CONVOLUTIONS[depth].forEach((count, stage) => {
      const outputs = Math.min(64 << stage, 512);
      for (let i = 0; i < count; i++) {
        features.push(new Conv2d(channels, outputs, 3, { padding: 1 }));
        if (batchNorm) features.push(new BatchNorm2d(outputs));
        features.push(new ReLU());
        channels = outputs;
      }
      features.push(new MaxPool2d(2));
    });
    this.features = new Sequential(features);
    this.classifier = new Sequential([
      new Linear(512 * 7 * 7, 4096),
      new ReLU(),
      new Dropout(),
      new Linear(4096, 4096),
      new ReLU(),
      new Dropout(),
      new Linear(4096, classes),
    ]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(x, this.features, this.avgpool, this.classifier);
  }
}

/** The registered networks. */
export const VGGS = family({ inputSize: 224, minSize: 32, lastMap: "features" }, {
  vgg11: (classes) => new VGG(11, { classes }),
  vgg11_bn: (classes) => new VGG(11, { classes, batchNorm: true }),
  vgg13: (classes) => new VGG(13, { classes }),
  vgg13_bn: (classes) => new VGG(13, { classes, batchNorm: true }),
  vgg16: (classes) => new VGG(16, { classes }),
  vgg16_bn: (classes) => new VGG(16, { classes, batchNorm: true }),
  vgg19: (classes) => new VGG(19, { classes }),
  vgg19_bn: (classes) => new VGG(19, { classes, batchNorm: true }),
});
