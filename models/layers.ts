/** The building blocks that networks share, named and parameterised as in `torch.nn`. */
import {
  adaptiveAveragePool2d,
  averagePool2d,
  type AveragePool2dOptions,
  batchNorm,
  conv2d,
  type Conv2dOptions,
  gelu,
  hardsigmoid,
  hardswish,
  layerNorm,
  linear,
  maxPool2d,
  type MaxPool2dOptions,
  mul,
  type Pair,
  relu,
  relu6,
  sigmoid,
  silu,
  type Tensor,
} from "../ops/mod.ts";
import { UserError } from "../base/errors.ts";
import { Module, type Scope } from "./module.ts";

/** 2-D convolution, [N,I,H,W] to [N,O,H',W']. Weights: `weight` [O,I/groups,kh,kw], `bias` [O]. */
export class Conv2d extends Module {
  /** The class in PyTorch. */
  readonly type = "Conv2d";
  readonly #inputs: number;
  readonly #outputs: number;
  readonly #kernel: Pair;
  readonly #bias: boolean;
  readonly #options: Conv2dOptions;

  /**
   * A layer of these sizes, as `torch.nn` has them.
   *
   * @param kernel Rows and columns of the window.
   * @param options `bias`: whether there is one. Default true.
   */
  constructor(
    inputs: number,
    outputs: number,
    kernel: number | Pair,
    { bias = true, ...options }: Conv2dOptions & { readonly bias?: boolean } = {},
  ) {
    super();
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#kernel = pair(kernel);
    this.#bias = bias;
    this.#options = options;
  }

  /** Its weights. */
  override parameters(): Record<string, readonly number[]> {
    const { groups = 1 } = this.#options;
    const weight = [this.#outputs, this.#inputs / groups, ...this.#kernel];
    return this.#bias ? { weight, bias: [this.#outputs] } : { weight };
  }

  /** Adds it to the graph. */
  forward(x: Tensor, scope: Scope): Tensor {
    const weight = scope.parameter(this, "weight");
    const bias = this.#bias ? scope.parameter(this, "bias") : undefined;
    return conv2d(x, weight, bias, this.#options);
  }
}

/**
 * Batch normalisation with the statistics of the training, [N,C,H,W] to the same. Weights: `weight`,
 * `bias`, `running_mean`, `running_var`, all [C].
 */
export class BatchNorm2d extends Module {
  /** The class in PyTorch. */
  readonly type = "BatchNorm2d";
  readonly #channels: number;
  /** Added to the variance. */
  readonly epsilon: number;

  /**
   * A layer of these sizes, as `torch.nn` has them.
   *
   * @param epsilon Added to the variance.
   */
  constructor(channels: number, epsilon = 1e-5) {
    super();
    this.#channels = channels;
    this.epsilon = epsilon;
  }

  /** Its weights. */
  override parameters(): Record<string, readonly number[]> {
    const shape = [this.#channels];
    return { weight: shape, bias: shape, running_mean: shape, running_var: shape };
  }

  /** Adds it to the graph. */
  forward(x: Tensor, scope: Scope): Tensor {
    return batchNorm(x, {
      weight: scope.parameter(this, "weight"),
      bias: scope.parameter(this, "bias"),
      mean: scope.parameter(this, "running_mean"),
      variance: scope.parameter(this, "running_var"),
      epsilon: this.epsilon,
    });
  }
}

/** max(x, 0), any shape. */
export class ReLU extends Module {
  /** The class in PyTorch. */
  readonly type = "ReLU";

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** min(max(x, 0), 6), any shape. */
export class ReLU6 extends Module {
  /** The class in PyTorch. */
  readonly type = "ReLU6";

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return relu6(x);
  }
}

/** x·relu6(x + 3)/6, any shape. */
export class Hardswish extends Module {
  /** The class in PyTorch. */
  readonly type = "Hardswish";

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return hardswish(x);
  }
}

/** relu6(x + 3)/6, any shape. */
export class Hardsigmoid extends Module {
  /** The class in PyTorch. */
  readonly type = "Hardsigmoid";

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return hardsigmoid(x);
  }
}

/** 1/(1 + e⁻ˣ), any shape. */
export class Sigmoid extends Module {
  /** The class in PyTorch. */
  readonly type = "Sigmoid";

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** x/(1 + e⁻ˣ), any shape. */
export class SiLU extends Module {
  /** The class in PyTorch. */
  readonly type = "SiLU";

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** x·Φ(x), any shape. */
export class GELU extends Module {
  /** The class in PyTorch. */
  readonly type = "GELU";

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return gelu(x);
  }
}

/** The largest element of each window, [N,C,H,W] to [N,C,H',W']. */
export class MaxPool2d extends Module {
  /** The class in PyTorch. */
  readonly type = "MaxPool2d";
  readonly #window: MaxPool2dOptions;

