/**
 * Inception v3 (Szegedy et al., 2015, arXiv:1512.00567), as in torchvision, and as in the network that
 * Google published in December 2015 (`inception-2015-12-05`).
 */
import { averagePool2d, concat, maxPool2d, type Pair, relu, type Tensor } from "../../ops/mod.ts";
import { AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, Linear, MaxPool2d } from "../layers.ts";
import { count, type Model, type ModelEntry, oneOf } from "../model.ts";
import { Module, type Scope } from "../module.ts";
import type { WeightSource } from "../formats/weights.ts";

/**
 * The pooling inside a block, 3x3 with stride 1; keeps the shape. Functional in torchvision, so it has
 * no name.
 */
type Pool = (x: Tensor) => Tensor;

function average3x3(countIncludePad: boolean): Pool {
  return (x) => averagePool2d(x, { kernel: 3, stride: 1, padding: 1, countIncludePad });
}

/** Convolution without bias, batch norm, ReLU: [N,I,H,W] to [N,O,H',W']. */
class BasicConv2d extends Module {
  readonly type = "BasicConv2d";
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;

  constructor(inputs: number, outputs: number, kernel: number | Pair, { stride = 1, padding = 0 }: {
    readonly stride?: number;
    readonly padding?: number | Pair;
  } = {}) {
    super();
    this.conv = new Conv2d(inputs, outputs, kernel, { stride, padding, bias: false });
    this.bn = new BatchNorm2d(outputs, 1e-3);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return relu(scope.run(x, this.conv, this.bn));
  }
}

/** 1x1, 5x5, twice 3x3 and pooling side by side: [N,I,H,W] to [N,224+P,H,W]. */
class InceptionA extends Module {
  readonly type = "InceptionA";
  readonly branch1x1: BasicConv2d;
  readonly branch5x5_1: BasicConv2d;
  readonly branch5x5_2 = new BasicConv2d(48, 64, 5, { padding: 2 });
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2 = new BasicConv2d(64, 96, 3, { padding: 1 });
  readonly branch3x3dbl_3 = new BasicConv2d(96, 96, 3, { padding: 1 });
  readonly branch_pool: BasicConv2d;
  readonly #pool: Pool;

