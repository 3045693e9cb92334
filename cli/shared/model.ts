/** Opening a network as the command line names it. */
import { UserError } from "../../base/errors.ts";
import { isNetworkFile, type OpenModel, openModel as open } from "../../models/open_model.ts";
import { createModel } from "../../models/registry.ts";

/**
 * The model and its weights: the file given, or those that come with the program.
 *
 * @throws {UserError} when neither is there, or there is no such network or option.
 */
export async function openModel(
  name: string,
  options: Record<string, string>,
  weightsPath: string | undefined,
): Promise<OpenModel> {
  const inFiles = weightsPath !== undefined || isNetworkFile(name);
  if (!inFiles && !createModel(name, options).builtInWeights) {
    throw new UserError(
      `${name} needs weights: give a file of them with --weights (only motifs has some built in)`,
    );
  }
  return await open(name, { options, weights: weightsPath });
}