  /**
   * A layer of these sizes, as `torch.nn` has them.
   *
   * @param kernel Rows and columns of the window.
   */
  constructor(kernel: number | Pair, options: Omit<MaxPool2dOptions, "kernel"> = {}) {
    super();
    this.#window = { kernel, ...options };
  }

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.#window);
  }
}

/** The mean of each window, [N,C,H,W] to [N,C,H',W']. */
export class AvgPool2d extends Module {
  /** The class in PyTorch. */
  readonly type = "AvgPool2d";
  readonly #window: AveragePool2dOptions;

  /**
   * A layer of these sizes, as `torch.nn` has them.
   *
   * @param kernel Rows and columns of the window.
   */
  constructor(kernel: number | Pair, options: Omit<AveragePool2dOptions, "kernel"> = {}) {
    super();
    this.#window = { kernel, ...options };
  }

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return averagePool2d(x, this.#window);
  }
}

/** The mean over parts of the map of about equal size, [N,C,H,W] to [N,C,h,w]. */
export class AdaptiveAvgPool2d extends Module {
  /** The class in PyTorch. */
  readonly type = "AdaptiveAvgPool2d";
  readonly #size: Pair;

  /**
   * A layer of these sizes, as `torch.nn` has them.
   *
   * @param size Rows and columns of the result.
   */
  constructor(size: number | Pair) {
    super();
    this.#size = pair(size);
  }

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return adaptiveAveragePool2d(x, this.#size);
  }
}

/** Nothing, at the time of use; any shape. */
export class Dropout extends Module {
  /** The class in PyTorch. */
  readonly type = "Dropout";

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return x;
  }
}

/** Nothing; any shape. */
export class Identity extends Module {
  /** The class in PyTorch. */
  readonly type = "Identity";

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * PyTorch's step from [N,C,H,W] to [N,C·H·W]. Here tensors keep their four sizes, and
 * {@linkcode Linear} flattens what it gets; so this does nothing.
 */
export class Flatten extends Module {
  /** The class in PyTorch. */
  readonly type = "Flatten";

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * A matrix product over everything but the batch, [N,C,H,W] with C·H·W = I to [N,O,1,1]. Weights:
 * `weight` [O,I], `bias` [O].
 */
export class Linear extends Module {
  /** The class in PyTorch. */
  readonly type = "Linear";
  readonly #inputs: number;
  readonly #outputs: number;

  /** A layer of these sizes, as `torch.nn` has them. */
  constructor(inputs: number, outputs: number) {
    super();
    this.#inputs = inputs;
    this.#outputs = outputs;
  }

