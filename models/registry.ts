/** The networks by name. A family is its file and its line here. */
import { UnknownNameError, UserError } from "../base/errors.ts";
import { ALEXNET } from "./architectures/alexnet.ts";
import { CIFAR_RESNETS } from "./architectures/cifar_resnet.ts";
import { CONVNEXTS } from "./architectures/convnext.ts";
import { DENSENETS } from "./architectures/densenet.ts";
import { EFFICIENTNETS } from "./architectures/efficientnet.ts";
import { GOOGLENET } from "./architectures/googlenet.ts";
import { INCEPTION } from "./architectures/inception.ts";
import { MNASNETS } from "./architectures/mnasnet.ts";
import { MOBILENET } from "./architectures/mobilenet.ts";
import { MOBILENETS_V3 } from "./architectures/mobilenet_v3.ts";
import { MOTIFS } from "./architectures/motifs_net.ts";
import { REGNETS } from "./architectures/regnet.ts";
import { RESNETS } from "./architectures/resnet.ts";
import { SHUFFLENETS } from "./architectures/shufflenet.ts";
import { SQUEEZENETS } from "./architectures/squeezenet.ts";
import { VGGS } from "./architectures/vgg.ts";
import type { Model, ModelEntry } from "./model.ts";
import { IMAGENET } from "./normalisation.ts";
import type { WeightSource } from "./formats/weights.ts";

export type { Model, ModelEntry } from "./model.ts";

/** Every network by name. */
export const MODELS: Readonly<Record<string, ModelEntry>> = {
  ...MOTIFS,
  ...SQUEEZENETS,
  ...RESNETS,
  ...MOBILENET,
  ...MOBILENETS_V3,
  ...MNASNETS,
  ...SHUFFLENETS,
  ...DENSENETS,
  ...GOOGLENET,
  ...EFFICIENTNETS,
  ...REGNETS,
  ...CONVNEXTS,
  ...INCEPTION,
  ...ALEXNET,
  ...VGGS,
  ...CIFAR_RESNETS,
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
  if (!entry) throw new UnknownNameError("model", name, Object.keys(MODELS), { count: 4 });
  for (const option of Object.keys(options)) {
    if (Object.hasOwn(entry.options, option)) continue;
    const known = Object.keys(entry.options).join(", ");
    throw new UserError(
      `${name} has no option "${option}"; ${known ? `it has: ${known}` : "it has none"}`,
    );
  }
  const { build, ...sizes } = entry;
  const chosen = { ...entry.options, ...options };
  const defaults = { normalisation: IMAGENET, ...sizes, options: chosen };
  return { ...defaults, ...build(chosen, weights), name };
}
