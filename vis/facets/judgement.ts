/**
 * Whether facets are there or were only cut out of one cloud.
 *
 * k-means returns as many groups as it is asked for, and t-SNE and UMAP make clumps even of noise: a
 * silhouette of 0.4 means nothing by itself. So the facets are compared with those that the same
 * steps (embedding, k-means, silhouette) find in data that has none: normally distributed with the
 * same variance along each principal component.
 *
 * (Shuffling each component over the images, another way to destroy structure, keeps two groups
 * that one component tells apart, and then calls chance what is as clear as can be.)
 */

import { Random } from "../../base/random.ts";
import { type Arrange, embed, type EmbeddingOptions, evenly, pickRows } from "./embedding.ts";
import { kmeans } from "./kmeans.ts";
import type { Components } from "./pca.ts";
import { adjustedRandIndex } from "./rand_index.ts";
import { silhouette } from "./silhouette.ts";
import type { Step, Steps } from "./steps.ts";

/** How much to trust facets. */
export interface Judgement {
  /** The judgement in one sentence, for people. */
  readonly verdict: string;
  /**
   * `clear`: the images fall into facets. `weak`: more than chance, but the facets flow into each
   * other. `none`: what one cloud of images would show as well. `undefined` when that cannot be told
   * (one facet, or fewer than ten images).
   */
  readonly structure: "clear" | "weak" | "none" | undefined;
  /** Mean silhouette of the facets in the embedding, of the images judged. */
  readonly silhouette: number;
  /** The same of data without facets: its mean and standard deviation over 20 draws. */
  readonly chance: { readonly mean: number; readonly deviation: number } | undefined;
  /** (silhouette - mean) / deviation; there is some structure from 5. */
  readonly excess: number | undefined;
  /** Mean adjusted Rand index of all pairs of five seeds: 1 when all find the same facets. */
  readonly stability: number;
  /**
   * The same where each seed also leaves out a random fifth of the images (pairs are compared on the
   * images both kept). t-SNE hardly depends on a seed, but very much on its images.
   */
  readonly resampling: number | undefined;
  /** Number of images judged, drawn evenly from a larger folder. */
  readonly images: number;
}

/** Draws of data without facets. */
const DRAWS = 20;

/**
 * Standard deviations above chance from which there is some structure. Measured on 32 folders and
 * layers (drawings of 1, 2, 4 and 20 motifs, noise, one texture, ants, mixtures; three networks):
 * noise and texture stay under 2.7, one motif under 4.5, ants under 5.3; what k-means sorted as the
 * drawings were made (adjusted Rand index above 0.4) starts at 9, but once at 4.5, where 20 motifs
 * had 6 drawings each.
 */
const BEYOND_CHANCE = 5;

/**
 * Times the silhouette of chance from which structure is clear: 1.4 and more where drawings were
 * sorted as they were made, 1.2 in ants. Deviations alone do not tell, they shrink as images grow in
 * number.
 */
const CLEAR = 1.25;

const WORDS = {
  clear: "clear facets",
  weak: "weak facet structure: the facets flow into each other",
  none: "NO FACET STRUCTURE: the facets are pieces of one cloud of images",
};

/** Seeds whose facets are compared. */
const SEEDS = 5;

/** Part of the images that each seed keeps for `resampling`. */
const KEPT = 0.8;

/** Judging embeds 29 times: on more images than this it takes longer than it is worth. */
const MOST_IMAGES = 300;

/** Fewer images than this tell nothing. */
const FEWEST_IMAGES = 10;

/** k-means starts here, enough for a few groups in a few hundred points. */
const RESTARTS = 50;

/** A smaller deviation is that of degenerate data (all images equal) and would make any excess. */
const LEAST_DEVIATION = 0.005;

/** What `judge` needs to know. */
export interface JudgeOptions extends EmbeddingOptions {
  /** Number of images. */
  n: number;
  /** Number of facets. */
  facets: number;
  /** Seeds everything. */
  seed: number;
  /** What arranges points for the embedding. */
  arrange: Arrange;
}

