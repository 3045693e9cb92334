/** MobileNet V3 (Howard et al., 2019, arXiv:1905.02244), as in torchvision. */
import { add, type Tensor } from "../../ops/mod.ts";
import {
  AdaptiveAvgPool2d,
  convNormActivation,
  divisible,
  Dropout,
  Hardsigmoid,
  Hardswish,
  Linear,
  ReLU,
  Sequential,
  SqueezeExcitation,
} from "../layers.ts";
import type { WeightSource } from "../formats/weights.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

/** Kernel, channels inside and out, squeeze and excitation, Hardswish, stride of a block. */
type Row = readonly [
  kernel: number,
  expanded: number,
  outputs: number,
  squeeze: 0 | 1,
  hard: 0 | 1,
  stride: 1 | 2,
];

const LARGE: readonly Row[] = [
  [3, 16, 16, 0, 0, 1],
  [3, 64, 24, 0, 0, 2],
  [3, 72, 24, 0, 0, 1],
  [5, 72, 40, 1, 0, 2],
  [5, 120, 40, 1, 0, 1],
  [5, 120, 40, 1, 0, 1],
  [3, 240, 80, 0, 1, 2],
  [3, 200, 80, 0, 1, 1],
  [3, 184, 80, 0, 1, 1],
  [3, 184, 80, 0, 1, 1],
  [3, 480, 112, 1, 1, 1],
  [3, 672, 112, 1, 1, 1],
  [5, 672, 160, 1, 1, 2],
  [5, 960, 160, 1, 1, 1],
  [5, 960, 160, 1, 1, 1],
];

const SMALL: readonly Row[] = [
  [3, 16, 16, 1, 0, 2],
  [3, 72, 24, 0, 0, 2],
  [3, 88, 24, 0, 0, 1],
  [5, 96, 40, 1, 1, 2],
  [5, 240, 40, 1, 1, 1],
  [5, 240, 40, 1, 1, 1],
  [5, 120, 48, 1, 1, 1],
  [5, 144, 48, 1, 1, 1],
  [5, 288, 96, 1, 1, 2],
  [5, 576, 96, 1, 1, 1],
  [5, 576, 96, 1, 1, 1],
];

const EPSILON = 1e-3;
/** What timm adds. */
const TIMM_EPSILON = 1e-5;

/** Expand, convolve channel by channel, gate, project: [N,I,H,W] to [N,O,H/stride,W/stride]. */
class InvertedResidual extends Module {
  readonly type = "InvertedResidual";
  readonly block: Sequential;
  readonly #shortcut: boolean;

  constructor(
    inputs: number,
    [kernel, expanded, outputs, squeeze, hard, stride]: Row,
    epsilon: number,
  ) {
    super();
    const activation = () => hard ? new Hardswish() : new ReLU();
    this.#shortcut = stride === 1 && inputs === outputs;
    this.block = new Sequential([
      ...(expanded === inputs
        ? []
        : [convNormActivation(inputs, expanded, 1, { epsilon, activation: activation() })]),
      convNormActivation(expanded, expanded, kernel, {
        ...{ stride, groups: expanded, epsilon },
        activation: activation(),
      }),
      ...(squeeze
        ? [
          new SqueezeExcitation(expanded, divisible(expanded / 4), new ReLU(), new Hardsigmoid()),
        ]
        : []),
      convNormActivation(expanded, outputs, 1, { epsilon, activation: null }),
    ]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const y = scope.run(x, this.block);
    return this.#shortcut ? add(y, x) : y;
  }
}

/** MobileNet V3, [N,3,H,W] to [N,classes,1,1]. */
export class MobileNetV3 extends Module {
  readonly type = "MobileNetV3";
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly classifier: Sequential;

  constructor(rows: readonly Row[], last: number, classes: number, epsilon = EPSILON) {
    super();
    const hard = { epsilon, activation: new Hardswish() };
    let channels = 16;
    const blocks = rows.map((row) => {
      const block = new InvertedResidual(channels, row, epsilon);
      channels = row[2];
      return block;
    });
    const wide = 6 * channels;
    this.features = new Sequential([
      convNormActivation(3, 16, 3, { ...hard, stride: 2 }),
      ...blocks,
      convNormActivation(channels, wide, 1, { ...hard, activation: new Hardswish() }),
    ]);
    this.classifier = new Sequential([
      new Linear(wide, last),
      new Hardswish(),
      new Dropout(),
      new Linear(last, classes),
    ]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(x, this.features, this.avgpool, this.classifier);
  }
}

function epsilonOf(weights: WeightSource | undefined): number {
  return weights?.naming === "timm" ? TIMM_EPSILON : EPSILON;
}

/** The registered networks. */
export const MOBILENETS_V3 = {
  ...family({ inputSize: 224, minSize: 1, lastMap: "features.16" }, {
    mobilenet_v3_large: (classes, weights) =>
      new MobileNetV3(LARGE, 1280, classes, epsilonOf(weights)),
  }),
  ...family({ inputSize: 224, minSize: 1, lastMap: "features.12" }, {
    mobilenet_v3_small: (classes, weights) =>
      new MobileNetV3(SMALL, 1024, classes, epsilonOf(weights)),
  }),
};
