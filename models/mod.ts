/**
 * Networks: their modules, names, weights and traces.
 *
 * @example What a network's layers answer with
 * ```ts
 * import assert from "node:assert/strict";
 * import { createModel, findModule, traceModel } from "./mod.ts";
 *
 * const trace = traceModel(createModel("resnet18"), [1, 3, 224, 224]);
 * assert.deepEqual(findModule(trace, "layer3").output.shape, [1, 256, 14, 14]);
 * ```
 *
 * @module
 */
export { bytesInMemory, type ByteSource } from "./formats/byte_source.ts";
export { openWeights } from "./formats/open_weights.ts";
export { encodeSafetensors, parseSafetensors, SafetensorsFile } from "./formats/safetensors.ts";
export type { WeightsFile, WeightSource } from "./formats/weights.ts";
export * from "./layers.ts";
export { Module, namedModules, type Scope, stateDict } from "./module.ts";
export { defaultPenalty, findModule, type FoundModule, resolveModule } from "./names.ts";
export { networkOf, type NetworkOptions } from "./network_of.ts";
export { type OpenModel, openModel, type OpenModelOptions } from "./open_model.ts";
export { randomWeights } from "./random_weights.ts";
export { createModel, type Model, type ModelEntry, MODELS } from "./registry.ts";
export {
  type ChannelsOrder,
  type Normalisation,
  NORMALISATIONS,
  parseNormalisation,
} from "./normalisation.ts";
export {
  checkWeights,
  type KnownWeights,
  type NamedNetwork,
  type Trace,
  type TracedModule,
  traceModel,
  type Weight,
} from "./trace.ts";
