/** RegNet (Radosavovic et al., 2020, arXiv:2003.13678), as in torchvision. */
import { add, type Tensor } from "../../ops/mod.ts";
import {
  AdaptiveAvgPool2d,
  convNormActivation,
  divisible,
  Linear,
  NamedSequential,
  ReLU,
  type Sequential,
  Sigmoid,
  SqueezeExcitation,
} from "../layers.ts";
import { family } from "../model.ts";
import { Module, type Scope } from "../module.ts";

/** Blocks, first width, its slope and multiplier, channels of a group; with gates (Y) or without (X). */
type Design = readonly [
  depth: number,
  first: number,
  slope: number,
  multiplier: number,
  group: number,
  gated: 0 | 1,
];

const DESIGNS: Readonly<Record<string, Design>> = {
  regnet_y_400mf: [16, 48, 27.89, 2.09, 8, 1],
  regnet_y_800mf: [14, 56, 38.84, 2.4, 16, 1],
  regnet_y_1_6gf: [27, 48, 20.71, 2.65, 24, 1],
  regnet_y_3_2gf: [21, 80, 42.63, 2.66, 24, 1],
  regnet_y_8gf: [17, 192, 76.82, 2.19, 56, 1],
  regnet_y_16gf: [18, 200, 106.23, 2.48, 112, 1],
  regnet_y_32gf: [20, 232, 115.89, 2.53, 232, 1],
  regnet_y_128gf: [27, 456, 160.83, 2.52, 264, 1],
  regnet_x_400mf: [22, 24, 24.48, 2.54, 16, 0],
  regnet_x_800mf: [16, 56, 35.73, 2.28, 16, 0],
  regnet_x_1_6gf: [18, 80, 34.01, 2.25, 24, 0],
  regnet_x_3_2gf: [25, 88, 26.31, 2.25, 48, 0],
  regnet_x_8gf: [23, 80, 49.56, 2.88, 120, 0],
  regnet_x_16gf: [22, 216, 55.59, 2.1, 128, 0],
  regnet_x_32gf: [23, 320, 69.86, 2, 168, 0],
};

/** A stage: blocks of one width. */
interface Stage {
  readonly width: number;
  readonly blocks: number;
  /** Channels of a group. */
  readonly group: number;
}

/** Rounds to the nearest, halves to even, as Python and PyTorch do. */
function round(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest === 0.5 ? low + low % 2 : Math.round(value);
}

/** The widths of a design: a line, in steps of powers of the multiplier, in eights and in groups. */
function stagesOf([depth, first, slope, multiplier, group]: Design): Stage[] {
  const widths = Array.from({ length: depth }, (_, i) => {
    const power = round(Math.log((first + slope * i) / first) / Math.log(multiplier));
    return 8 * round(first * multiplier ** power / 8);
  });
  return [...new Set(widths)].map((width) => {
    const size = Math.min(group, width);
    const blocks = widths.filter((other) => other === width).length;
    return { width: divisible(width, size), blocks, group: size };
  });
}

/** 1x1, grouped 3x3, gate, 1x1 beside a shortcut: [N,I,H,W] to [N,O,H/stride,W/stride]. */
class ResBottleneckBlock extends Module {
  readonly type = "ResBottleneckBlock";
  readonly proj: Sequential | undefined;
  readonly f: NamedSequential;
  readonly activation = new ReLU();

  constructor(inputs: number, { width, group }: Stage, stride: number, gated: boolean) {
    super();
    if (inputs !== width || stride !== 1) {
      this.proj = convNormActivation(inputs, width, 1, { stride, activation: null });
    }
    const squeezed = round(inputs / 4);
    this.f = new NamedSequential([
      ["a", convNormActivation(inputs, width, 1)],
      ["b", convNormActivation(width, width, 3, { stride, groups: width / group })],
      ...(gated
        ? [["se", new SqueezeExcitation(width, squeezed, new ReLU(), new Sigmoid())] as const]
        : []),
      ["c", convNormActivation(width, width, 1, { activation: null })],
    ], "BottleneckTransform");
  }

  override children(): [name: string, child: Module][] {
    const proj: [string, Module][] = this.proj ? [["proj", this.proj]] : [];
    return [...proj, ["f", this.f], ["activation", this.activation]];
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const shortcut = this.proj ? scope.run(x, this.proj) : x;
    return scope.run(add(shortcut, scope.run(x, this.f)), this.activation);
  }
}

/** RegNet, [N,3,H,W] to [N,classes,1,1]; `trunk_output` is H/32 x W/32. */
export class RegNet extends Module {
  readonly type = "RegNet";
  readonly stem = convNormActivation(3, 32, 3, { stride: 2, type: "SimpleStemIN" });
  readonly trunk_output: NamedSequential;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly fc: Linear;

  constructor(design: Design, classes: number) {
    super();
    let channels = 32;
    const stages = stagesOf(design).map((stage, i): [string, Module] => {
      const blocks = Array.from({ length: stage.blocks }, (_, block): [string, Module] => {
        const inputs = channels;
        channels = stage.width;
        const gated = design[5] === 1;
        const made = new ResBottleneckBlock(inputs, stage, block === 0 ? 2 : 1, gated);
        return [`block${i + 1}-${block}`, made];
      });
      return [`block${i + 1}`, new NamedSequential(blocks, "AnyStage")];
    });
    this.trunk_output = new NamedSequential(stages);
    this.fc = new Linear(channels, classes);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(x, this.stem, this.trunk_output, this.avgpool, this.fc);
  }
}

/** The registered networks. */
export const REGNETS = family(
  { inputSize: 224, minSize: 1, lastMap: "trunk_output" },
  Object.fromEntries(
    Object.entries(DESIGNS).map(([name, design]) => [
      name,
      (classes: number) => new RegNet(design, classes),
    ]),
  ),
);
