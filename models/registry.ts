/** The networks by name, and what each wants to be fed. */
import { UserError } from "../base/errors.ts";
import { AlexNet } from "./architectures/alexnet.ts";
import { CifarResNet } from "./architectures/cifar_resnet.ts";
import { Inception3 } from "./architectures/inception.ts";
import { MobileNetV2 } from "./architectures/mobilenet.ts";
import type { Module } from "./module.ts";
import { MotifsNet, motifsWeights } from "./architectures/motifs_net.ts";
import { nearest } from "../base/nearest.ts";
import { ResNet, type ResNetOptions } from "./architectures/resnet.ts";
import type { SafetensorsFile } from "./formats/safetensors.ts";
import { SqueezeNet } from "./architectures/squeezenet.ts";
import type { WeightSource } from "./trace.ts";
import { VGG } from "./architectures/vgg.ts";

/** The network expects (pixel / 255 - mean) / std, per channel in the order red, green, blue. */
export interface Normalisation {
  /** What is subtracted, in units of the whole range. */
  readonly mean: readonly [number, number, number];
  /** What it is divided by, in units of the whole range. */
  readonly std: readonly [number, number, number];
}

/** A network ready to be traced. */
export interface Model {
  /** Its name in {@linkcode MODELS}. */
  readonly name: string;
  /** The tree of modules. */
  readonly root: Module;
  /** How pictures must be scaled. */
  readonly normalisation: Normalisation;
  /** Side of the pictures it was made for, in pixels. */
  readonly inputSize: number;
  /** Smallest side from which its last feature map comes out, in pixels. */
  readonly minSize: number;
  /** The options in effect, chosen, found out or default; for the record of a run. */
  readonly options: Readonly<Record<string, string>>;
  /** Opens the weights that come with the program, for the model that has some. */
  readonly builtInWeights?: () => Promise<SafetensorsFile>;
}

/** One entry of {@linkcode MODELS}. */
export interface ModelEntry {
  /** Side of the pictures it was made for, in pixels. */
  readonly inputSize: number;
  /** Smallest side from which its last feature map comes out, in pixels. */
  readonly minSize: number;
  /** The options with their default; `""` where the default depends on the weights. */
  readonly options: Readonly<Record<string, string>>;
  /** Builds the network; `options` hold a value for each option, `""` if the default was `""`. */
  readonly build: (
    options: Readonly<Record<string, string>>,
    weights: WeightSource | undefined,
  ) => Pick<Model, "root"> & Partial<Model>;
}

const IMAGENET: Normalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Every network by name. */
export const MODELS: Readonly<Record<string, ModelEntry>> = {
  motifs: {
    inputSize: 96,
    minSize: 16,
    options: {},
    build: () => ({
      root: new MotifsNet(),
      normalisation: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
      builtInWeights: motifsWeights,
    }),
  },
  squeezenet1_0: plain(224, 21, (classes) => new SqueezeNet("1_0", { classes })),
  squeezenet1_1: plain(224, 17, (classes) => new SqueezeNet("1_1", { classes })),
  resnet18: resnet("BasicBlock", [2, 2, 2, 2]),
  resnet34: resnet("BasicBlock", [3, 4, 6, 3]),
  resnet50: resnet("Bottleneck", [3, 4, 6, 3]),
  resnet101: resnet("Bottleneck", [3, 4, 23, 3]),
  resnet152: resnet("Bottleneck", [3, 8, 36, 3]),
  wide_resnet50_2: resnet("Bottleneck", [3, 4, 6, 3], 2),
  wide_resnet101_2: resnet("Bottleneck", [3, 4, 23, 3], 2),
  mobilenet_v2: plain(224, 1, (classes) => new MobileNetV2({ classes })),
  inception_v3: {
    inputSize: 299,
    minSize: 75,
    options: { variant: "", aux_logits: "", num_classes: "" },
    build: inception,
  },
  alexnet: plain(224, 63, (classes) => new AlexNet({ classes })),
  vgg11: plain(224, 32, (classes) => new VGG(11, { classes })),
  vgg11_bn: plain(224, 32, (classes) => new VGG(11, { classes, batchNorm: true })),
  vgg13: plain(224, 32, (classes) => new VGG(13, { classes })),
  vgg13_bn: plain(224, 32, (classes) => new VGG(13, { classes, batchNorm: true })),
  vgg16: plain(224, 32, (classes) => new VGG(16, { classes })),
  vgg16_bn: plain(224, 32, (classes) => new VGG(16, { classes, batchNorm: true })),
  vgg19: plain(224, 32, (classes) => new VGG(19, { classes })),
  vgg19_bn: plain(224, 32, (classes) => new VGG(19, { classes, batchNorm: true })),
  cifar10_resnet20: plain(32, 1, (classes) => new CifarResNet(3, { classes }), 10),
  cifar10_resnet32: plain(32, 1, (classes) => new CifarResNet(5, { classes }), 10),
  cifar10_resnet44: plain(32, 1, (classes) => new CifarResNet(7, { classes }), 10),
  cifar10_resnet56: plain(32, 1, (classes) => new CifarResNet(9, { classes }), 10),
  cifar10_resnet110: plain(32, 1, (classes) => new CifarResNet(18, { classes }), 10),
};