/** Judges the facets that an embedding of these components and k-means make, in steps. */
export function* judgeSteps(
  { scores, components, variances }: Components,
  options: JudgeOptions,
): Steps<Judgement> {
  const { facets } = options;
  const rows = evenly(options.n, MOST_IMAGES);
  const images = rows.length;
  const sample = pickRows(scores, components, rows);
  const facetsOf = (points: Float64Array, n: number, seed: number) => {
    const embedded = embed(points, { ...options, n, components, seed });
    const { labels } = kmeans(embedded.points, {
      n,
      dimensions: embedded.dimensions,
      clusters: facets,
      seed,
      restarts: RESTARTS,
    });
    const value = silhouette(embedded.points, labels, {
      n,
      dimensions: embedded.dimensions,
      clusters: facets,
    });
    return { labels, silhouette: value };
  };
  const { seed } = options;
  const seeds = Array.from({ length: SEEDS }, (_, i) => seed + i);
  const step = (done: number): Step => ({ stage: "judging", done, total: 2 * SEEDS + DRAWS });
  yield step(0);
  const found = [];
  for (const seed of seeds) {
    found.push(facetsOf(sample, images, seed));
    yield step(found.length);
  }
  const stability = meanOverPairs(found.map(({ labels }) => new Map(labels.entries())));
  const own = found[0]!.silhouette;
  const alike = variances.every((variance) => variance === 0);
  if (facets < 2 || alike || images < Math.max(FEWEST_IMAGES, 2 * facets)) {
    yield step(2 * SEEDS + DRAWS);
    return {
      verdict: facets < 2
        ? "there is only one facet, so there is nothing to judge"
        : alike
        ? "NO FACET STRUCTURE: the layer answers all images alike"
        : `${images} images are too few to judge ${facets} facets`,
      structure: facets > 1 && alike ? "none" : undefined,
      silhouette: own,
      chance: undefined,
      excess: undefined,
      stability,
      resampling: undefined,
      images,
    };
  }
  const resampled: Map<number, number>[] = [];
  for (const seed of seeds) {
    const kept = shuffled(images, new Random(seed)).slice(0, Math.ceil(KEPT * images));
    const { labels } = facetsOf(pickRows(sample, components, kept), kept.length, seed);
    resampled.push(new Map(kept.map((image, i) => [image, labels[i]!])));
    yield step(SEEDS + resampled.length);
  }
  const resampling = meanOverPairs(resampled);

  const random = new Random(seed);
  const draws: number[] = [];
  while (draws.length < DRAWS) {
    const cloud = Float64Array.from(
      { length: images * components },
      (_, j) => random.normal() * Math.sqrt(variances[j % components]!),
    );
    draws.push(facetsOf(cloud, images, seed).silhouette);
    yield step(2 * SEEDS + draws.length);
  }
  const mean = draws.reduce((sum, value) => sum + value, 0) / DRAWS;
  const squares = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (DRAWS - 1));
  const excess = (own - mean) / Math.max(deviation, LEAST_DEVIATION);
  const structure = excess < BEYOND_CHANCE ? "none" : own < CLEAR * mean ? "weak" : "clear";
  return {
    verdict: `${WORDS[structure]} (silhouette ${own.toFixed(2)}; one cloud gives ` +
      `${mean.toFixed(2)} ± ${deviation.toFixed(2)})`,
    structure,
    silhouette: own,
    chance: { mean, deviation },
    excess,
    stability,
    resampling,
    images,
  };
}

/** The numbers 0..n-1 in random order. */
function shuffled(n: number, random: Random): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Mean adjusted Rand index over all pairs of clusterings, each a map from an item to its group. */
function meanOverPairs(clusterings: readonly ReadonlyMap<number, number>[]): number {
  let [sum, pairs] = [0, 0];
  for (const [i, a] of clusterings.entries()) {
    for (const b of clusterings.slice(0, i)) {
      const both = [...a.keys()].filter((item) => b.has(item));
      const labels = (from: ReadonlyMap<number, number>) => both.map((item) => from.get(item)!);
      sum += adjustedRandIndex(labels(a), labels(b));
      pairs++;
    }
  }
  return sum / pairs;
}
