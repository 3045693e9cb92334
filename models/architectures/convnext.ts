/** ConvNeXt (Liu et al., 2022, arXiv:2201.03545), as in torchvision. */
import { add, mul, type Tensor } from "../../ops/mod.ts";
import {
  AdaptiveAvgPool2d,
  Conv2d,
  Flatten,
  GELU,
  LayerNorm,
  Linear,
  Sequential,
  StochasticDepth,
} from "../layers.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

const EPSILON = 1e-6;

/** PyTorch's change of axes between [N,C,H,W] and [N,H,W,C]: here channels stay where they are. */
class Permute extends Module {
  readonly type = "Permute";

  forward(x: Tensor): Tensor {
    return x;
  }
}

/** A matrix product over the channels of each pixel: PyTorch's `Linear` on [N,H,W,C]. */
class PixelLinear extends Module {
  readonly type = "Linear";
  readonly #convolution: Conv2d;
  readonly #inputs: number;
  readonly #outputs: number;

  constructor(inputs: number, outputs: number) {
    super();
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#convolution = new Conv2d(inputs, outputs, 1);
  }

  override parameters(): Record<string, readonly number[]> {
    return { weight: [this.#outputs, this.#inputs], bias: [this.#outputs] };
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return this.#convolution.forward(x, {
      ...scope,
      run: scope.run.bind(scope),
      parameter: (_, name) => scope.parameter(this, name),
    });
  }
}

/** Each channel by itself, then each pixel by itself, beside a shortcut: [N,C,H,W] to the same. */
class CNBlock extends Module {
  readonly type = "CNBlock";
  readonly block: Sequential;
  readonly stochastic_depth = new StochasticDepth();
  readonly #channels: number;

  constructor(channels: number) {
    super();
    this.#channels = channels;
    this.block = new Sequential([
      new Conv2d(channels, channels, 7, { padding: 3, groups: channels }),
      new Permute(),
      new LayerNorm(channels, EPSILON),
      new PixelLinear(channels, 4 * channels),
      new GELU(),
      new PixelLinear(4 * channels, channels),
      new Permute(),
    ]);
  }

  override parameters(): Record<string, readonly number[]> {
    return { layer_scale: [this.#channels, 1, 1] };
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const scale = scope.parameter(this, "layer_scale", [1, this.#channels, 1, 1]);
    const y = mul(scope.run(x, this.block), scale);
    return add(scope.run(y, this.stochastic_depth), x);
  }
}

const norm = (channels: number) => new LayerNorm(channels, EPSILON, "LayerNorm2d");

/** ConvNeXt, [N,3,H,W] to [N,classes,1,1]. */
export class ConvNeXt extends Module {
  readonly type = "ConvNeXt";
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly classifier: Sequential;

  /** @param widths Channels of each stage. */
  constructor(widths: readonly number[], blocks: readonly number[], classes: number) {
    super();
    const [first] = widths as [number];
    const last = widths.at(-1)!;
    this.features = new Sequential([
      new Sequential(
        [new Conv2d(3, first, 4, { stride: 4 }), norm(first)],
        "Conv2dNormActivation",
      ),
      ...widths.flatMap((width, i) => [
        ...(i === 0 ? [] : [
          new Sequential([
            norm(widths[i - 1]!),
            new Conv2d(widths[i - 1]!, width, 2, { stride: 2 }),
          ]),
        ]),
        new Sequential(Array.from({ length: blocks[i]! }, () => new CNBlock(width))),
      ]),
    ]);
    this.classifier = new Sequential([norm(last), new Flatten(), new Linear(last, classes)]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(x, this.features, this.avgpool, this.classifier);
  }
}

const FEW = [3, 3, 9, 3];
const MANY = [3, 3, 27, 3];
const NARROW = [96, 192, 384, 768];
const WIDE = [128, 256, 512, 1024];

/** The registered networks. */
export const CONVNEXTS = family({ inputSize: 224, minSize: 32, lastMap: "features.7" }, {
  convnext_tiny: (classes) => new ConvNeXt(NARROW, FEW, classes),
  convnext_small: (classes) => new ConvNeXt(NARROW, MANY, classes),
  convnext_base: (classes) => new ConvNeXt(WIDE, MANY, classes),
  convnext_large: (classes) => new ConvNeXt([192, 384, 768, 1536], MANY, classes),
});
