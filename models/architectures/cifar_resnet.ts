/**
 * The small ResNets for CIFAR-10 (He et al., 2015, section 4.2), with the names and the shortcut of
 * github.com/akamaster/pytorch_resnet_cifar10.
 */
import { add, globalAveragePool, pad, relu, slice, type Tensor } from "../../ops/mod.ts";
import { BatchNorm2d, Conv2d, Linear, Sequential } from "../layers.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

function conv3x3(inputs: number, outputs: number, stride = 1): Conv2d {
  return new Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
}

/** The shortcut without weights ("option A"): every second pixel, channels padded at both ends. */
class LambdaLayer extends Module {
  readonly type = "LambdaLayer";
  readonly #padding: number;

  constructor(padding: number) {
    super();
    this.#padding = padding;
  }

  forward(x: Tensor): Tensor {
    const [, channels, height, width] = x.shape;
    const size = [channels, Math.ceil(height / 2), Math.ceil(width / 2)] as const;
    const channelPadding = [this.#padding, 0, 0] as const;
    return pad(slice(x, { size, step: [1, 2, 2] }), { low: channelPadding, high: channelPadding });
  }
}

/** Two 3x3 convolutions beside a shortcut: [N,I,H,W] to [N,O,H/stride,W/stride]. */
class BasicBlock extends Module {
  readonly type = "BasicBlock";
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly shortcut: Module;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.conv1 = conv3x3(inputs, outputs, stride);
    this.bn1 = new BatchNorm2d(outputs);
    this.conv2 = conv3x3(outputs, outputs);
    this.bn2 = new BatchNorm2d(outputs);
    this.shortcut = stride === 1 ? new Sequential([]) : new LambdaLayer((outputs - inputs) / 2);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const y = scope.run(relu(scope.run(x, this.conv1, this.bn1)), this.conv2, this.bn2);
    return relu(add(y, scope.run(x, this.shortcut)));
  }
}

/** CIFAR ResNet, [N,3,H,W] to [N,classes,1,1]; made for 32x32, any size works. */
export class CifarResNet extends Module {
  readonly type = "ResNet";
  readonly conv1: Conv2d = conv3x3(3, 16);
  readonly bn1 = new BatchNorm2d(16);
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly linear: Linear;

  /** @param blocks Blocks in each of the three layers; the depth is 6·blocks + 2. */
  constructor(blocks: number, { classes = 10 }: { readonly classes?: number } = {}) {
    super();
    const layer = (inputs: number, outputs: number, stride: number): Sequential =>
      new Sequential(Array.from(
        { length: blocks },
        (_, index) =>
          index === 0
            ? new BasicBlock(inputs, outputs, stride)
            : new BasicBlock(outputs, outputs, 1),
      ));
    this.layer1 = layer(16, 16, 1);
    this.layer2 = layer(16, 32, 2);
    this.layer3 = layer(32, 64, 2);
    this.linear = new Linear(64, classes);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const y = relu(scope.run(x, this.conv1, this.bn1));
    const features = scope.run(y, this.layer1, this.layer2, this.layer3);
    return scope.run(globalAveragePool(features), this.linear);
  }
}

/** The registered networks. */
export const CIFAR_RESNETS = family(
  { inputSize: 32, minSize: 1, lastMap: "layer3", classes: 10 },
  {
    cifar10_resnet20: (classes) => new CifarResNet(3, { classes }),
    cifar10_resnet32: (classes) => new CifarResNet(5, { classes }),
    cifar10_resnet44: (classes) => new CifarResNet(7, { classes }),
    cifar10_resnet56: (classes) => new CifarResNet(9, { classes }),
    cifar10_resnet110: (classes) => new CifarResNet(18, { classes }),
  },
);
