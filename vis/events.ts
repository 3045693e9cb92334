/** What a run tells while it goes on, and what comes of it. */
import type { FacetAnalysis, Facets } from "./facets/facets.ts";
import type { Stage } from "./facets/steps.ts";
import type { Target } from "./facets/targets.ts";
import type { Learned } from "./loop/learning.ts";
import type { IterationResult, Snapshot } from "./loop/loop.ts";
import type { FacetMetrics } from "./objectives/facets.ts";
import type { Metrics } from "./objectives/objective.ts";

/** A picture that is grown, for people. */
export interface PictureInfo {
  /** What it is called, such as `channel 12`. */
  readonly name: string;
  /** The photos that answer most to its wish, by their number among the run's images, best first. */
  readonly photos: readonly { readonly image: number; readonly answer: number }[];
}

/** What a run tells while it goes on. */
export type RunEvent =
  /** Images the network has seen. */
  | { kind: "activations"; done: number; total: number }
  /**
   * Something else is being done before pictures grow, and so much of it is done: facets are looked for,
   * their targets made, the photos' statistics taken, noise to start from tried, octaves compiled, of
   * which `ready` tells the end.
   */
  | {
    kind: "stage";
    stage: Stage | "targets" | "statistics" | "noise" | "compiling";
    done: number;
    total: number;
  }
  /** The facets are known, and what their pictures start from and should become. */
  | {
    kind: "facets";
    facets: Facets;
    targets: readonly Target[];
    analysis: FacetAnalysis;
  }
  /** It is known what pictures there will be, and what will be written down for each. */
  | { kind: "started"; pictures: readonly PictureInfo[]; metrics: readonly string[] }
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
  | {
    kind: "iterations";
    results: readonly IterationResult[];
    total: number;
    /** The first picture they are of, where pictures are grown in batches. */
    first?: number;
  }
  /** Pictures [K,3,S,S] in 0..255 after an iteration (0: the start). */
  | {
    kind: "pictures";
    iteration: number;
    pictures: Float32Array;
    size: number;
    save: boolean;
    /** Whether they are handed out as frames of a film and for nothing else. */
    film?: true;
    /** The first of them, where pictures are grown in batches. */
    first?: number;
  }
  /** All that is needed to go on from here, told where the run was asked to keep it. */
  | {
    kind: "state";
    state: GrowState;
    /** The first picture it is of, where pictures are grown in batches. */
    first?: number;
  }
  /** A batch of pictures is done, the first of which has this number. */
  | { kind: "batch"; first: number; grown: Grown }
  /** Something that a person should know. */
  | { kind: "note"; text: string }
  /** It is over. */
  | { kind: "finished"; grown: Grown };

/** Whoever wants to know; the run waits for it. */
export type Listener = (event: RunEvent) => void | Promise<void>;

/** A picture that was stopped before its time. */
export interface StoppedPicture {
  /** Its number, from 0. */
  readonly picture: number;
  /** The iteration that would have spoilt it; it is as it was before. */
  readonly iteration: number;
  /** Why, as a phrase. */
  readonly reason: string;
}

/**
 * Growing pictures between two iterations: with the same options it goes on from here as if it had
 * never been interrupted, bit by bit on the same adapter and driver.
 */
export interface GrowState {
  /** Says what is grown: the start pictures, the octaves and the seed. */
  readonly identity: string;
  /** The octave, from 0. */
  readonly octave: number;
  /** Its loop. */
  readonly snapshot: Snapshot;
  /** Metrics of the start pictures. */
  readonly before: readonly Metrics[];
  /** Pictures that were stopped. */
  readonly stopped: readonly StoppedPicture[];
  /** Seconds so far. */
  readonly seconds: { readonly compile: number; readonly loop: number };
}

/** What came of growing pictures. */
export interface Grown {
  /** What they are called. */
  readonly names: readonly string[];
  /** [K,3,S,S] in 0..255. */
  readonly pictures: Float32Array;
  /** Side of the pictures: that of the last octave. */
  readonly size: number;
  /** Iterations done, over all octaves. */
  readonly iterations: number;
  /** Whether it was ended by a signal before all were done. */
  readonly aborted: boolean;
  /** Pictures that were stopped because their numbers went wrong. */
  readonly stopped: readonly StoppedPicture[];
  /** What the objective learned, such as the shape of distance `adaptive`. */
  readonly learned?: Learned | undefined;
  /** Each picture's metrics at the start, seen without a warp. */
  readonly before: readonly Metrics[];
  /** The same of the final picture. */
  readonly after: readonly Metrics[];
  /** Seconds spent on compiling and in the loop. */
  readonly seconds: { readonly compile: number; readonly loop: number };
}

/** The outcome of a run that looks for facets. */
export interface Visualization extends Omit<Grown, "seconds" | "before" | "after"> {
  /** Each facet's metrics at the start, seen without a warp. */
  readonly before: readonly FacetMetrics[];
  /** The same of the final picture. */
  readonly after: readonly FacetMetrics[];
  /** Which images belong together. */
  readonly facets: Facets;
  /** How the number of facets was chosen and how much to trust them. */
  readonly analysis: FacetAnalysis;
  /** What each facet's picture started from and aimed at. */
  readonly targets: readonly Target[];
  /**
   * Seconds spent on finding facets and targets (with the images' activations, unless these were
   * given), on compiling, and in the loop.
   */
  readonly seconds: { readonly facets: number; readonly compile: number; readonly loop: number };
}

/** What ends a run whose events nobody takes any longer. */
class NobodyListens extends Error {
  override name = "NobodyListens";
}

/**
 * The events of a run, one after the other: the run waits until each is asked for, and ends, giving
 * back all it holds, when no more are.
 *
 * @param run tells its events to the listener it is given
 */
export async function* eventsOf<T>(
  run: (tell: Listener) => Promise<T>,
): AsyncGenerator<RunEvent, T, void> {
  let told = Promise.withResolvers<RunEvent | undefined>();
  let taken = Promise.withResolvers<void>();
  const running = run(async (event) => {
    told.resolve(event);
    await taken.promise;
  });
  // However it ends, nobody waits for another event.
  const ended = running.then(() => told.resolve(undefined), () => told.resolve(undefined));
  try {
    for (let event = await told.promise; event; event = await told.promise) {
      yield event;
      told = Promise.withResolvers();
      const before = taken;
      taken = Promise.withResolvers();
      before.resolve();
    }
    return await running;
  } finally {
    taken.promise.catch(() => {});
    taken.reject(new NobodyListens("nobody takes the events of this run any longer"));
    await ended;
  }
}
