/** Opening a network as the command line names it. */
import { UserError } from "../../base/errors.ts";
import { parseNormalisation } from "../../models/normalisation.ts";
import {
  isNetworkFile,
  type OpenModel,
  openModel as open,
  type OpenModelOptions,
} from "../../models/open_model.ts";
import { fetchedWeights, officialWeights } from "../../models/official/weights.ts";
import { createModel, type Model } from "../../models/registry.ts";
import { mergedKeyValues } from "./config.ts";
import { type Arguments, type OptionSpec, UsageError } from "./options.ts";
import { sharedModel } from "./sharing.ts";

/** Options that choose a network. */
export const NETWORK_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  model: {
    type: "string",
    short: "m",
    value: "NAME|FILE.onnx",
    help: "Network (see: models); not needed where the weights tell",
  },
  weights: {
    type: "string",
    short: "w",
    value: "FILE",
    help: "Its weights: safetensors or a PyTorch checkpoint",
  },
  "model-option": {
    type: "string",
    multiple: true,
    value: "NAME=VALUE,...",
    help: "Options of the network, such as variant=google",
  },
  normalize: {
    type: "string",
    value: "imagenet|half|none|bytes|MEAN/STD",
    help: "How it wants its pictures (default: as its name or file says; see: doctor --model)",
  },
  "allow-nonfinite": {
    type: "boolean",
    help: "Run a network whose weights hold NaN or infinite numbers",
  },
  "channels-order": {
    type: "string",
    value: "rgb|bgr",
    help: "Which of its colours comes first",
    schema: { enum: ["rgb", "bgr"] },
  },
};

/**
 * Asserts that it is said which network is meant.
 *
 * @throws {UsageError} when there is neither a name nor a file of weights that could tell.
 */
export function requireModel(command: string, args: Arguments): void {
  if (args.text("model") !== undefined || args.text("weights") !== undefined) return;
  throw new UsageError(`${command}: missing --model; list the networks with: models`);
}

/**
 * The network and its weights as {@linkcode NETWORK_OPTIONS} say; where runs share one, that.
 *
 * @throws {UserError} when there is no such network, file or option.
 */
export async function openModelFor(args: Arguments): Promise<OpenModel> {
  const key = JSON.stringify(Object.keys(NETWORK_OPTIONS).map((name) => args.values[name] ?? null));
  return await sharedModel(key, () => openOwnModel(args)) ?? await openOwnModel(args);
}

async function openOwnModel(args: Arguments): Promise<OpenModel> {
  const normalize = args.text("normalize"), order = args.text("channels-order");
  if (order !== undefined && order !== "rgb" && order !== "bgr") {
    throw new UsageError(`--channels-order: expected rgb or bgr, got "${order}"`);
  }
  return await openModel(args.text("model"), {
    options: mergedKeyValues("model-option", args.list("model-option")),
    weights: args.text("weights"),
    normalisation: normalize === undefined ? undefined : parseNormalisation(normalize),
    channelsOrder: order,
    allowNonfinite: args.flag("allow-nonfinite"),
  });
}

/**
 * A network whose weights are of no interest, and what to close after it.
 *
 * @throws {UserError} when there is no such network, file or option.
 */
export async function openNetwork(
  name: string,
  options: Record<string, string>,
): Promise<{ model: Model; close: () => void }> {
  if (!isNetworkFile(name)) return { model: createModel(name, options), close: () => {} };
  const { model, weights } = await open(name, { options });
  return { model, close: () => weights.close() };
}

/**
 * The model and its weights: the file given, those that come with the program, or those that were
 * fetched.
 *
 * @param name May be left out where the weights make it certain.
 * @throws {UserError} when neither is there, or there is no such network or option.
 */
export async function openModel(
  name: string | undefined,
  how: OpenModelOptions = {},
): Promise<OpenModel> {
  const named = how.weights === undefined && name !== undefined && !isNetworkFile(name);
  if (!named || createModel(name, how.options).builtInWeights) return await open(name, how);
  const [fetched] = fetchedWeights(name);
  if (fetched) return await open(name, { ...how, weights: fetched.path });
  const official = officialWeights(name).length > 0;
  throw new UserError(
    `${name} needs weights: give a file of them with --weights` +
      (official ? `, or fetch torchvision's with: weights fetch ${name}` : ""),
  );
}
