/**
 * mindseye as a library: what a layer of a convolutional network has learned to see.
 *
 * @example The whole method on a folder of images
 * ```ts ignore
 * import {
 *   chooseParameters, createModel, encodePng, openGpu, openSafetensors, openTrunk, pictureToRgba,
 *   readPhotos, visualize,
 * } from "./mod.ts";
 *
 * using gpu = await openGpu();
 * using weights = openSafetensors("squeezenet1_1.safetensors");
 * const model = createModel("squeezenet1_1", {}, weights);
 * const trunk = openTrunk(model, weights, { layer: "features.12" }, 224);
 * const { photos } = await readPhotos("photos/ants", { size: 224 });
 * const { pictures } = await visualize(
 *   gpu,
 *   { trunk, images: photos, size: 224, facets: 3, parameters: chooseParameters(), seed: 0 },
 *   (event) => {
 *     if (event.kind === "iterations") console.log(event.results.at(-1)!.iteration);
 *   },
 * );
 * const first = pictures.subarray(0, 3 * 224 * 224);
 * await Deno.writeFile("facet_1.png", await encodePng(pictureToRgba(first, 224, 224), 224, 224));
 * ```
 *
 * @module
 */
export { Gpu, type GpuOptions, openGpu, type Storage } from "./kernels/runtime/device.ts";
export type { Sheet } from "./kernels/runtime/sheet.ts";
export { UnknownNameError, type UnknownNameOptions, UserError } from "./base/errors.ts";
export { defaultPenalty, findModule, type FoundModule, resolveModule } from "./models/names.ts";
export {
  createModel,
  type Model,
  type ModelEntry,
  MODELS,
  type Normalisation,
} from "./models/registry.ts";
export { Module, namedModules, type Scope, stateDict } from "./models/module.ts";
export type { ByteSource } from "./models/formats/byte_source.ts";
export { openSafetensors } from "./models/formats/open_safetensors.ts";
export {
  encodeSafetensors,
  parseSafetensors,
  SafetensorsFile,
} from "./models/formats/safetensors.ts";
export {
  checkWeights,
  type KnownWeights,
  type NamedNetwork,
  type Trace,
  type TracedModule,
  traceModel,
  type Weight,
  type WeightSource,
} from "./models/trace.ts";
export * from "./ops/mod.ts";
export { type Tuned, tuned, Tuning, type TuningOptions } from "./ops/tuning/tune.ts";
export { cacheFolder, type Measured, TuningFile } from "./ops/tuning/tuning_file.ts";
export { poolActivations } from "./vis/photos/activations.ts";
export { type Embedding, type EmbeddingOptions, EMBEDDINGS } from "./vis/facets/embedding.ts";
export {
  analyseFacets,
  type Candidate,
  type FacetAnalysis,
  type FacetOptions,
  type Facets,
  findFacets,
} from "./vis/facets/facets.ts";
export {
  type ChosenImage,
  type FacetReportOptions,
  writeFacetReport,
} from "./vis/report/facet_report.ts";
export type { HeldImage, SourceImage, StoredImage } from "./vis/photos/images.ts";
export type { Judgement } from "./vis/facets/judgement.ts";
export { type Look, lookAtPhotos, type LookOptions } from "./vis/photos/look.ts";
export { type IterationResult, Loop, type LoopOptions, type LoopState } from "./vis/loop/loop.ts";
export type { Learned } from "./vis/loop/learning.ts";
export type { LoopMemory } from "./vis/loop/plan.ts";
export { type Goals } from "./vis/objectives/facets.ts";
export {
  changeParameters,
  type MethodParameter,
  PARAMETER_GROUPS,
  type ParameterName,
  type ParameterRows,
  PARAMETERS,
  type Parameters,
  validateParameters,
} from "./vis/parameters.ts";
export { checkOctaves, chooseOctaves, chooseParameters, PRESETS } from "./vis/presets.ts";
export {
  listPhotos,
  type Photo,
  readPhoto,
  readPhotos,
  type ReadPhotosOptions,
  type SkippedPhoto,
  UnreadablePhoto,
} from "./vis/photos/photos.ts";
export { decodePng, encodePng, pictureToRgba, type Rgba } from "./vis/photos/png.ts";
export { adjustedRandIndex } from "./vis/facets/rand_index.ts";
export { type FacetSummary, Report, type ReportOptions, summarise } from "./vis/report/report.ts";
export type { Warp } from "./vis/loop/schedule.ts";
export type { Start } from "./vis/loop/start.ts";
export {
  findTargets,
  meanActivation,
  type Target,
  type TargetOptions,
} from "./vis/facets/targets.ts";
export { silhouette, type SilhouetteOptions } from "./vis/facets/silhouette.ts";
export { type Observed, openTrunk, openTrunks, type Trunk, type Trunks } from "./vis/trunk.ts";
export type { Grown, RunEvent, Visualization } from "./vis/events.ts";
export { visualize, type VisualizeOptions } from "./vis/visualize.ts";
export type { Offset } from "./vis/loop/window.ts";
