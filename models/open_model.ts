/** A network and its weights, as people name them. */
import { UserError } from "../base/errors.ts";
import { openWeights } from "./formats/open_weights.ts";
import { openOnnx } from "./formats/onnx/open_onnx.ts";
import type { WeightsFile } from "./formats/weights.ts";
import { asTold, networkIn, networkOf, type NetworkOptions, type OpenModel } from "./network_of.ts";
import { createModel } from "./registry.ts";

export type { OpenModel } from "./network_of.ts";

/** How to open a network. */
export interface OpenModelOptions extends NetworkOptions {
  /** Its weights: path of a file, or one that is open. None for a network that has some. */
  readonly weights?: string | WeightsFile | undefined;
}

/** Whether a name is that of a file which holds a network, weights and all. */
export function isNetworkFile(name: string): boolean {
  return /\.onnx$/i.test(name);
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
  const { weights: given, options = {} } = how;
  using opened = new DisposableStack();
  if (name !== undefined && isNetworkFile(name)) {
    if (given !== undefined) {
      throw new UserError(`${name} has its own weights; name the network alone`);
    }
    const network = networkIn(opened.use(openOnnx(name)), how);
    opened.move();
    return network;
  }
  if (given === undefined) {
    if (name === undefined) throw new UserError("name a network, or a file of weights");
    const model = createModel(name, options);
    if (model.builtInWeights) return asTold({ model, weights: await model.builtInWeights() }, how);
    throw new UserError(
      `${name} needs weights: name a file of them (only motifs has weights built in)`,
    );
  }
  const file = typeof given === "string" ? opened.use(openWeights(given)) : given;
  const network = networkOf(name, file, how);
  opened.move();
  return network;
}
