/** MNASNet (Tan et al., 2018, arXiv:1807.11626), as in torchvision. */
import { add, globalAveragePool, type Tensor } from "../../ops/mod.ts";
import { BatchNorm2d, Conv2d, divisible, Dropout, Linear, ReLU, Sequential } from "../layers.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

/** Channels at width 1. */
const DEPTHS = [32, 16, 24, 40, 80, 96, 192, 320];

/** Kernel, stride, expansion and blocks of each stack. */
const STACKS = [
  [3, 2, 3, 3],
  [5, 2, 3, 3],
  [5, 2, 6, 3],
  [3, 1, 6, 2],
  [5, 2, 6, 4],
  [3, 1, 6, 1],
] as const;

function convNorm(
  inputs: number,
  outputs: number,
  kernel: number,
  { stride = 1, groups = 1 } = {},
): Module[] {
  const padding = (kernel - 1) / 2;
  return [
    new Conv2d(inputs, outputs, kernel, { stride, padding, groups, bias: false }),
    new BatchNorm2d(outputs),
  ];
}

/** Expand, convolve channel by channel, project: [N,I,H,W] to [N,O,H/stride,W/stride]. */
class InvertedResidual extends Module {
  readonly type = "_InvertedResidual";
  readonly layers: Sequential;
  readonly #shortcut: boolean;

  constructor(inputs: number, outputs: number, kernel: number, stride: number, expansion: number) {
    super();
    const hidden = inputs * expansion;
    this.#shortcut = inputs === outputs && stride === 1;
    this.layers = new Sequential([
      ...convNorm(inputs, hidden, 1),
      new ReLU(),
      ...convNorm(hidden, hidden, kernel, { stride, groups: hidden }),
      new ReLU(),
      ...convNorm(hidden, outputs, 1),
    ]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const y = scope.run(x, this.layers);
    return this.#shortcut ? add(y, x) : y;
  }
}

/** MNASNet, [N,3,H,W] to [N,classes,1,1]. */
export class MNASNet extends Module {
  readonly type = "MNASNet";
  readonly layers: Sequential;
  readonly classifier: Sequential;

  /** @param width Times as many channels. */
  constructor(width: number, classes: number) {
    super();
    const depths = DEPTHS.map((depth) => divisible(depth * width));
    const [first, second] = depths as [number, number];
    const stacks = STACKS.map(([kernel, stride, expansion, blocks], i) =>
      new Sequential(Array.from({ length: blocks }, (_, block) => {
        const outputs = depths[i + 2]!;
        return block === 0
          ? new InvertedResidual(depths[i + 1]!, outputs, kernel, stride, expansion)
          : new InvertedResidual(outputs, outputs, kernel, 1, expansion);
      }))
    );
    this.layers = new Sequential([
      ...convNorm(3, first, 3, { stride: 2 }),
      new ReLU(),
      ...convNorm(first, first, 3, { groups: first }),
      new ReLU(),
      ...convNorm(first, second, 1),
      ...stacks,
      ...convNorm(depths.at(-1)!, 1280, 1),
      new ReLU(),
    ]);
    this.classifier = new Sequential([new Dropout(), new Linear(1280, classes)]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(globalAveragePool(scope.run(x, this.layers)), this.classifier);
  }
}

/** The registered networks. */
export const MNASNETS = family({ inputSize: 224, minSize: 1, lastMap: "layers.16" }, {
  mnasnet0_5: (classes) => new MNASNet(0.5, classes),
  mnasnet0_75: (classes) => new MNASNet(0.75, classes),
  mnasnet1_0: (classes) => new MNASNet(1, classes),
  mnasnet1_3: (classes) => new MNASNet(1.3, classes),
});
