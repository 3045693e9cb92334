/**
 * How the page and the engine in its worker talk. The page does
 *
 *     const worker = new Worker("worker.js", { type: "module" });
 *     worker.onmessage = ({ data }: MessageEvent<Reply>) => …;
 *     worker.onerror = …; // it did not even load: a browser from before WebGPU
 *     worker.postMessage({ kind: "open", network: { kind: "builtin" } } satisfies Request);
 *
 * and hears, in this order:
 *
 * - `hello`, or `unusable` where nothing can be computed, once and unasked
 * - `kept` after that, unasked, if a run was left unfinished when the page was last closed
 * - to `open`: `opened`, or `failed`
 * - to `run` and `resume`: `begun`, then a `line` for each line of the record (what `events.jsonl` of
 *   a run's folder holds, and what RunView takes), then `ended`, or `failed`
 * - to `stop`: nothing of its own; the run ends between two iterations with `ended`, `aborted` set
 *
 * One run at a time: a `run` while one goes on is refused with `failed`. After `ended` with `aborted`,
 * and after a `failed` run whose `resumable` is set, `resume` goes on: lines that were told may come
 * again, and replace what was there.
 */
import type { EmbeddingOptions } from "../../vis/facets/embedding.ts";
import type { WishName } from "../../vis/objectives/kinds.ts";

/** What the page asks. */
export type Request =
  /** Opens a network; the one that was open is given back. */
  | { readonly kind: "open"; readonly network: NetworkChoice }
  /** Begins a run with the network that is open. */
  | { readonly kind: "run"; readonly run: RunRequest }
  /** Ends the run. */
  | { readonly kind: "stop" }
  /** Goes on with the run that was ended, or with the one that was `kept`. */
  | { readonly kind: "resume" }
  /** Forgets what was kept. */
  | { readonly kind: "forget" };

/** A network. */
export type NetworkChoice =
  /** The one that comes with the program. */
  | { readonly kind: "builtin" }
  /** One in files: safetensors, a PyTorch checkpoint, or ONNX with the files of its weights. */
  | {
    readonly kind: "files";
    readonly files: readonly File[];
    /** Which network the weights are of, where they do not make it certain. */
    readonly name?: string | undefined;
    /** How it wants its pictures, if not as its name or file says: `imagenet`, `half`, `0.5/0.5` … */
    readonly normalize?: string | undefined;
    /** The order of its colours, if not `rgb`. */
    readonly channelsOrder?: "rgb" | "bgr" | undefined;
  };

/** The photos of a run. */
export type PhotosChoice =
  /** The built-in drawings. */
  | { readonly kind: "drawings" }
  /** Files; those that are no pictures by their names are passed over. */
  | {
    readonly kind: "files";
    readonly files: readonly File[];
    /** What their folder is called: the manifest names it. */
    readonly folder: string;
  };

/** A run. What is left out is as on the command line. */
export interface RunRequest {
  /** None for wishes that start from noise. */
  readonly photos?: PhotosChoice | undefined;
  /** Full name of the layer, or `""` for wishes that need none. */
  readonly layer: string;
  /** The layer whose input is penalised: by default the last convolution before. */
  readonly penalty?: string | undefined;
  /** How many facets (3). */
  readonly facets?: number | "auto" | undefined;
  /** Where they are looked for (t-SNE's plane). */
  readonly embedding?: EmbeddingOptions | undefined;
  /** Grows pictures for these instead of facets: `{channels: "3,7,40-47"}`. */
  readonly wishes?: Partial<Readonly<Record<WishName, string>>> | undefined;
  /** A preset's name (`default`; for wishes without photos `noise`). */
  readonly preset?: string | undefined;
  /** Parameters that are others than the preset's, as text or as values: `{iterations: 50}`. */
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  /** The same for each octave; none makes one octave. */
  readonly octaves?: readonly Readonly<Record<string, unknown>>[] | undefined;
  /** Side of the pictures in pixels: by default what `Opened.sizes` says of the preset. */
  readonly size?: number | undefined;
  /** Seeds everything that is random (0). */
  readonly seed?: number | undefined;
  /** What pictures start from: by default `mean`, or `noise` where there are no photos. */
  readonly start?: "mean" | "noise" | File | undefined;
  /** Every how many iterations pictures are told of besides the usual ones (200). */
  readonly saveEvery?: number | undefined;
}

