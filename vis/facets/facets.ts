/** Facets: which images of a folder belong together in one layer. */

import { UserError } from "../../base/errors.ts";
import {
  type Arrange,
  arrangerOf,
  type Embedded,
  type EmbeddingOptions,
  embedSteps,
  evenly,
  pickRows,
} from "./embedding.ts";
import { type Judgement, judgeSteps } from "./judgement.ts";
import { type Clusters, kmeans } from "./kmeans.ts";
import { type Components, pcaSteps } from "./pca.ts";
import { silhouette } from "./silhouette.ts";
import { finish, type Step, type Steps } from "./steps.ts";

/** Images grouped into facets; facet 0 is the largest. */
export interface Facets {
  /**
   * [n, d] each image's place where images are grouped: the plane (d = 2), or with the embedding
   * `none` all principal components. Drawings show the first two dimensions.
   */
  embedding: Float64Array;
  /** [n] facet of each image, 0..facets-1. */
  labels: Int32Array;
  /** [facets, d] each facet's centre there. */
  centres: Float64Array;
  /** [facets] number of images in each. */
  sizes: Int32Array;
}

/** What `findFacets` needs to know. */
export interface FacetOptions extends EmbeddingOptions {
  /** Number of images. */
  n: number;
  /** Channels of the layer. */
  channels: number;
  /** Facets wanted; `auto` takes the number with the largest silhouette. */
  facets: number | "auto";
  /** Seed of k-means and the embedding (t-SNE hardly needs one). */
  seed: number;
  /** Is told how far the work is. */
  onProgress?: ((step: Step) => void) | undefined;
}

/** A number of facets and how well the images fall into them. */
export interface Candidate {
  /** Number of facets. */
  facets: number;
  /** Mean silhouette in the embedding. */
  silhouette: number;
}

/** Facets and whether to believe in them. */
export interface FacetAnalysis {
  /** The facets. */
  facets: Facets;
  /** The numbers of facets compared, smallest first; with a number given, only that. */
  candidates: Candidate[];
  /** How the facets compare with chance and with those of other seeds and other samples. */
  judgement: Judgement;
}

/** Principal components that t-SNE sees, at most. */
export const COMPONENTS = 50;

/**
 * k-means starts. With the usual 10, ten facets of a hundred photos still depend on the seed
 * (adjusted Rand index 0.6 to 0.7 between seeds; 0.8 to 0.9 with 100); a start costs under 1 ms.
 */
const RESTARTS = 200;

/** Fewer starts in folders of more images than this; then each start takes long. */
const MANY = 2000;

/** `auto` looks no further; and not at more facets than the root of the number of images. */
const MOST_FACETS = 20;

/** Images whose silhouette is looked at, drawn evenly from a larger folder. */
const MOST_SILHOUETTES = 2000;

/**
 * Groups images by what a layer makes of them: PCA to 50 components, an embedding (by default t-SNE
 * to a plane), k-means there. The same input and seed give the same facets, in the same order.
 *
 * Source: Stergiou, "The Mind's Eye: Visualizing Class-Agnostic Features of CNNs", ICIP 2021.
 *
 * @param pooled [n, channels] the layer's output for each image, averaged over the picture.
 * @throws {UserError} when there are fewer images than facets, or when the layer's
 * output is not finite.
 */
export async function findFacets(pooled: Float32Array, options: FacetOptions): Promise<Facets> {
  const arrange = await arrangerOf(options.embedding);
  const components = finish(reduceSteps(pooled, options), options.onProgress);
  return finish(groupSteps(components, { ...options, arrange }), options.onProgress).facets;
}

/**
 * Finds facets as {@linkcode findFacets} does, and how much to trust them.
 *
 * @param pooled [n, channels] the layer's output for each image, averaged over the picture.
 * @throws {UserError} as `findFacets` does.
 */
export async function analyseFacets(
  pooled: Float32Array,
  options: FacetOptions,
): Promise<FacetAnalysis> {
  const arrange = await arrangerOf(options.embedding);
  return finish(analysisSteps(pooled, { ...options, arrange }), options.onProgress);
}

/**
 * {@linkcode analyseFacets} in steps; `onProgress` is not called.
 *
 * @param options.arrange {@linkcode arrangerOf} the embedding
 */
export function* analysisSteps(
  pooled: Float32Array,
  options: FacetOptions & { arrange: Arrange },
): Steps<FacetAnalysis> {
  return yield* componentSteps(yield* reduceSteps(pooled, options), options);
}

