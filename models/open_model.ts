/** A network and its weights, as people name them. */
import { UserError } from "../base/errors.ts";
import { openWeights } from "./formats/open_weights.ts";
import { openOnnx } from "./formats/onnx/open_onnx.ts";
import type { WeightsFile } from "./formats/weights.ts";
import { onnxModel } from "./onnx/onnx_model.ts";
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

/**
 * Opens a network: by its name, with the weights given or those that come with the program, or from
 * an ONNX file, which has its own.
 *
 * @throws {UserError} when there is no such network or option, or its weights are missing or cannot
 * be read.
 */
export async function openModel(
  name: string,
  { options = {}, weights: given }: OpenModelOptions = {},
): Promise<OpenModel> {
  if (isNetworkFile(name)) return openNetworkFile(name, options, given);
  if (given === undefined) {
    const model = createModel(name, options);
    if (model.builtInWeights) return { model, weights: await model.builtInWeights() };
    throw new UserError(
      `${name} needs weights: name a file of them (only motifs has weights built in)`,
    );
  }
  using opened = new DisposableStack();
  const weights = typeof given === "string" ? opened.use(openWeights(given)) : given;
  const model = createModel(name, options, weights);
  opened.move();
  return { model, weights };
}