/** What the page hears. */
export type Reply =
  | Hello
  | Opened
  | Ended
  | Failed
  | Kept
  /** Nothing can be computed here; what to do about it. */
  | { readonly kind: "unusable"; readonly text: string }
  /** The run goes on, or has begun anew. */
  | { readonly kind: "begun"; readonly resumed: boolean }
  /** A line of the run's record, its end included. */
  | { readonly kind: "line"; readonly line: string };

/** What there is. */
export interface Hello {
  readonly kind: "hello";
  readonly version: string;
  readonly adapter: { readonly name: string; readonly software: boolean };
  /** The presets: all parameters of each, by the names people use. */
  readonly presets: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** The parameters of the method, in groups. */
  readonly parameters: readonly ParameterInfo[];
  /** Where facets may be looked for, and what each is. */
  readonly embeddings: Readonly<Record<string, string>>;
  /** The wishes that can be written down. */
  readonly wishes: readonly {
    readonly name: WishName;
    /** What is to be written, such as `3,7,40-47`. */
    readonly value: string;
    readonly help: string;
    /** Whether it needs a layer. */
    readonly layered: boolean;
    /** Whether pictures can be grown for it alone. */
    readonly alone: boolean;
  }[];
  /** The networks that are known by name. */
  readonly networks: readonly string[];
}

/** A parameter of the method. */
export interface ParameterInfo {
  /** Such as `start_lr`. */
  readonly name: string;
  readonly group: string;
  /** What it may be, as a phrase. */
  readonly allowed: string;
  readonly help: string;
}

/** A network that is open. */
export interface Opened {
  readonly kind: "opened";
  readonly name: string;
  /** What its weights are called. */
  readonly weights: string;
  /** Numbers in these. */
  readonly parameters: number;
  /** Side of the pictures it was made for, in pixels. */
  readonly inputSize: number;
  /** By preset, the usual side of a run's pictures. */
  readonly sizes: Readonly<Record<string, number>>;
  /** The layer to look at if no other is chosen. */
  readonly lastMap: string;
  /** Classes that it tells apart, if it does. */
  readonly classes: number | undefined;
  /** Its layers in their order. */
  readonly layers: readonly LayerInfo[];
  /** Why it cannot be run to its end at its own size, if so. */
  readonly stopped: string | undefined;
}

/** A layer of a network. */
export interface LayerInfo {
  /** Its full name. */
  readonly name: string;
  /** The class in PyTorch, such as `Conv2d`. */
  readonly type: string;
  /** Channels, height and width of what it gives for a picture of the network's own size. */
  readonly shape: readonly number[] | undefined;
}

/** A run is over, or was stopped. */
export interface Ended {
  readonly kind: "ended";
  /** Whether it was stopped, and can be gone on with. */
  readonly aborted: boolean;
  /** The pictures as far as they are; none if it was stopped before there were any. */
  readonly pictures: readonly {
    readonly name: string;
    /** Where the command line would put it. */
    readonly path: string;
    readonly png: Blob;
  }[];
  /** The run's manifest as JSON: a config that makes it again; none as there are no pictures. */
  readonly manifest: string | undefined;
}

/** Something could not be done. */
export interface Failed {
  readonly kind: "failed";
  readonly during: Request["kind"];
  /** What is wrong and what to do, for the person. */
  readonly text: string;
  /** Whether it is a fault of the program and not of what it was given. */
  readonly bug: boolean;
  /** Whether `resume` may go on from where the run was. */
  readonly resumable: boolean;
}

/** A run that was left unfinished. */
export interface Kept {
  readonly kind: "kept";
  readonly title: string;
  /** Iterations done, of how many. */
  readonly iteration: number;
  readonly total: number;
}
