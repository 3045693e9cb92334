/** Opening a network as the command line names it. */
import { UserError } from "../../base/errors.ts";
import { isNetworkFile, type OpenModel, openModel as open } from "../../models/open_model.ts";
import { createModel, type Model } from "../../models/registry.ts";

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
 * The model and its weights: the file given, or those that come with the program.
 *
 * @param name May be left out where the weights make it certain.
 * @throws {UserError} when neither is there, or there is no such network or option.
 */
export async function openModel(
  name: string | undefined,
  options: Record<string, string>,
  weightsPath: string | undefined,
): Promise<OpenModel> {
  const named = weightsPath === undefined && name !== undefined && !isNetworkFile(name);
  if (named && !createModel(name, options).builtInWeights) {
    throw new UserError(
      `${name} needs weights: give a file of them with --weights (only motifs has some built in)`,
    );
  }
  return await open(name, { options, weights: weightsPath });
}
