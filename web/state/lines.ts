/** The lines of a run's record, as a page reads them: docs/events.md. */

/** Numbers by name; those that JSON has no word for are texts. */
export type LineMetrics = Readonly<Record<string, number | string>>;

/** What a batch of pictures, or a whole run, came to. */
export interface LineGrown {
  readonly names: readonly string[];
  readonly size: number;
  readonly iterations: number;
  readonly aborted: boolean;
  readonly stopped: readonly { picture: number; iteration: number; reason: string }[];
  readonly before: readonly LineMetrics[];
  readonly after: readonly LineMetrics[];
  readonly seconds: { readonly compile: number; readonly loop: number };
}

/** Which network, layer and parameters a run has: what its manifest says, and more. */
export interface RunHead {
  readonly version: string;
  readonly title: string;
  readonly command?: string;
  readonly model?: string;
  readonly layer?: string | readonly string[];
  readonly seed?: number;
  readonly size?: number;
  readonly init?: string;
  readonly weights?: string;
  readonly preset?: string;
  /** The preset's own values, by the names of the parameters. */
  readonly preset_values?: Readonly<Record<string, unknown>>;
  /** The parameters of each octave. */
  readonly octaves?: readonly Readonly<Record<string, unknown>>[];
  readonly adapter?: { readonly name?: string; readonly software?: boolean };
  readonly versions?: Readonly<Record<string, string>>;
  readonly skipped?: readonly { readonly file: string; readonly reason: string }[];
  readonly [more: string]: unknown;
}

/** Whether facets are there at all, and how sure that is. */
export interface LineJudgement {
  readonly verdict: string;
  readonly silhouette: number;
  readonly stability: number;
  readonly resampling?: number;
  readonly structure?: "clear" | "weak" | "none";
  readonly chance?: { readonly mean: number; readonly deviation: number };
  /** How many were judged. */
  readonly images?: number;
  readonly [more: string]: unknown;
}

/** A line. */
export type Line =
  | { kind: "run" } & RunHead
  | { kind: "activations"; done: number; total: number }
  | { kind: "stage"; stage: string; done: number; total: number }
  | {
    kind: "facets";
    labels: readonly number[];
    sizes: readonly number[];
    embedding: readonly (readonly [number, number])[];
    centres: readonly (readonly [number, number])[];
    targets: readonly {
      images: readonly number[];
      weights: readonly number[];
      channels: readonly number[];
    }[];
    candidates: readonly { facets: number; silhouette: number }[];
    judgement: LineJudgement;
  }
  | {
    kind: "photos";
    photos: readonly { image: number; name: string; thumbnail?: string }[];
  }
  | {
    kind: "started";
    pictures: readonly {
      name: string;
      photos: readonly { image: number; answer: number }[];
    }[];
    metrics: readonly string[];
  }
  | {
    kind: "ready";
    octave: number;
    size: number;
    memory: { plan: number; constants: number };
    before: readonly LineMetrics[];
  }
  | {
    kind: "iterations";
    results: readonly {
      iteration: number;
      metrics: readonly LineMetrics[];
      stopped: readonly number[];
    }[];
    total: number;
    first?: number;
  }
  | {
    kind: "pictures";
    iteration: number;
    size: number;
    count: number;
    save: boolean;
    first?: number;
    images?: readonly string[];
  }
  | { kind: "batch"; first: number; grown: LineGrown; images?: readonly string[] }
  | { kind: "note"; text: string }
  | { kind: "finished"; grown: LineGrown; images?: readonly string[] };