  /** Its weights. */
  override parameters(): Record<string, readonly number[]> {
    return { weight: [this.#outputs, this.#inputs], bias: [this.#outputs] };
  }

  /**
   * Adds it to the graph.
   *
   * @throws {UserError} If the input has other than I elements.
   */
  forward(x: Tensor, scope: Scope): Tensor {
    const [, channels, height, width] = x.shape;
    if (channels * height * width !== this.#inputs) {
      throw new UserError(
        `Linear expects ${this.#inputs} inputs, got ${channels}x${height}x${width}`,
      );
    }
    const bias = scope.parameter(this, "bias");
    if (height === 1 && width === 1) return linear(x, scope.parameter(this, "weight"), bias);
    // Over a map that is not flattened it is a convolution with one window, as large as the map.
    const weight = scope.parameter(this, "weight", [this.#outputs, channels, height, width]);
    return conv2d(x, weight, bias, {});
  }
}

/**
 * Layer normalisation over the channels of each pixel, [N,C,H,W] to the same. Weights: `weight`,
 * `bias`, [C].
 */
export class LayerNorm extends Module {
  /** The class in PyTorch. */
  readonly type: string;
  readonly #channels: number;
  readonly #epsilon: number;

  /**
   * A layer of these sizes, as `torch.nn` has them.
   *
   * @param type `LayerNorm2d` for torchvision's own.
   */
  constructor(channels: number, epsilon: number, type = "LayerNorm") {
    super();
    this.type = type;
    this.#channels = channels;
    this.#epsilon = epsilon;
  }

  /** Its weights. */
  override parameters(): Record<string, readonly number[]> {
    return { weight: [this.#channels], bias: [this.#channels] };
  }

  /** Adds it to the graph. */
  forward(x: Tensor, scope: Scope): Tensor {
    return layerNorm(x, {
      weight: scope.parameter(this, "weight"),
      bias: scope.parameter(this, "bias"),
      epsilon: this.#epsilon,
    });
  }
}

/**
 * Squeeze and excitation (Hu et al. 2017), as in torchvision: each channel times a gate made of the
 * means of all, [N,C,H,W] to the same.
 */
export class SqueezeExcitation extends Module {
  /** The class in PyTorch. */
  readonly type = "SqueezeExcitation";
  /** The mean over the picture. */
  readonly avgpool = new AdaptiveAvgPool2d(1);
  /** Fewer channels. */
  readonly fc1: Conv2d;
  /** As many as before. */
  readonly fc2: Conv2d;
  /** Between them. */
  readonly activation: Module;
  /** What makes a gate of the last. */
  readonly scale_activation: Module;

  /**
   * A layer of these sizes, as `torch.nn` has them.
   *
   * @param squeezed Channels in between.
   */
  constructor(channels: number, squeezed: number, activation: Module, gate: Module) {
    super();
    this.fc1 = new Conv2d(channels, squeezed, 1);
    this.fc2 = new Conv2d(squeezed, channels, 1);
    this.activation = activation;
    this.scale_activation = gate;
  }

  /** Adds it to the graph. */
  forward(x: Tensor, scope: Scope): Tensor {
    const gate = scope.run(
      x,
      ...[this.avgpool, this.fc1, this.activation, this.fc2, this.scale_activation],
    );
    return mul(x, gate);
  }
}

/** Nothing, at the time of use: a residual branch that is left out at random in training. */
export class StochasticDepth extends Module {
  /** The class in PyTorch. */
  readonly type = "StochasticDepth";

  /** Adds it to the graph. */
  forward(x: Tensor): Tensor {
    return x;
  }
}

/** What a convolution in {@linkcode ConvNormActivation} has beside it. */
export interface ConvNormActivationOptions {
  /** Pixels from one window to the next (1). */
  readonly stride?: number;
  /** Groups of channels (1). */
  readonly groups?: number;
  /** Added to the batch norm's variance (1e-5). */
  readonly epsilon?: number;
  /** What follows; nothing for null, ReLU by default. */
  readonly activation?: Module | null;
  /** For subclasses of torchvision's module. */
  readonly type?: string;
}

/** torchvision's `Conv2dNormActivation`: convolution, batch norm, activation; keeps the size but for its stride. */
export function convNormActivation(
  inputs: number,
  outputs: number,
  kernel: number,
  {
    stride = 1,
    groups = 1,
    epsilon = 1e-5,
    activation = new ReLU(),
    type = "Conv2dNormActivation",
  }: ConvNormActivationOptions = {},
): Sequential {
  const padding = (kernel - 1) / 2;
  return new Sequential([
    new Conv2d(inputs, outputs, kernel, { stride, padding, groups, bias: false }),
    new BatchNorm2d(outputs, epsilon),
    ...(activation ? [activation] : []),
  ], type);
}

/** The multiple of 8 nearest to a number of channels, not a tenth less: torchvision's `_make_divisible`. */
export function divisible(channels: number, by = 8): number {
  const nearest = Math.max(by, Math.floor((channels + by / 2) / by) * by);
  return nearest < 0.9 * channels ? nearest + by : nearest;
}

/** Modules one after another, with names. */
export class NamedSequential extends Module {
  /** The class in PyTorch. */
  readonly type: string;
  readonly #modules: readonly (readonly [name: string, module: Module])[];

  /**
   * A layer of these sizes, as `torch.nn` has them.
   *
   * @param type For torchvision's subclasses of Sequential.
   */
  constructor(modules: readonly (readonly [string, Module])[], type = "Sequential") {
    super();
    this.type = type;
    this.#modules = modules;
  }

  /** The modules, in order. */
  override children(): [name: string, child: Module][] {
    return this.#modules.map(([name, module]) => [name, module]);
  }

  /** Adds it to the graph. */
  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(x, ...this.#modules.map(([, module]) => module));
  }
}

/** Modules one after another. Children are named `0`, `1`, ... */
export class Sequential extends Module {
  /** The class in PyTorch. */
  readonly type: string;
  readonly #modules: readonly Module[];

  /**
   * A layer of these sizes, as `torch.nn` has them.
   *
   * @param type For torchvision's subclasses of Sequential.
   */
  constructor(modules: readonly Module[], type = "Sequential") {
    super();
    this.type = type;
    this.#modules = modules;
  }

  /** The modules, in order. */
  override children(): [name: string, child: Module][] {
    return this.#modules.map((module, index) => [String(index), module]);
  }

  /** Adds it to the graph. */
  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(x, ...this.#modules);
  }
}

function pair(value: number | Pair): Pair {
  return typeof value === "number" ? [value, value] : value;
}
