/** The small network that comes with the program, trained on its own drawings (`motifs/train.ts`). */
import { readBeside } from "../../base/host.ts";
import { globalAveragePool, type Tensor } from "../../ops/mod.ts";
import { AvgPool2d, BatchNorm2d, Conv2d, Linear, ReLU, Sequential } from "../layers.ts";
import type { ModelEntry } from "../model.ts";
import { Module, type Scope } from "../module.ts";
import { parseSafetensors, type SafetensorsFile } from "../formats/safetensors.ts";

/** One for each kind of drawing. */
const CLASSES = 20;

/** Convolution without bias, batch norm, ReLU: [N,I,H,W] to [N,O,H,W]. */
function block(inputs: number, outputs: number): Module[] {
  return [
    new Conv2d(inputs, outputs, 3, { padding: 1, bias: false }),
    new BatchNorm2d(outputs),
    new ReLU(),
  ];
}

/** The motifs network, [N,3,H,W] to [N,20,1,1]; H and W at least 16, made for 96. */
export class MotifsNet extends Module {
  readonly type = "MotifsNet";
  readonly features = new Sequential([
    new Conv2d(3, 24, 6, { stride: 2, padding: 2, bias: false }),
    new BatchNorm2d(24),
    new ReLU(),
    ...[...block(24, 32), new AvgPool2d(2)],
    ...[...block(32, 64), new AvgPool2d(2)],
    ...[...block(64, 80), new AvgPool2d(2)],
    ...block(80, 96),
    ...block(96, 112),
  ]);
  readonly classifier: Linear;

  /** @param classes One more while it is trained. */
  constructor(classes = CLASSES) {
    super();
    this.classifier = new Linear(112, classes);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(globalAveragePool(scope.run(x, this.features)), this.classifier);
  }
}

/** The weights beside this file; inside the program once it is compiled, beside the script in a page. */
export async function motifsWeights(): Promise<SafetensorsFile> {
  const url = new URL("../motifs/motifs.safetensors", import.meta.url);
  return parseSafetensors(await readBeside(url), "motifs.safetensors (built in)");
}

/** The network as a registered one, the only one that brings its weights. */
export const MOTIFS: Readonly<Record<string, ModelEntry>> = {
  motifs: {
    inputSize: 96,
    minSize: 16,
    lastMap: "features.20",
    options: {},
    build: () => ({
      root: new MotifsNet(),
      normalisation: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
      builtInWeights: motifsWeights,
    }),
  },
};
