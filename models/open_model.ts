/** A network and its weights, as people name them. */
import { UserError } from "../base/errors.ts";
import { openWeights } from "./formats/open_weights.ts";
import { openOnnx } from "./formats/onnx/open_onnx.ts";
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

/** How to open a network. */
export interface OpenModelOptions {
  /** Options of the network. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  /** Its weights: path of a file, or one that is open. None for a network that has some. */
  readonly weights?: string | WeightsFile | undefined;
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
  { normalisation = model.normalisation, channelsOrder }: OpenModelOptions,
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

/** Whether a name is that of a file which holds a network, weights and all. */
export function isNetworkFile(name: string): boolean {
  return /\.onnx$/i.test(name);
}

function openNetworkFile(
  path: string,
  options: Readonly<Record<string, string>>,
  weights: string | WeightsFile | undefined,
): OpenModel {
  const [option] = Object.keys(options);
  if (option !== undefined) throw new UserError(`${path}: a file has no option "${option}"`);
  if (weights !== undefined) {
    throw new UserError(`${path} has its own weights; name the network alone`);
  }
  using opened = new DisposableStack();
  const file = opened.use(openOnnx(path));
  const model = onnxModel(file);
  opened.move();
  return { model, weights: file };
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

/**
 * Opens a network: by its name, with the weights given or those that come with the program, or from
 * an ONNX file, which has its own.
 *
 * @param name May be left out where the weights make it certain.
 * @throws {UserError} when there is no such network or option, or its weights are missing, of another
 * network, or cannot be read.
 */
export async function openModel(
  name: string | undefined,
  how: OpenModelOptions = {},
): Promise<OpenModel> {
  const { model, weights } = await opened(name, how);
  if (how.allowNonfinite) weights.allowNonfinite = true;
  return told({ model, weights }, how);
}

async function opened(
  name: string | undefined,
  { options = {}, weights: given }: OpenModelOptions,
): Promise<OpenModel> {
  if (name !== undefined && isNetworkFile(name)) return openNetworkFile(name, options, given);
  if (given === undefined) {
    if (name === undefined) throw new UserError("name a network, or a file of weights");
    const model = createModel(name, options);
    if (model.builtInWeights) return { model, weights: await model.builtInWeights() };
    throw new UserError(
      `${name} needs weights: name a file of them (only motifs has weights built in)`,
    );
  }
  using files = new DisposableStack();
  const file = typeof given === "string" ? files.use(openWeights(given)) : given;
  const found = fitTo(name ?? nameOf(file), options, file);
  files.move();
  return found;
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
