/** Opening a network as the command line names it. */
import { UserError } from "../../base/errors.ts";
import { createModel, type Model } from "../../models/registry.ts";
import { openSafetensors } from "../../models/formats/open_safetensors.ts";
import { type SafetensorsFile } from "../../models/formats/safetensors.ts";

/**
 * The model and its weights: the file given, or those that come with the program.
 *
 * @throws {UserError} when neither is there, or there is no such network or option.
 */
export async function openModel(
  name: string,
  options: Record<string, string>,
  weightsPath: string | undefined,
): Promise<{ model: Model; weights: SafetensorsFile }> {
  if (weightsPath !== undefined) {
    const weights = openSafetensors(weightsPath);
    try {
      return { model: createModel(name, options, weights), weights };
    } catch (error) {
      weights.close();
      throw error;
    }
  }
  const model = createModel(name, options);
  if (!model.builtInWeights) {
    throw new UserError(
      `${name} needs weights: give its safetensors file with --weights ` +
        `(only motifs has weights built in)`,
    );
  }
  return { model, weights: await model.builtInWeights() };
}
