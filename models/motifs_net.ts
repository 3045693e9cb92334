/** The small network that comes with the program, trained on its own drawings (`motifs/train.py`). */
import { globalAveragePool, type Tensor } from "../ops/mod.ts";
import { AvgPool2d, BatchNorm2d, Conv2d, Linear, ReLU, Sequential } from "./layers.ts";
import { Module, type Scope } from "./module.ts";
import { parseSafetensors, type SafetensorsFile } from "./safetensors.ts";

/** Channels after each convolution; between two convolutions the map is halved. */
const CHANNELS = [16, 32, 64, 112, 128];

/** Drawn motifs, and a last class for drawings cut into tiles and shuffled. */
const CLASSES = 9;

/** The motifs network, [N,3,H,W] to [N,classes,1,1]; H and W at least 16, made for 96. */
export class MotifsNet extends Module {
  readonly type = "MotifsNet";
  readonly features: Sequential;
  readonly classifier: Linear;

  constructor({ classes = CLASSES }: { readonly classes?: number } = {}) {
    super();
    let inputs = 3;
    this.features = new Sequential(CHANNELS.flatMap((outputs, index) => {
      const block = [
        new Conv2d(inputs, outputs, 3, { padding: 1, bias: false }),
        new BatchNorm2d(outputs),
        new ReLU(),
      ];
      inputs = outputs;
      return index < CHANNELS.length - 1 ? [...block, new AvgPool2d(2)] : block;
    }));
    this.classifier = new Linear(inputs, classes);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(globalAveragePool(scope.run(x, this.features)), this.classifier);
  }
}

/** The weights beside this file; inside the program once it is compiled. */
export function motifsWeights(): SafetensorsFile {
  const url = new URL("./motifs/motifs.safetensors", import.meta.url);
  return parseSafetensors(Deno.readFileSync(url), "motifs.safetensors (built in)");
}
