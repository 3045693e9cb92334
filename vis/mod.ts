/**
 * The method: photos, facets, objectives, the loop, the report.
 *
 * @example Which of some vectors belong together, and whether to believe it
 * ```ts
 * import assert from "node:assert/strict";
 * import { analyseFacets } from "./mod.ts";
 *
 * // What a layer of two channels answered to 40 images: half of them to each.
 * const [n, channels] = [40, 2];
 * const pooled = Float32Array.from({ length: n * channels }, (_, i) => {
 *   const [image, channel] = [i >> 1, i % 2];
 *   return (image % 2 === channel ? 1 : 0) + 0.01 * Math.sin(i * i);
 * });
 * const options = { n, channels, facets: "auto", seed: 0 } as const;
 * const { facets, judgement } = await analyseFacets(pooled, options);
 * assert.deepEqual([...facets.sizes], [20, 20]);
 * assert.equal(judgement.structure, "clear");
 * ```
 *
 * @module
 */
export { type BatchOptions, type BatchResume, growInBatches } from "./batches.ts";
export {
  eventsOf,
  type Grown,
  type GrowState,
  type Listener,
  type PictureInfo,
  type RunEvent,
  type StoppedPicture,
  type Visualization,
} from "./events.ts";
export {
  Eye,
  type GrowthOptions,
  type LookAtOptions,
  open,
  type OpenOptions,
  type Photos,
} from "./eye.ts";
export { type Embedding, type EmbeddingOptions, EMBEDDINGS } from "./facets/embedding.ts";
export {
  analyseFacets,
  type Candidate,
  type FacetAnalysis,
  type FacetOptions,
  type Facets,
  findFacets,
} from "./facets/facets.ts";
export type { Judgement } from "./facets/judgement.ts";
export { adjustedRandIndex } from "./facets/rand_index.ts";
export { silhouette, type SilhouetteOptions } from "./facets/silhouette.ts";
export type { Stage, Step } from "./facets/steps.ts";
export {
  findStreamedFacets,
  type PlacedMember,
  type Rows,
  type StreamedFacets,
  type StreamedOptions,
} from "./facets/streamed.ts";
export {
  findTargets,
  meanActivation,
  type Member,
  type Target,
  type TargetOptions,
} from "./facets/targets.ts";
export { grow, type GrowOptions } from "./grow.ts";
export type { InputOptions } from "./loop/inputs.ts";
export type { Learned } from "./loop/learning.ts";
export {
  type IterationResult,
  Loop,
  type LoopOptions,
  type LoopState,
  type Snapshot,
} from "./loop/loop.ts";
export type { LoopMemory } from "./loop/plan.ts";
export type { Warp } from "./loop/schedule.ts";
export type { Start } from "./loop/start.ts";
export type { Offset } from "./loop/window.ts";
export { Network, type Seen, type Tap, type Viewer } from "./network.ts";
export { channels } from "./objectives/channels.ts";
export { classes } from "./objectives/classes.ts";
export { type DirectionOptions, directions } from "./objectives/directions.ts";
export { diverse } from "./objectives/diverse.ts";
export { type LayerStatistics, measureStatistics, statistics } from "./objectives/statistics.ts";
export {
  FACET_METRICS,
  type FacetLayers,
  type FacetMetrics,
  facets,
  type Goals,
} from "./objectives/facets.ts";
export {
  readWishes,
  WISH_NAMES,
  type WishContext,
  WISHES,
  type WishKind,
  type WishName,
} from "./objectives/kinds.ts";
export { l1 } from "./objectives/l1.ts";
export { like, type Likeness } from "./objectives/like.ts";
export { type Neuron, neurons } from "./objectives/neurons.ts";
export {
  add,
  answersOf,
  buildObjective,
  type Built,
  canAnswer,
  type Metrics,
  metricsOf,
  type Moment,
  namesOf,
  needsOf,
  type Objective,
  objectiveOf,
  pick,
  scale,
  type Term,
  type TermContext,
  type TermResult,
} from "./objectives/objective.ts";
export { tv } from "./objectives/tv.ts";
export {
  changeParameters,
  type JsonSchema,
  type MethodParameter,
  PARAMETER_GROUPS,
  type ParameterName,
  type ParameterRows,
  PARAMETERS,
  type Parameters,
  validateParameters,
} from "./parameters.ts";
export { type Ask, askPhotos, poolActivations } from "./photos/activations.ts";
export type { HeldImage, SourceImage, StoredImage } from "./photos/images.ts";
export {
  askFolder,
  type FolderAnswers,
  type Look,
  lookAtPhotos,
  type LookOptions,
  type Question,
  type Questions,
} from "./photos/look.ts";
export {
  listPhotos,
  type Photo,
  readPhoto,
  readPhotos,
  type ReadPhotosOptions,
  type SkippedPhoto,
  UnreadablePhoto,
} from "./photos/photos.ts";
export { decodePng, encodePng } from "./photos/png.ts";
export { pictureToRgba, type Rgba } from "./photos/rgba.ts";
export { checkOctaves, chooseOctaves, chooseParameters, PRESETS } from "./presets.ts";
export {
  type ChosenImage,
  type FacetReportOptions,
  writeFacetReport,
} from "./report/facet_report.ts";
export { type FacetSummary, summarise } from "./report/findings.ts";
export { Report, type ReportOptions } from "./report/report.ts";
export {
  type LayerNames,
  type Observed,
  openTrunk,
  openTrunks,
  type Trunk,
  trunkOf,
  type Trunks,
} from "./trunk.ts";
export { type FoundFacets, visualize, type VisualizeOptions } from "./visualize.ts";
export { growWishes, type GrowWishesOptions } from "./wishes.ts";