  constructor(inputs: number, pooled: number, pool: Pool) {
    super();
    this.branch1x1 = new BasicConv2d(inputs, 64, 1);
    this.branch5x5_1 = new BasicConv2d(inputs, 48, 1);
    this.branch3x3dbl_1 = new BasicConv2d(inputs, 64, 1);
    this.branch_pool = new BasicConv2d(inputs, pooled, 1);
    this.#pool = pool;
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return concat([
      scope.run(x, this.branch1x1),
      scope.run(x, this.branch5x5_1, this.branch5x5_2),
      scope.run(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      scope.run(this.#pool(x), this.branch_pool),
    ]);
  }
}

/** Halves the map: [N,I,H,W] to [N,480+I,(H-1)/2,(W-1)/2]. */
class InceptionB extends Module {
  readonly type = "InceptionB";
  readonly branch3x3: BasicConv2d;
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2 = new BasicConv2d(64, 96, 3, { padding: 1 });
  readonly branch3x3dbl_3 = new BasicConv2d(96, 96, 3, { stride: 2 });

  constructor(inputs: number) {
    super();
    this.branch3x3 = new BasicConv2d(inputs, 384, 3, { stride: 2 });
    this.branch3x3dbl_1 = new BasicConv2d(inputs, 64, 1);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return concat([
      scope.run(x, this.branch3x3),
      scope.run(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      maxPool2d(x, { kernel: 3, stride: 2 }),
    ]);
  }
}

/** 1x1, 7x7 and twice 7x7, each as 1x7 and 7x1, and pooling: [N,768,H,W] to the same. */
class InceptionC extends Module {
  readonly type = "InceptionC";
  readonly branch1x1 = new BasicConv2d(768, 192, 1);
  readonly branch7x7_1: BasicConv2d;
  readonly branch7x7_2: BasicConv2d;
  readonly branch7x7_3: BasicConv2d;
  readonly branch7x7dbl_1: BasicConv2d;
  readonly branch7x7dbl_2: BasicConv2d;
  readonly branch7x7dbl_3: BasicConv2d;
  readonly branch7x7dbl_4: BasicConv2d;
  readonly branch7x7dbl_5: BasicConv2d;
  readonly branch_pool = new BasicConv2d(768, 192, 1);
  readonly #pool: Pool;

  /** @param width Channels inside the 7x7 branches. */
  constructor(width: number, pool: Pool) {
    super();
    const row = (outputs: number) => new BasicConv2d(width, outputs, [1, 7], { padding: [0, 3] });
    const column = (outputs: number) =>
      new BasicConv2d(width, outputs, [7, 1], { padding: [3, 0] });
    this.branch7x7_1 = new BasicConv2d(768, width, 1);
    this.branch7x7_2 = row(width);
    this.branch7x7_3 = column(192);
    this.branch7x7dbl_1 = new BasicConv2d(768, width, 1);
    this.branch7x7dbl_2 = column(width);
    this.branch7x7dbl_3 = row(width);
    this.branch7x7dbl_4 = column(width);
    this.branch7x7dbl_5 = row(192);
    this.#pool = pool;
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return concat([
      scope.run(x, this.branch1x1),
      scope.run(x, this.branch7x7_1, this.branch7x7_2, this.branch7x7_3),
      scope.run(
        x,
        ...[this.branch7x7dbl_1, this.branch7x7dbl_2, this.branch7x7dbl_3],
        ...[this.branch7x7dbl_4, this.branch7x7dbl_5],
      ),
      scope.run(this.#pool(x), this.branch_pool),
    ]);
  }
}

/** Halves the map: [N,768,H,W] to [N,1280,(H-1)/2,(W-1)/2]. */
class InceptionD extends Module {
  readonly type = "InceptionD";
  readonly branch3x3_1 = new BasicConv2d(768, 192, 1);
  readonly branch3x3_2 = new BasicConv2d(192, 320, 3, { stride: 2 });
  readonly branch7x7x3_1 = new BasicConv2d(768, 192, 1);
  readonly branch7x7x3_2 = new BasicConv2d(192, 192, [1, 7], { padding: [0, 3] });
  readonly branch7x7x3_3 = new BasicConv2d(192, 192, [7, 1], { padding: [3, 0] });
  readonly branch7x7x3_4 = new BasicConv2d(192, 192, 3, { stride: 2 });

  forward(x: Tensor, scope: Scope): Tensor {
    return concat([
      scope.run(x, this.branch3x3_1, this.branch3x3_2),
      scope.run(
        x,
        ...[this.branch7x7x3_1, this.branch7x7x3_2, this.branch7x7x3_3, this.branch7x7x3_4],
      ),
      maxPool2d(x, { kernel: 3, stride: 2 }),
    ]);
  }
}

/** 1x1, 3x3 and twice 3x3, the last each as 1x3 beside 3x1, and pooling: to [N,2048,H,W]. */
class InceptionE extends Module {
  readonly type = "InceptionE";
  readonly branch1x1: BasicConv2d;
  readonly branch3x3_1: BasicConv2d;
  readonly branch3x3_2a = new BasicConv2d(384, 384, [1, 3], { padding: [0, 1] });
  readonly branch3x3_2b = new BasicConv2d(384, 384, [3, 1], { padding: [1, 0] });
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2 = new BasicConv2d(448, 384, 3, { padding: 1 });
  readonly branch3x3dbl_3a = new BasicConv2d(384, 384, [1, 3], { padding: [0, 1] });
  readonly branch3x3dbl_3b = new BasicConv2d(384, 384, [3, 1], { padding: [1, 0] });
  readonly branch_pool: BasicConv2d;
  readonly #pool: Pool;

  constructor(inputs: number, pool: Pool) {
    super();
    this.branch1x1 = new BasicConv2d(inputs, 320, 1);
    this.branch3x3_1 = new BasicConv2d(inputs, 384, 1);
    this.branch3x3dbl_1 = new BasicConv2d(inputs, 448, 1);
    this.branch_pool = new BasicConv2d(inputs, 192, 1);
    this.#pool = pool;
  }

  forward(x: Tensor, scope: Scope): Tensor {
    const branch1x1 = scope.run(x, this.branch1x1);
    const branch3x3 = scope.run(x, this.branch3x3_1);
    const split3x3 = [
      scope.run(branch3x3, this.branch3x3_2a),
      scope.run(branch3x3, this.branch3x3_2b),
    ];
    const branch3x3dbl = scope.run(x, this.branch3x3dbl_1, this.branch3x3dbl_2);
    const split3x3dbl = [
      scope.run(branch3x3dbl, this.branch3x3dbl_3a),
      scope.run(branch3x3dbl, this.branch3x3dbl_3b),
    ];
    const pooled = scope.run(this.#pool(x), this.branch_pool);
    return concat([branch1x1, ...split3x3, ...split3x3dbl, pooled]);
  }
}

/** The second head on `Mixed_6e`. Only training runs it; it is here for its names and weights. */
class InceptionAux extends Module {
  readonly type = "InceptionAux";
  readonly conv0 = new BasicConv2d(768, 128, 1);
  readonly conv1 = new BasicConv2d(128, 768, 5);
  readonly fc: Linear;

  constructor(classes: number) {
    super();
    this.fc = new Linear(768, classes);
  }

  forward(): Tensor {
    throw new Error("InceptionAux is for training only");
  }
}

/** What tells one Inception v3 from another. */
export interface InceptionOptions {
  /**
   * `torchvision`: padding counts as zeros in the blocks' average poolings. `google`: it does not count,
   * and the pooling of `Mixed_7c` takes the maximum.
   */
  readonly variant?: "torchvision" | "google";
  /** Whether the second head is among the modules. Default true. */
  readonly auxLogits?: boolean;
  /** Classes of the heads. Default 1000. */
  readonly classes?: number;
}

/** Inception v3, [N,3,H,W] to [N,classes,1,1]; H and W at least 75. */
export class Inception3 extends Module {
  readonly type = "Inception3";
  readonly Conv2d_1a_3x3 = new BasicConv2d(3, 32, 3, { stride: 2 });
  readonly Conv2d_2a_3x3 = new BasicConv2d(32, 32, 3);
  readonly Conv2d_2b_3x3 = new BasicConv2d(32, 64, 3, { padding: 1 });
  readonly maxpool1 = new MaxPool2d(3, { stride: 2 });
  readonly Conv2d_3b_1x1 = new BasicConv2d(64, 80, 1);
  readonly Conv2d_4a_3x3 = new BasicConv2d(80, 192, 3);
  readonly maxpool2 = new MaxPool2d(3, { stride: 2 });
  readonly Mixed_5b: InceptionA;
  readonly Mixed_5c: InceptionA;
  readonly Mixed_5d: InceptionA;
  readonly Mixed_6a = new InceptionB(288);
  readonly Mixed_6b: InceptionC;
  readonly Mixed_6c: InceptionC;
  readonly Mixed_6d: InceptionC;
  readonly Mixed_6e: InceptionC;
  readonly AuxLogits: InceptionAux | undefined;
  readonly Mixed_7a = new InceptionD();
  readonly Mixed_7b: InceptionE;
  readonly Mixed_7c: InceptionE;
  readonly avgpool = new AdaptiveAvgPool2d(1);
  readonly dropout = new Dropout();
  readonly fc: Linear;

  constructor(
    { variant = "torchvision", auxLogits = true, classes = 1000 }: InceptionOptions = {},
  ) {
    super();
    const pool = average3x3(variant === "torchvision");
    const max3x3: Pool = (x) => maxPool2d(x, { kernel: 3, stride: 1, padding: 1 });
    this.Mixed_5b = new InceptionA(192, 32, pool);
    this.Mixed_5c = new InceptionA(256, 64, pool);
    this.Mixed_5d = new InceptionA(288, 64, pool);
    this.Mixed_6b = new InceptionC(128, pool);
    this.Mixed_6c = new InceptionC(160, pool);
    this.Mixed_6d = new InceptionC(160, pool);
    this.Mixed_6e = new InceptionC(192, pool);
    this.AuxLogits = auxLogits ? new InceptionAux(classes) : undefined;
    this.Mixed_7b = new InceptionE(1280, pool);
    this.Mixed_7c = new InceptionE(2048, variant === "google" ? max3x3 : pool);
    this.fc = new Linear(2048, classes);
  }

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(
      x,
      ...[this.Conv2d_1a_3x3, this.Conv2d_2a_3x3, this.Conv2d_2b_3x3, this.maxpool1],
      ...[this.Conv2d_3b_1x1, this.Conv2d_4a_3x3, this.maxpool2],
      ...[this.Mixed_5b, this.Mixed_5c, this.Mixed_5d],
      ...[this.Mixed_6a, this.Mixed_6b, this.Mixed_6c, this.Mixed_6d, this.Mixed_6e],
      ...[this.Mixed_7a, this.Mixed_7b, this.Mixed_7c],
      ...[this.avgpool, this.dropout, this.fc],
    );
  }
}

/** The registered network. */
export const INCEPTION: Readonly<Record<string, ModelEntry>> = {
  inception_v3: {
    inputSize: 299,
    minSize: 75,
    lastMap: "Mixed_7c",
    options: { variant: "", aux_logits: "", num_classes: "" },
    build: inception,
  },
};

function inception(
  options: Readonly<Record<string, string>>,
  weights: WeightSource | undefined,
): Pick<Model, "root" | "normalisation" | "options"> {
  const google = weights !== undefined && isGoogleInception(weights);
  const variant = oneOf("variant", ["torchvision", "google"], options.variant!) ??
    (google ? "google" : "torchvision");
  const auxLogits = oneOf("aux_logits", ["true", "false"], options.aux_logits!) ??
    String(variant === "torchvision");
  const classes = options.num_classes || (variant === "google" ? "1008" : "1000");
  // torchvision's own weights were trained on (pixel / 255 - 0.5) / 0.5; its `transform_input` turns
  // ImageNet's normalisation into that.
  const half = variant === "google" ? 128 / 255 : 0.5;
  return {
    root: new Inception3({
      variant,
      auxLogits: auxLogits === "true",
      classes: count("num_classes", classes),
    }),
    normalisation: { mean: [half, half, half], std: [half, half, half] },
    options: { variant, aux_logits: auxLogits, num_classes: classes },
  };
}

/**
 * Google's own network has 1008 classes; copies of it in inference form also have batch norms that do
 * nothing but add a bias (mean 0, all variances alike), which no trained batch norm does.
 */
function isGoogleInception(weights: WeightSource): boolean {
  if (weights.has("fc.weight")) return weights.shape("fc.weight")[0] === 1008;
  const norm = "Conv2d_1a_3x3.bn";
  if (!weights.has(`${norm}.running_mean`) || !weights.has(`${norm}.running_var`)) return false;
  const variance = weights.read(`${norm}.running_var`);
  return weights.read(`${norm}.running_mean`).every((mean) => mean === 0) &&
    variance.every((value) => value === variance[0]);
}
