/**
 * mindseye as a library: what a layer of a convolutional network has learned to see.
 *
 * An {@linkcode Eye} is a network on a device. It looks at photos, finds their facets in a layer, and
 * grows pictures for these or for any {@linkcode Objective}. The parts it is made of are in the
 * modules `./vis` (the method), `./models` (networks) and `./engine` (tensors, operations, programs).
 *
 * @example What a layer sees in a folder of photos
 * ```ts ignore
 * import { encodePng, open, pictureToRgba } from "@mindseye/mindseye";
 *
 * using eye = await open({ model: "resnet18", weights: "resnet18.safetensors" });
 * const photos = await eye.look("photos/ants", { layer: "layer3" });
 * for await (const event of eye.visualize(photos, { facets: 3 })) {
 *   if (event.kind === "iterations") console.log(event.results.at(-1)!.iteration);
 *   if (event.kind !== "finished") continue;
 *   const { pictures, size } = event.grown;
 *   const first = pictureToRgba(pictures.subarray(0, 3 * size * size), size, size);
 *   await Deno.writeFile("facet_1.png", await encodePng(first, size, size));
 * }
 * ```
 *
 * @example Two channels of a layer, from noise, four ways to see each
 * ```ts
 * import assert from "node:assert/strict";
 * import { add, channels, chooseParameters, diverse, open, scale } from "./mod.ts";
 *
 * using eye = await open({ model: "motifs", size: 32 });
 * const twice = [8, 8, 11, 11];
 * const wish = add(channels("features.20", twice), scale(diverse("features.20", 2), 0.1));
 * const parameters = chooseParameters("noise", { iterations: 4 });
 * for await (const event of eye.grow(wish, { parameters, seed: 1 })) {
 *   if (event.kind !== "finished") continue;
 *   const { names, after } = event.grown;
 *   assert(names[1] === "channel 8, 2 of 2");
 *   assert(after.every(({ activation }) => activation! >= 0));
 * }
 * ```
 *
 * @module
 */
export { UnknownNameError, type UnknownNameOptions, UserError } from "./base/errors.ts";
export { Gpu, type GpuOptions, openGpu, type Storage } from "./kernels/runtime/device.ts";
export { openWeights } from "./models/formats/open_weights.ts";
export type { WeightsFile, WeightSource } from "./models/formats/weights.ts";
export { createModel, type Model, MODELS } from "./models/registry.ts";
export type {
  Grown,
  GrowState,
  PictureInfo,
  RunEvent,
  StoppedPicture,
  Visualization,
} from "./vis/events.ts";
export {
  Eye,
  type GrowthOptions,
  type LookAtOptions,
  open,
  type OpenOptions,
  type Photos,
} from "./vis/eye.ts";
export { type Embedding, type EmbeddingOptions, EMBEDDINGS } from "./vis/facets/embedding.ts";
export { adjustedRandIndex } from "./vis/facets/rand_index.ts";
export type { Start } from "./vis/loop/start.ts";
export type { Tap } from "./vis/network.ts";
export { channels } from "./vis/objectives/channels.ts";
export { classes } from "./vis/objectives/classes.ts";
export { type DirectionOptions, directions } from "./vis/objectives/directions.ts";
export { diverse } from "./vis/objectives/diverse.ts";
export { measureStatistics, statistics } from "./vis/objectives/statistics.ts";
export { type FacetLayers, facets, type Goals } from "./vis/objectives/facets.ts";
export { readWishes, type WishContext, WISHES, type WishName } from "./vis/objectives/kinds.ts";
export { l1 } from "./vis/objectives/l1.ts";
export { like, type Likeness } from "./vis/objectives/like.ts";
export { type Neuron, neurons } from "./vis/objectives/neurons.ts";
export {
  add,
  type Metrics,
  namesOf,
  type Objective,
  pick,
  scale,
  type Term,
} from "./vis/objectives/objective.ts";
export { tv } from "./vis/objectives/tv.ts";
export { type ParameterName, PARAMETERS, type Parameters } from "./vis/parameters.ts";
export type { HeldImage, SourceImage, StoredImage } from "./vis/photos/images.ts";
export { listPhotos, readPhoto, readPhotos, UnreadablePhoto } from "./vis/photos/photos.ts";
export { decodePng, encodePng } from "./vis/photos/png.ts";
export { pictureToRgba, type Rgba } from "./vis/photos/rgba.ts";
export { chooseOctaves, chooseParameters, PRESETS } from "./vis/presets.ts";
export { Report, type ReportOptions } from "./vis/report/report.ts";
export { visualize, type VisualizeOptions } from "./vis/visualize.ts";
