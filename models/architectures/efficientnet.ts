/** EfficientNet (Tan & Le, 2019, arXiv:1905.11946) and V2 (arXiv:2104.00298), as in torchvision. */
import { add, type Tensor } from "../../ops/mod.ts";
import {
  AdaptiveAvgPool2d,
  convNormActivation,
  divisible,
  Dropout,
  Linear,
  Sequential,
  Sigmoid,
  SiLU,
  SqueezeExcitation,
  StochasticDepth,
} from "../layers.ts";
import { type Family, family, type ModelEntry } from "../model.ts";
import { Module, type Scope } from "../module.ts";

/** A stage: its block, expansion, kernel, first stride, channels inside and out, blocks. */
type Stage = readonly [
  block: "MBConv" | "FusedMBConv",
  expansion: number,
  kernel: number,
  stride: 1 | 2,
  inputs: number,
  outputs: number,
  blocks: number,
];

/** Of version 1 at width and depth 1. */
const BASE: readonly Stage[] = [
  ["MBConv", 1, 3, 1, 32, 16, 1],
  ["MBConv", 6, 3, 2, 16, 24, 2],
  ["MBConv", 6, 5, 2, 24, 40, 2],
  ["MBConv", 6, 3, 2, 40, 80, 3],
  ["MBConv", 6, 5, 1, 80, 112, 3],
  ["MBConv", 6, 5, 2, 112, 192, 4],
  ["MBConv", 6, 3, 1, 192, 320, 1],
];

const V2_S: readonly Stage[] = [
  ["FusedMBConv", 1, 3, 1, 24, 24, 2],
  ["FusedMBConv", 4, 3, 2, 24, 48, 4],
  ["FusedMBConv", 4, 3, 2, 48, 64, 4],
  ["MBConv", 4, 3, 2, 64, 128, 6],
  ["MBConv", 6, 3, 1, 128, 160, 9],
  ["MBConv", 6, 3, 2, 160, 256, 15],
];

const V2_M: readonly Stage[] = [
  ["FusedMBConv", 1, 3, 1, 24, 24, 3],
  ["FusedMBConv", 4, 3, 2, 24, 48, 5],
  ["FusedMBConv", 4, 3, 2, 48, 80, 5],
  ["MBConv", 4, 3, 2, 80, 160, 7],
  ["MBConv", 6, 3, 1, 160, 176, 14],
  ["MBConv", 6, 3, 2, 176, 304, 18],
  ["MBConv", 6, 3, 1, 304, 512, 5],
];

const V2_L: readonly Stage[] = [
  ["FusedMBConv", 1, 3, 1, 32, 32, 4],
  ["FusedMBConv", 4, 3, 2, 32, 64, 7],
  ["FusedMBConv", 4, 3, 2, 64, 96, 7],
  ["MBConv", 4, 3, 2, 96, 192, 10],
  ["MBConv", 6, 3, 1, 192, 224, 19],
  ["MBConv", 6, 3, 2, 224, 384, 25],
  ["MBConv", 6, 3, 1, 384, 640, 7],
];

/** Expand, convolve (channel by channel and gated, or at once), project: [N,I,H,W] to [N,O,H/s,W/s]. */
class Block extends Module {
  readonly type: string;
  readonly block: Sequential;
  readonly stochastic_depth = new StochasticDepth();
  readonly #shortcut: boolean;

