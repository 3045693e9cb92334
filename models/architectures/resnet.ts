/**
 * ResNet (He et al., 2015, arXiv:1512.03385), Wide ResNet (arXiv:1605.07146) and ResNeXt
 * (arXiv:1611.05431), as in torchvision.
 */
import { add, type Tensor } from "../../ops/mod.ts";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
} from "../layers.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

function conv3x3(inputs: number, outputs: number, stride = 1, groups = 1): Conv2d {
  return new Conv2d(inputs, outputs, 3, { stride, padding: 1, groups, bias: false });
}

function conv1x1(inputs: number, outputs: number, stride = 1): Conv2d {
  return new Conv2d(inputs, outputs, 1, { stride, bias: false });
}

/** Two 3x3 convolutions beside a shortcut: [N,I,H,W] to [N,width,H/stride,W/stride]. */
class BasicBlock extends Module {
  readonly type = "BasicBlock";
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu = new ReLU();
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Module | undefined;

  constructor(inputs: number, width: number, stride: number, downsample: Module | undefined) {
    super();
    this.conv1 = conv3x3(inputs, width, stride);
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = conv3x3(width, width);
    this.bn2 = new BatchNorm2d(width);
    this.downsample = downsample;
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const y = scope.run(x, this.conv1, this.bn1, this.relu, this.conv2, this.bn2);
    const shortcut = this.downsample ? scope.run(x, this.downsample) : x;
    return scope.run(add(y, shortcut), this.relu);
  }
}

/** 1x1, 3x3, 1x1 convolutions beside a shortcut: [N,I,H,W] to [N,4·planes,H/stride,W/stride]. */
class Bottleneck extends Module {
  readonly type = "Bottleneck";
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly relu = new ReLU();
  readonly downsample: Module | undefined;

  constructor(
    inputs: number,
    planes: number,
    width: number,
    stride: number,
    groups: number,
    downsample: Module | undefined,
  ) {
    super();
    this.conv1 = conv1x1(inputs, width);
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = conv3x3(width, width, stride, groups);
    this.bn2 = new BatchNorm2d(width);
    this.conv3 = conv1x1(width, 4 * planes);
    this.bn3 = new BatchNorm2d(4 * planes);
    this.downsample = downsample;
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const y = scope.run(
      x,
      ...[this.conv1, this.bn1, this.relu],
      ...[this.conv2, this.bn2, this.relu],
      ...[this.conv3, this.bn3],
    );
    const shortcut = this.downsample ? scope.run(x, this.downsample) : x;
    return scope.run(add(y, shortcut), this.relu);
  }
}

/** What tells one ResNet from another. */
export interface ResNetOptions {
  /** Two 3x3 convolutions per block, or 1x1, 3x3, 1x1. */
  readonly block: "BasicBlock" | "Bottleneck";
  /** Blocks in `layer1` to `layer4`. */
  readonly layers: readonly [number, number, number, number];
  /** Channels inside a Bottleneck, as a multiple of the usual. Default 1. */
  readonly widen?: number;
  /** Groups of channels of its 3x3 convolutions. Default 1. */
  readonly groups?: number;
  /** Classes of the head. Default 1000. */
  readonly classes?: number;
}

/** ResNet, [N,3,H,W] to [N,classes,1,1]; any size, `layer4` is H/32 x W/32. */
export class ResNet extends Module {
  readonly type = "ResNet";
  readonly conv1 = new Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false });
  readonly bn1 = new BatchNorm2d(64);
  readonly relu = new ReLU();
  readonly maxpool = new MaxPool2d(3, { stride: 2, padding: 1 });
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly fc: Linear;

  constructor({ block, layers, widen = 1, groups = 1, classes = 1000 }: ResNetOptions) {
    super();
    const expansion = block === "Bottleneck" ? 4 : 1;
    let channels = 64;
    const layer = (planes: number, blocks: number, stride: number): Sequential =>
      new Sequential(Array.from({ length: blocks }, (_, index) => {
        const inputs = channels;
        const step = index === 0 ? stride : 1;
        channels = planes * expansion;
        const downsample = step !== 1 || inputs !== channels
          ? new Sequential([conv1x1(inputs, channels, step), new BatchNorm2d(channels)])
          : undefined;
        return block === "Bottleneck"
          ? new Bottleneck(inputs, planes, planes * widen, step, groups, downsample)
          : new BasicBlock(inputs, planes, step, downsample);
      }));
    this.layer1 = layer(64, layers[0], 1);
    this.layer2 = layer(128, layers[1], 2);
    this.layer3 = layer(256, layers[2], 2);
    this.layer4 = layer(512, layers[3], 2);
    this.fc = new Linear(channels, classes);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(
      x,
      ...[this.conv1, this.bn1, this.relu, this.maxpool],
      ...[this.layer1, this.layer2, this.layer3, this.layer4],
      ...[this.avgpool, this.fc],
    );
  }
}

/** The registered networks. */
export const RESNETS = family({ inputSize: 224, minSize: 1, lastMap: "layer4" }, {
  resnet18: resnet("BasicBlock", [2, 2, 2, 2]),
  resnet34: resnet("BasicBlock", [3, 4, 6, 3]),
  resnet50: resnet("Bottleneck", [3, 4, 6, 3]),
  resnet101: resnet("Bottleneck", [3, 4, 23, 3]),
  resnet152: resnet("Bottleneck", [3, 8, 36, 3]),
  wide_resnet50_2: resnet("Bottleneck", [3, 4, 6, 3], 2),
  wide_resnet101_2: resnet("Bottleneck", [3, 4, 23, 3], 2),
  resnext50_32x4d: resnet("Bottleneck", [3, 4, 6, 3], 2, 32),
  resnext101_32x8d: resnet("Bottleneck", [3, 4, 23, 3], 4, 32),
  resnext101_64x4d: resnet("Bottleneck", [3, 4, 23, 3], 4, 64),
});

function resnet(
  block: ResNetOptions["block"],
  layers: ResNetOptions["layers"],
  widen = 1,
  groups = 1,
) {
  return (classes: number) => new ResNet({ block, layers, widen, groups, classes });
}
