/** Facets: which images of a folder belong together in one layer. */

import { UserError } from "../kernels/errors.ts";
import { kmeans } from "./kmeans.ts";
import { pca } from "./pca.ts";
import { tsne } from "./tsne.ts";

/** Images grouped into facets; facet 0 is the largest. */
export interface Facets {
  /** [n, 2] each image's place in the t-SNE plane. */
  embedding: Float64Array;
  /** [n] facet of each image, 0..facets-1. */
  labels: Int32Array;
  /** [facets, 2] each facet's centre in the plane. */
  centres: Float64Array;
  /** [facets] number of images in each. */
  sizes: Int32Array;
}

/** What `findFacets` needs to know. */
export interface FacetOptions {
  /** Number of images. */
  n: number;
  /** Channels of the layer. */
  channels: number;
  /** Facets wanted. */
  facets: number;
  /** Seed of k-means (t-SNE hardly needs one). */
  seed: number;
  /** t-SNE's, 30 by default, at most (n - 1) / 3. */
  perplexity?: number | undefined;
}

/** Principal components that t-SNE sees, at most. */
const COMPONENTS = 50;

/**
 * k-means starts. With the usual 10, ten facets of a hundred photos still depend on the seed
 * (adjusted Rand index 0.6 to 0.7 between seeds; 0.8 to 0.9 with 100); a start costs under 1 ms.
 */
const RESTARTS = 200;

/**
 * Throws unless there are enough images.
 *
 * @throws {UserError} when there are fewer images than facets.
 */
export function requireImages(n: number, facets: number): void {
  if (n < facets) {
    throw new UserError(`${n} images cannot make ${facets} facets; add images or ask for fewer`);
  }
}

/**
 * Groups images by what a layer makes of them: PCA to 50 components, t-SNE to a plane, k-means
 * there. The same input and seed give the same facets, in the same order.
 *
 * Source: Stergiou, "The Mind's Eye: Visualizing Class-Agnostic Features of CNNs", ICIP 2021.
 *
 * @param pooled [n, channels] the layer's output for each image, averaged over the picture.
 * @throws {UserError} when there are fewer images than facets, or when the layer's
 * output is not finite.
 */
export function findFacets(
  pooled: Float32Array,
  { n, channels, facets, seed, perplexity }: FacetOptions,
): Facets {
  if (!Number.isInteger(facets) || facets < 1) {
    throw new UserError(`facets must be a whole number from 1, got ${facets}`);
  }
  requireImages(n, facets);
  if (!pooled.every(Number.isFinite)) {
    throw new UserError("the layer's output is not finite for every image; check the weights");
  }
  const { scores, components } = pca(pooled, { n, channels, components: COMPONENTS });
  const embedding = tsne(scores, { n, dimensions: components, perplexity, seed });
  const { labels, centres, sizes } = kmeans(embedding, {
    n,
    dimensions: 2,
    clusters: facets,
    seed,
    restarts: RESTARTS,
  });
  return { embedding, labels, centres, sizes };
}