/**
 * Builds a network by name. No weight is read, except two small tensors of Inception v3 to tell its
 * variants apart.
 *
 * Options: `num_classes` for every network but `motifs`. For `inception_v3` also `aux_logits` (`true`
 * or `false`) and `variant`: `torchvision`, or `google` for the network of December 2015 (other average
 * poolings, inputs of (pixel - 128) / 128, 1008 classes, no second head), known by its 1008 classes or
 * by batch norms that are folded away. Without weights it is `torchvision`.
 *
 * @throws {UserError} If there is no such network or option, or an option has a wrong value.
 */
export function createModel(
  name: string,
  options: Readonly<Record<string, string>> = {},
  weights?: WeightSource,
): Model {
  const entry = Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
  if (!entry) {
    throw new UserError(
      `no model "${name}"; nearest: ${
        nearest(name, Object.keys(MODELS), 4).join(", ")
      }; list all with: layers --help`,
    );
  }
  for (const option of Object.keys(options)) {
    if (Object.hasOwn(entry.options, option)) continue;
    const known = Object.keys(entry.options).join(", ");
    throw new UserError(
      `${name} has no option "${option}"; ${known ? `it has: ${known}` : "it has none"}`,
    );
  }
  const { inputSize, minSize } = entry;
  const chosen = { ...entry.options, ...options };
  const defaults = { normalisation: IMAGENET, inputSize, minSize, options: chosen };
  return { ...defaults, ...entry.build(chosen, weights), name };
}

/** A network that wants ImageNet's normalisation and whose only option is the number of classes. */
function plain(
  inputSize: number,
  minSize: number,
  create: (classes: number) => Module,
  classes = 1000,
): ModelEntry {
  return {
    inputSize,
    minSize,
    options: { num_classes: String(classes) },
    build: ({ num_classes }) => ({ root: create(count("num_classes", num_classes!)) }),
  };
}

function resnet(
  block: ResNetOptions["block"],
  layers: ResNetOptions["layers"],
  widen = 1,
): ModelEntry {
  return plain(224, 1, (classes) => new ResNet({ block, layers, widen, classes }));
}

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

function oneOf<T extends string>(
  name: string,
  allowed: readonly T[],
  value: string,
): T | undefined {
  if (value === "") return undefined;
  const found = allowed.find((one) => one === value);
  if (found) return found;
  throw new UserError(`option ${name} expects ${allowed.join(" or ")}, got "${value}"`);
}

function count(name: string, value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new UserError(`option ${name} expects a whole number from 1, got "${value}"`);
}