  constructor(
    [type, expansion, kernel]: Stage,
    inputs: number,
    outputs: number,
    stride: number,
    epsilon: number,
  ) {
    super();
    this.type = type;
    this.#shortcut = stride === 1 && inputs === outputs;
    const expanded = divisible(inputs * expansion);
    const silu = () => ({ epsilon, activation: new SiLU() });
    const project = convNormActivation(expanded, outputs, 1, { epsilon, activation: null });
    if (type === "FusedMBConv") {
      this.block = new Sequential(
        expanded === inputs
          ? [convNormActivation(inputs, outputs, kernel, { ...silu(), stride })]
          : [convNormActivation(inputs, expanded, kernel, { ...silu(), stride }), project],
      );
      return;
    }
    const squeezed = Math.max(1, Math.floor(inputs / 4));
    this.block = new Sequential([
      ...(expanded === inputs ? [] : [convNormActivation(inputs, expanded, 1, silu())]),
      convNormActivation(expanded, expanded, kernel, { ...silu(), stride, groups: expanded }),
      new SqueezeExcitation(expanded, squeezed, new SiLU(), new Sigmoid()),
      project,
    ]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const y = scope.run(x, this.block);
    return this.#shortcut ? add(scope.run(y, this.stochastic_depth), x) : y;
  }
}

/** What tells one EfficientNet from another. */
interface Size {
  readonly stages: readonly Stage[];
  readonly width?: number;
  readonly depth?: number;
  /** Channels of the last convolution; four times those before by default. */
  readonly last?: number;
  readonly epsilon?: number;
}

/** EfficientNet, [N,3,H,W] to [N,classes,1,1]. */
export class EfficientNet extends Module {
  readonly type = "EfficientNet";
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly classifier: Sequential;

  constructor({ stages, width = 1, depth = 1, last, epsilon = 1e-5 }: Size, classes: number) {
    super();
    const wide = (channels: number) => divisible(channels * width);
    const silu = () => ({ epsilon, activation: new SiLU() });
    const layers = stages.map((stage) => {
      const [, , , stride, inputs, outputs, blocks] = stage;
      return new Sequential(Array.from({ length: Math.ceil(blocks * depth) }, (_, i) => {
        return i === 0
          ? new Block(stage, wide(inputs), wide(outputs), stride, epsilon)
          : new Block(stage, wide(outputs), wide(outputs), 1, epsilon);
      }));
    });
    const before = wide(stages.at(-1)![5]);
    const channels = last ?? 4 * before;
    this.features = new Sequential([
      convNormActivation(3, wide(stages[0]![4]), 3, { ...silu(), stride: 2 }),
      ...layers,
      convNormActivation(before, channels, 1, silu()),
    ]);
    this.classifier = new Sequential([new Dropout(), new Linear(channels, classes)]);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(x, this.features, this.avgpool, this.classifier);
  }
}

function network(name: string, size: Size, more: Partial<Family> = {}): Record<string, ModelEntry> {
  const lastMap = `features.${size.stages.length + 1}`;
  return family({ inputSize: 224, minSize: 1, lastMap, ...more }, {
    // timm adds 1e-5 where torchvision adds 1e-3.
    [name]: (classes, weights) =>
      new EfficientNet(weights?.naming === "timm" ? { ...size, epsilon: 1e-5 } : size, classes),
  });
}

/** Width, depth and side of the pictures of b0 to b7. */
const COMPOUND = [
  [1, 1, 224],
  [1, 1.1, 240],
  [1.1, 1.2, 288],
  [1.2, 1.4, 300],
  [1.4, 1.8, 380],
  [1.6, 2.2, 456],
  [1.8, 2.6, 528],
  [2, 3.1, 600],
] as const;

/** The registered networks. */
export const EFFICIENTNETS: Record<string, ModelEntry> = Object.assign(
  {},
  ...COMPOUND.map(([width, depth, inputSize], i) =>
    network(`efficientnet_b${i}`, {
      stages: BASE,
      width,
      depth,
      epsilon: i < 5 ? 1e-5 : 1e-3,
    }, { inputSize })
  ),
  network("efficientnet_v2_s", { stages: V2_S, last: 1280, epsilon: 1e-3 }, { inputSize: 384 }),
  network("efficientnet_v2_m", { stages: V2_M, last: 1280, epsilon: 1e-3 }, { inputSize: 480 }),
  network("efficientnet_v2_l", { stages: V2_L, last: 1280, epsilon: 1e-3 }, {
    inputSize: 480,
    normalisation: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  }),
);
