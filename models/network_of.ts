/** A network of weights that are open: by its name, by what its tensors are, or from an ONNX file. */
import { UserError } from "../base/errors.ts";
import type { OnnxFile } from "./formats/onnx/onnx_file.ts";
import type { WeightsFile } from "./formats/weights.ts";
import { fit, fitted } from "./fit.ts";
import type { ChannelsOrder, Normalisation } from "./normalisation.ts";
import { onnxModel } from "./onnx/onnx_model.ts";
import { type Candidate, recognise, recognised } from "./recognise.ts";
import { createModel, type Model } from "./registry.ts";

/** A network and its weights, which are given back with it. */
export interface OpenModel {
  /** The network. */
  readonly model: Model;
  /** Its weights. */
  readonly weights: WeightsFile;
}

/** What is said of a network besides its name and its weights. */
export interface NetworkOptions {
  /** Options of the network. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  /** How it wants its pictures, where that is not what its name or its file says. */
  readonly normalisation?: Normalisation | undefined;
  /** The order of its colours, where that is not red, green, blue. */
  readonly channelsOrder?: ChannelsOrder | undefined;
  /** Whether its weights may hold what is no finite number (false). */
  readonly allowNonfinite?: boolean | undefined;
}

/** A network that wants its pictures as was said. */
function told(
  { model, weights }: OpenModel,
  { normalisation = model.normalisation, channelsOrder }: NetworkOptions,
): OpenModel {
  const { channels } = model.normalisation;
  const { mean, std, order } = normalisation;
  const bgr = (channelsOrder ?? order) === "bgr" && channels !== 1;
  const [first, ...others] = std.map((s, c) => `${mean[c]} ${s}`);
  if (channels === 1 && others.some((other) => other !== first)) {
    // A network without colours takes what is meant for all of them.
    const even = (values: readonly number[]) => {
      const value = values.reduce((a, b) => a + b, 0) / 3;
      return [value, value, value] as const;
    };
    return told({ model, weights }, { normalisation: { mean: even(mean), std: even(std) } });
  }
  return {
    model: {
      ...model,
      normalisation: {
        mean,
        std,
        ...(bgr ? { order: "bgr" } : {}),
        ...(channels === 1 ? { channels } : {}),
      },
    },
    weights,
  };
}

/** The part of a network's tensors that a file must have to pass for its weights. */
const LEAST_FITTING = 0.2;

/** What a file looks like, for those who named something else. */
function lookalikes(candidates: readonly Candidate[]): string {
  const [best] = candidates;
  if (!best) return "they are not those of any network known by name";
  const { fitting, total } = best.fit;
  return `they are ${best.exact ? "" : "most like "}those of ${best.name} (${fitting} of ${total})`;
}

/**
 * Weights of a network by its name, fitted to it: other words before names, timm's names, another
 * number of classes.
 *
 * @throws {UserError} when hardly a tensor is one of that network's; says which network they are of.
 */
function fitTo(
  name: string,
  options: Readonly<Record<string, string>>,
  file: WeightsFile,
): OpenModel {
  const network = createModel(name, options, file);
  const found = fit(network, file);
  if (found.fitting < LEAST_FITTING * found.total) {
    throw new UserError(
      `${file.name}: only ${found.fitting} of the ${found.total} tensors of ${name} are there; ` +
        lookalikes(recognise(file)),
    );
  }
  const named = fitted(network, file, found);
  const more = found.classes !== undefined && network.options.num_classes !== undefined &&
      options.num_classes === undefined
    ? { ...options, num_classes: String(found.classes) }
    : options;
  const model = createModel(name, more, named);
  return { model, weights: fitted(model, file, fit(model, file)) };
}

/** The network that a file's tensors are of. */
function nameOf(file: WeightsFile): string {
  const candidates = recognise(file);
  const certain = recognised(candidates);
  if (certain) return certain.name;
  const possible = candidates.filter(({ part }) => part).map(({ name }) => name);
  throw new UserError(
    possible.length > 1
      ? `${file.name}: its tensors could be those of ${possible.join(" or ")}; name the network`
      : `${file.name}: name the network; as for its tensors, ${lookalikes(candidates)}`,
  );
}

/**
 * The network of some weights.
 *
 * @param name May be left out where the weights make it certain.
 * @throws {UserError} when there is no such network or option, or the weights are of another network.
 */
export function networkOf(
  name: string | undefined,
  file: WeightsFile,
  how: NetworkOptions = {},
): OpenModel {
  return asTold(fitTo(name ?? nameOf(file), how.options ?? {}, file), how);
}

/**
 * The network that an ONNX file is.
 *
 * @throws {UserError} when its graph is broken, or it takes no pictures.
 */
export function networkIn(file: OnnxFile, how: NetworkOptions = {}): OpenModel {
  const [option] = Object.keys(how.options ?? {});
  if (option !== undefined) throw new UserError(`${file.name}: a file has no option "${option}"`);
  return asTold({ model: onnxModel(file), weights: file }, how);
}

/** A network and its weights as was said of them. */
export function asTold({ model, weights }: OpenModel, how: NetworkOptions): OpenModel {
  if (how.allowNonfinite) weights.allowNonfinite = true;
  return told({ model, weights }, how);
}
