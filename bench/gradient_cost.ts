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
import { traceModel } from "../models/trace.ts";
import type { WeightSource } from "../models/formats/weights.ts";

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
