/** What the gradient of a whole network costs: the steps of `mindseye bench`. */
import type { Gpu } from "../kernels/runtime/device.ts";
import { convolutionOperations } from "./kernel_cost.ts";
import { type Cost, measureCost, type MeasureOptions } from "../ops/tuning/measure.ts";
import {
  compile,
  constant,
  globalAveragePool,
  gradients,
  mul,
  type Program,
  Random,
  type Shape,
  sizeOf,
  type Tensor,
  Variable,
} from "../ops/mod.ts";
import { findModule } from "../models/names.ts";
import type { Model } from "../models/registry.ts";
import { traceModel, type WeightSource } from "../models/trace.ts";

/** The last feature map of each network: what is measured when no layer is named. */
export const LAST_LAYERS: Readonly<Record<string, string>> = {
  motifs: "features.20",
  squeezenet1_0: "features.12",
  squeezenet1_1: "features.12",
  resnet18: "layer4",
  resnet34: "layer4",
  resnet50: "layer4",
  resnet101: "layer4",
  resnet152: "layer4",
  wide_resnet50_2: "layer4",
  wide_resnet101_2: "layer4",
  mobilenet_v2: "features.18",
  inception_v3: "Mixed_7c",
  alexnet: "features.12",
  vgg11: "features.20",
  vgg11_bn: "features.28",
  vgg13: "features.24",
  vgg13_bn: "features.34",
  vgg16: "features.30",
  vgg16_bn: "features.43",
  vgg19: "features.36",
  vgg19_bn: "features.52",
  cifar10_resnet20: "layer3",
  cifar10_resnet32: "layer3",
  cifar10_resnet44: "layer3",
  cifar10_resnet56: "layer3",
  cifar10_resnet110: "layer3",
};

/** A gradient to measure. */
export interface GradientCase {
  readonly model: Model;
  readonly weights: WeightSource;
  /** Up to which layer. */
  readonly layer: string;
  /** Pictures at once. */
  readonly pictures: number;
  /** Their side in pixels. */
  readonly size: number;
}

/** What it cost. */
export interface GradientCost {
  /** Seconds of one gradient. */
  readonly cost: Cost;
  /** Seconds until the first one was there, by the clock on the wall. */
  readonly first: number;
  /** Operations of its convolutions by their definition, a multiply-add counts as two. */
  readonly operations: number;
  /** Planned device memory for everything but weights. */
  readonly planBytes: number;
  /** Device memory for weights. */
  readonly constantBytes: number;
}

/** A gradient ready to compute. */
export interface OpenGradient extends Disposable {
  readonly program: Program;
  /** The gradient. */
  readonly dx: Tensor;
}

/** Compiles the gradient of a weighted sum of a layer's pooled map with respect to the pictures. */
export async function openGradient(
  gpu: Gpu,
  { model, weights, layer, pictures, size }: GradientCase,
): Promise<OpenGradient> {
  const random = new Random(5);
  const noise = (shape: Shape) =>
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-1, 1));
  using owned = new DisposableStack();
  const x = owned.use(new Variable(gpu, [pictures, 3, size, size]));
  x.write(noise(x.shape));
  const pooled = globalAveragePool(findModule(traceModel(model, x.tensor, weights), layer).output);
  const direction: Shape = [1, pooled.shape[1], 1, 1];
  const loss = mul(pooled, constant(direction, () => noise(direction)));
  const [dx] = gradients(loss, [x.tensor]) as [Tensor];
  const program = owned.use(await compile(gpu, { outputs: [dx] }));
  const kept = owned.move();
  return { program, dx, [Symbol.dispose]: () => kept.dispose() };
}

/** Measures a gradient. */
export async function gradientCost(
  gpu: Gpu,
  gradientCase: GradientCase,
  options?: MeasureOptions,
): Promise<GradientCost> {
  const started = performance.now();
  using gradient = await openGradient(gpu, gradientCase);
  const { program, dx } = gradient;
  program.run();
  await gpu.device.queue.onSubmittedWorkDone();
  const first = (performance.now() - started) / 1e3;
  return {
    cost: await measureCost(gpu, (pass) => program.encode(pass), options),
    first,
    operations: convolutionOperations([dx]),
    planBytes: program.planBytes,
    constantBytes: program.constantBytes,
  };
}
