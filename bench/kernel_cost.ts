/**
 * What each kernel costs on this machine, beside the most it can do: rows of `mindseye bench` and of
 * `deno bench`.
 */
import type { Ceiling } from "./ceiling.ts";
import type { Gpu } from "../kernels/runtime/device.ts";
import { averagePool2d } from "../ops/pool/average_pool2d.ts";
import { compile } from "../ops/compiler/compile.ts";
import { conv2d, type Conv2dOptions } from "../ops/conv2d/conv2d.ts";
import { variantsOf } from "../ops/conv2d/variants.ts";
import type { Variant } from "../ops/graph/convolution.ts";
import { mul, multiplyAdd, relu } from "../ops/element/elementwise.ts";
import { gaussianBlur, gaussianKernel } from "../ops/image/gaussian_blur.ts";
import { ancestors } from "../ops/autograd/gradient.ts";
import { maxPool2d } from "../ops/pool/max_pool2d.ts";
import { type Cost, measureCost, type MeasureOptions, secondsOf } from "../ops/tuning/measure.ts";
import type { Operation } from "../ops/graph/operation.ts";
import { OPERATIONS } from "../ops/autograd/operations.ts";
import type { Program } from "../ops/compiler/program.ts";
import { Random } from "../base/random.ts";
import { sum } from "../ops/element/sum.ts";
import { constant, isOp, type Shape, sizeOf, type Tensor } from "../ops/graph/tensor.ts";
import { tvDenoise } from "../ops/image/tv_denoise.ts";
import { Variable } from "../ops/graph/variable.ts";
import { warp } from "../ops/image/warp.ts";

/** Something whose cost is measured. */
export interface KernelCase {
  /** What is computed. */
  readonly name: string;
  /** On what. */
  readonly shape: string;
  /** Builds it; `random` gives operands that live on the device. */
  readonly build: (random: (shape: Shape) => Tensor) => Tensor;
}

/** What a case cost. */
export interface KernelResult {
  /** As in its case. */
  readonly name: string;
  /** As in its case. */
  readonly shape: string;
  /** The variants its convolutions took, or its kernels. */
  readonly variant: string;
  /** Seconds of one run. */
  readonly cost: Cost;
  /** Operations of its convolutions by their definition, a multiply-add counts as two; 0 if it has none. */
  readonly operations: number;
  /** Bytes of its operands and its result, each counted once. */
  readonly bytes: number;
}

/** The gradient of y's first input, given that of y: only what has to be computed once that is known. */
function inputGradient(y: Tensor, dy: Tensor): Tensor {
  const operation = OPERATIONS[y.op] as Operation<typeof y.op>;
  if (typeof operation.gradient === "string") throw new TypeError(operation.gradient);
  return operation.gradient(y, dy, y.inputs.map((_, i) => i === 0))[0]!;
}

/** Random numbers from −1 to 1, times a scale; the same for the same shape. */
function randomValues(shape: Shape, scale = 1): Float32Array {
  const random = new Random(shape.reduce((hash, size) => hash * 31 + size, 7));
  return Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-scale, scale));
}

/** An operation forward, and its input gradient. */
function bothWays(
  name: string,
  shape: string,
  x: Shape,
  operation: (x: Tensor) => Tensor,
): KernelCase[] {
  return [
    { name, shape, build: (random) => operation(random(x)) },
    {
      name: `${name}, input gradient`,
      shape,
      build: (random) => {
        const y = operation(random(x));
        return inputGradient(y, random(y.shape));
      },
    },
  ];
}

function convolution(
  name: string,
  inputs: number,
  outputs: number,
  size: number,
  kernel: number,
  options: Conv2dOptions = {},
): KernelCase[] {
  const shape: Shape = [outputs, inputs / (options.groups ?? 1), kernel, kernel];
  const scale = Math.sqrt(6 / (shape[1] * kernel ** 2));
  const padding = Math.floor(kernel / 2);
  const weight = constant(shape, () => randomValues(shape, scale));
  return bothWays(
    name,
    `${inputs}→${outputs} @${size}²`,
    [1, inputs, size, size],
    (x) => conv2d(x, weight, undefined, { padding, ...options }),
  );
}

/**
 * The kernels that a step of the method spends its time in, on the shapes of common networks.
 *
 * @param shrink divides the sides of all pictures, to try the measuring itself
 */
