/** Networks: their modules, names, weights and traces. */
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