/** The same, from the principal components of what the layer gave. */
export function* componentSteps(
  components: Components,
  options: FacetOptions & { arrange: Arrange },
): Steps<FacetAnalysis> {
  const { facets, candidates } = yield* groupSteps(components, options);
  const count = facets.sizes.length;
  const judgement = yield* judgeSteps(components, { ...options, facets: count });
  return { facets, candidates, judgement };
}

/** Numbers of facets that `auto` compares: 2 to the root of the number of images, at most 20. */
export function facetCandidates(n: number): number[] {
  if (n < 4) return [1];
  const most = Math.max(2, Math.min(MOST_FACETS, Math.floor(Math.sqrt(n))));
  return Array.from({ length: most - 1 }, (_, i) => i + 2);
}

/**
 * Checks the options.
 *
 * @throws {UserError} when there cannot be so many facets.
 */
export function checkFacets({ n, facets }: Pick<FacetOptions, "n" | "facets">): void {
  if (facets !== "auto" && (!Number.isInteger(facets) || facets < 1)) {
    throw new UserError(`facets must be a whole number from 1, got ${facets}`);
  }
  if (facets !== "auto" && n < facets) {
    throw new UserError(
      `${n} image${n === 1 ? "" : "s"} cannot make ${facets} facets; ask for fewer`,
    );
  }
}

/** Checks the options and the values, then PCA. */
function* reduceSteps(pooled: Float32Array, options: FacetOptions): Steps<Components> {
  checkFacets(options);
  const { n, channels } = options;
  if (!pooled.every(Number.isFinite)) {
    throw new UserError("the layer's output is not finite for every image; check the weights");
  }
  const found = yield* pcaSteps(pooled, { n, channels, components: COMPONENTS });
  // What float32 cannot tell apart is the same: t-SNE would blow rounding up into a picture.
  const size = pooled.reduce((sum, value) => sum + value ** 2, 0) / n;
  const variance = found.variances.reduce((sum, value) => sum + value, 0);
  if (variance <= 1e-13 * size) {
    found.scores.fill(0);
    found.variances.fill(0);
  }
  return found;
}

function* groupSteps(
  components: Components,
  options: FacetOptions & { arrange: Arrange },
): Steps<{ facets: Facets; candidates: Candidate[] }> {
  const { n, seed } = options;
  const embedded = yield* embedSteps(components.scores, {
    ...options,
    components: components.components,
  });
  const restarts = n <= MANY ? RESTARTS : Math.max(10, Math.floor(RESTARTS * MANY / n));
  const counts = options.facets === "auto" ? facetCandidates(n) : [options.facets];
  const tried: (Candidate & { found: Clusters })[] = [];
  for (const count of counts) {
    yield { stage: "grouping", done: tried.length, total: counts.length };
    const { points, dimensions } = embedded;
    const found = kmeans(points, { n, dimensions, clusters: count, seed, restarts });
    tried.push({
      found,
      facets: count,
      silhouette: sampledSilhouette(embedded, found.labels, count),
    });
  }
  yield { stage: "grouping", done: counts.length, total: counts.length };
  // Of equals the fewest facets.
  const { found } = tried.reduce((a, b) => b.silhouette > a.silhouette ? b : a);
  const { labels, centres, sizes } = found;
  return {
    facets: { embedding: embedded.points, labels, centres, sizes },
    candidates: tried.map(({ facets, silhouette }) => ({ facets, silhouette })),
  };
}

function sampledSilhouette(
  { points, dimensions }: Embedded,
  labels: Int32Array,
  clusters: number,
): number {
  const rows = evenly(labels.length, MOST_SILHOUETTES);
  return silhouette(pickRows(points, dimensions, rows), rows.map((row) => labels[row]!), {
    n: rows.length,
    dimensions,
    clusters,
  });
}

/** How far an image is from a facet's centre, where images are grouped. */
export function distanceToCentre(
  { embedding, labels, centres }: Pick<Facets, "embedding" | "labels" | "centres">,
  image: number,
  facet: number,
): number {
  const dimensions = embedding.length / labels.length;
  let square = 0;
  for (let d = 0; d < dimensions; d++) {
    square += (embedding[image * dimensions + d]! - centres[facet * dimensions + d]!) ** 2;
  }
  return Math.sqrt(square);
}

/** [n, 2] and [facets, 2] what to draw of a facets' embedding: its first two dimensions. */
export function planeOf(
  { embedding, labels, centres }: Facets,
): { embedding: Float64Array; centres: Float64Array } {
  const dimensions = embedding.length / labels.length;
  const firstTwo = (values: Float64Array) =>
    Float64Array.from(
      { length: 2 * values.length / dimensions },
      (_, j) => j % 2 < dimensions ? values[(j >> 1) * dimensions + j % 2]! : 0,
    );
  return { embedding: firstTwo(embedding), centres: firstTwo(centres) };
}
