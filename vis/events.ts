/** What a run tells while it goes on, and what comes of it. */
import type { FacetAnalysis, Facets } from "./facets/facets.ts";
import type { Target } from "./facets/targets.ts";
import type { IterationResult, Learned } from "./loop/loop.ts";
import type { Metrics } from "./objectives/objective.ts";

/** What a run tells while it goes on. */
export type VisualizeEvent =
  /** Images the network has seen. */
  | { kind: "activations"; done: number; total: number }
  /** The facets are known, and what their pictures start from and should become. */
  | {
    kind: "facets";
    facets: Facets;
    targets: readonly Target[];
    analysis: FacetAnalysis;
  }
  /** An octave's programs are compiled; bytes of GPU memory they take. */
  | {
    kind: "ready";
    /** From 0. */
    octave: number;
    /** Side of its pictures. */
    size: number;
    memory: { plan: number; constants: number };
    /** Metrics of the pictures it starts from. */
    before: readonly Metrics[];
  }
  /** Iterations are done; they are counted from the first octave's first, as is `total`. */
  | { kind: "iterations"; results: readonly IterationResult[]; total: number }
  /** Pictures [K,3,S,S] in 0..255 after an iteration (0: the start). */
  | { kind: "pictures"; iteration: number; pictures: Float32Array; size: number; save: boolean };

/** The outcome of a run. */
export interface Visualization {
  /** Which images belong together. */
  readonly facets: Facets;
  /** How the number of facets was chosen and how much to trust them. */
  readonly analysis: FacetAnalysis;
  /** What each facet's picture started from and aimed at. */
  readonly targets: readonly Target[];
  /** [K,3,S,S] in 0..255. */
  readonly pictures: Float32Array;
  /** Side of the pictures: that of the last octave. */
  readonly size: number;
  /** What distance `adaptive` learned, if an octave used it. */
  readonly learned?: Learned | undefined;
  /** Each facet's metrics of the start picture, seen without a warp. */
  readonly before: readonly Metrics[];
  /** The same of the final picture. */
  readonly after: readonly Metrics[];
  /**
   * Seconds spent on finding facets and targets (with the images' activations, unless these were
   * given), on compiling, and in the loop.
   */
  readonly seconds: { facets: number; compile: number; loop: number };
}