export function kernelCases(shrink = 1): KernelCase[] {
  const side = (size: number) => Math.max(4, Math.round(size / shrink));
  const numbers = (values: readonly number[]): Tensor =>
    constant([1, values.length, 1, 1], () => Float32Array.from(values));
  const pictures: Shape = [3, 3, side(224), side(224)];
  const maps: Shape = [1, 64, side(56), side(56)];
  const stem: Shape = [1, 64, side(112), side(112)];
  const tile = `3 × 3 @${pictures[2]}²`;
  return [
    ...convolution("3×3 convolution", 64, 64, side(56), 3),
    ...convolution("3×3 convolution", 128, 128, side(28), 3),
    ...convolution("3×3 convolution", 256, 256, side(14), 3),
    ...convolution("3×3 convolution", 512, 512, side(7), 3),
    ...convolution("3×3 convolution, stride 2", 64, 128, side(56), 3, { stride: 2 }),
    ...convolution("1×1 convolution", 256, 64, side(56), 1),
    ...convolution("1×1 convolution", 64, 256, side(56), 1),
    ...convolution("1×1 convolution, stride 2", 64, 128, side(56), 1, { stride: 2 }),
    ...convolution("7×7 convolution, stride 2", 3, 64, side(224), 7, { stride: 2 }),
    ...convolution("3×3 convolution, stride 2", 3, 64, side(224), 3, { stride: 2 }),
    ...convolution("3×3 depthwise convolution", 192, 192, side(28), 3, { groups: 192 }),
    ...convolution("3×3 convolution, 32 groups", 128, 128, side(56), 3, { groups: 32 }),
    ...bothWays(
      "max pool 3×3, stride 2",
      `64 @${stem[2]}²`,
      stem,
      (x) => maxPool2d(x, { kernel: 3, stride: 2, padding: 1 }),
    ),
    ...bothWays(
      "average pool 3×3",
      `64 @${maps[2]}²`,
      maps,
      (x) => averagePool2d(x, { kernel: 3, stride: 1, padding: 1 }),
    ),
    {
      name: "global average pool",
      shape: `64 @${maps[2]}²`,
      build: (random) => sum(random(maps), [2, 3]),
    },
    {
      name: "multiply-add, per channel",
      shape: `64 @${maps[2]}²`,
      build: (random) => multiplyAdd(random(maps), random([1, 64, 1, 1]), random([1, 64, 1, 1])),
    },
    {
      name: "multiply",
      shape: `64 @${stem[2]}²`,
      build: (random) => mul(random(stem), random(stem)),
    },
    ...bothWays("relu", `64 @${stem[2]}²`, stem, relu),
    ...bothWays("warp", tile, pictures, (x) => warp(x, numbers([0.99, 0.05, 0.8, -0.05, 0.99, 1]))),
    {
      name: "Gaussian blur, radius 3",
      shape: tile,
      build: (random) =>
        gaussianBlur(random(pictures), constant([1, 4, 1, 1], () => gaussianKernel(1, 3))),
    },
    {
      name: "total-variation denoising, 10 sweeps",
      shape: tile,
      // eps below 0: it never stops early.
      build: (random) => tvDenoise(random(pictures), numbers([4, -1]), 10),
    },
  ];
}

/** Multiplications and additions of all convolutions behind a tensor, counted by their definition. */
export function convolutionOperations(tensors: readonly Tensor[]): number {
  let operations = 0;
  for (const tensor of ancestors(tensors)) {
    if (!isOp(tensor, "conv2d") && !isOp(tensor, "conv2dInputGradient")) continue;
    const weight = tensor.inputs[1]!.shape;
    const y = isOp(tensor, "conv2d") ? tensor.shape : tensor.inputs[0]!.shape;
    operations += 2 * y[0] * y[2] * y[3] * sizeOf(weight);
  }
  return operations;
}

/** `winograd4 4×14/16`: the algorithm, quads of channels × pixels of a tile, invocations. */
export function nameVariant({ algorithm, tile }: Variant): string {
  return `${algorithm} ${tile.quads}×${tile.pixels}/${tile.workgroup}`;
}

/** A case ready to run. */
export interface OpenKernel extends Disposable {
  readonly program: Program;
  /** What it computes. */
  readonly y: Tensor;
  /** The variants its convolutions took. */
  readonly variants: readonly string[];
}

/** Compiles a case. */
export async function openKernel(gpu: Gpu, { build }: KernelCase): Promise<OpenKernel> {
  using owned = new DisposableStack();
  const y = build((size) => {
    const variable = owned.use(new Variable(gpu, size));
    variable.write(randomValues(size));
    return variable.tensor;
  });
  const variants = new Set<string>();
  const choose = variantsOf(gpu);
  const program = owned.use(
    await compile(gpu, {
      outputs: [y],
      choose: (device, geometry) => {
        const variant = choose(device, geometry);
        variants.add(nameVariant(variant));
        return variant;
      },
    }),
  );
  const kept = owned.move();
  return { program, y, variants: [...variants], [Symbol.dispose]: () => kept.dispose() };
}

/** Measures a case. */
export async function kernelCost(
  gpu: Gpu,
  kernelCase: KernelCase,
  options?: MeasureOptions,
): Promise<KernelResult> {
  const { name, shape } = kernelCase;
  using kernel = await openKernel(gpu, kernelCase);
  const { program, y, variants } = kernel;
  const cost = await measureCost(gpu, (pass) => program.encode(pass), options);
  const leaves = ancestors([y]).filter(({ inputs }) => inputs.length === 0);
  return {
    name,
    shape,
    variant: (variants.length > 0 ? variants : [...new Set(program.kernelNames)]).join(", "),
    cost,
    operations: convolutionOperations([y]),
    bytes: 4 * [y, ...leaves].reduce((total, tensor) => total + sizeOf(tensor.shape), 0),
  };
}

/** What a result reaches of the most an adapter does, in the seconds that count on it. */
export function rates(gpu: Gpu, { cost, operations, bytes }: KernelResult, ceiling: Ceiling) {
  const seconds = secondsOf(gpu, cost);
  return {
    /** 10⁹ operations a second. */
    gflops: operations / seconds / 1e9,
    /** Of the peak. */
    ofPeak: operations / seconds / ceiling.operations,
    /** 10⁹ bytes a second. */
    gbs: bytes / seconds / 1e9,
    /** Of a copy. */
    ofCopy: bytes / seconds / ceiling.bytes,
  };
}
