/**
 * What a page knows of a run: the sum of the lines it has been told. A line that comes again, after a
 * break or because the run was gone on with, replaces what was there.
 */
import type { Line, LineGrown, LineJudgement, LineMetrics, RunHead } from "./lines.ts";

/** A photo of the run. */
export interface PhotoView {
  readonly name: string;
  /** A small copy, where there is one. */
  readonly thumbnail: string | undefined;
}

/** A picture as it was after an iteration. */
export interface Frame {
  readonly iteration: number;
  readonly image: string;
}

/** A picture that is grown. A change makes another object. */
export interface PictureView {
  readonly name: string;
  /** The photos it stands for, best first: their numbers, and how much each counts or answers. */
  readonly photos: readonly { readonly image: number; readonly answer: number }[];
  /** As it was over the iterations, the first first. */
  readonly frames: readonly Frame[];
  /** As it is at the end, and after how many iterations that was. */
  readonly final: Frame | undefined;
  /** Its metrics at the start and at the end. */
  readonly before: Metrics | undefined;
  readonly after: Metrics | undefined;
  /** Why it was stopped before its time. */
  readonly stopped: string | undefined;
}

/** Numbers by their names. */
export type Metrics = Readonly<Record<string, number>>;

/** The facets of the folder. */
export type FacetsView = Omit<Extract<Line, { kind: "facets" }>, "kind">;

/** How far a run is. */
export type Status = "waiting" | "preparing" | "growing" | "ended" | "finished";

const NEW = {
  photos: [],
  frames: [],
  final: undefined,
  before: undefined,
  after: undefined,
  stopped: undefined,
};

function numbers(metrics: LineMetrics): Metrics {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number(value)]));
}

/** Frames with another one, in its place. */
function withFrame(frames: readonly Frame[], frame: Frame): Frame[] {
  const at = frames.findIndex(({ iteration }) => iteration >= frame.iteration);
  if (at < 0) return [...frames, frame];
  return frames.toSpliced(at, frames[at]!.iteration === frame.iteration ? 1 : 0, frame);
}

/** A run as it is known so far. */
export class RunView {
  head: RunHead = { version: "", title: "" };
  status: Status = "waiting";
  /** What is done before pictures grow, and how much of it: as the lines call it. */
  stage: { readonly name: string; readonly done: number; readonly total: number } | undefined;
  facets: FacetsView | undefined;
  /** By their numbers. */
  readonly photos = new Map<number, PhotoView>();
  pictures: readonly PictureView[] = [];
  /** Names of the metrics, the loss first. */
  metrics: readonly string[] = [];
  /** Per picture its metrics after each iteration, by the iteration. */
  readonly history = new Map<number, Map<number, Metrics>>();
  /** The last iteration of the pictures that are grown now, or were last, and of how many. */
  iteration = 0;
  total: number | undefined;
  readonly notes = new Set<string>();
  /** Seconds of compiling and of the loop, at the end. */
  seconds: { readonly compile: number; readonly loop: number } | undefined;
  /** Grows with every line. */
  version = 0;
  /** Pictures that are done, where they are grown in batches, and how many are grown now. */
  #done = 0;
  #now = 0;

  /** Whether facets were judged, and how. */
  get judgement(): LineJudgement | undefined {
    return this.facets?.judgement;
  }

  /** Whether it goes on. */
  get running(): boolean {
    return this.status !== "finished" && this.status !== "ended";
  }

  /** How much of the stage it is in is done, 0..1; nothing where that cannot be told. */
  get progress(): number | undefined {
    if (this.status === "finished") return 1;
    if (this.status === "preparing" && this.stage && this.stage.total > 1) {
      return this.stage.done / this.stage.total;
    }
    if (this.status !== "growing" || !this.total || this.pictures.length === 0) return undefined;
    const growing = (this.#now || this.pictures.length - this.#done) * this.iteration / this.total;
    return Math.min(1, (this.#done + growing) / this.pictures.length);
  }

  /** Nobody is at work on it any longer, whatever its lines say. */
  end(): void {
    if (this.status !== "finished") this.status = "ended";
  }

  /** Takes the lines of a text; what is no line of JSON is passed over. */
  takeText(text: string): void {
    for (const line of text.split("\n")) {
      if (line.trim() === "") continue;
      let parsed: unknown;
      try {
        parsed = JSON.parse(line);
      } catch {
        continue;
      }
      this.take(parsed as Line);
    }
  }

  /** Takes a line; kinds that it does not know tell it nothing. */
  take(line: Line): void {
    this.version++;
    switch (line.kind) {
      case "run": {
        const { kind: _, ...head } = line;
        this.head = head;
        break;
      }
      case "activations":
        this.#prepare("activations", line);
        break;
      case "stage":
        this.#prepare(line.stage, line);
        break;
      case "facets": {
        const { kind: _, ...facets } = line;
        this.facets = facets;
        break;
      }
      case "photos":
        for (const { image, name, thumbnail } of line.photos) {
          this.photos.set(image, { name, thumbnail });
        }
        break;
      case "started":
        this.#start(line);
        break;
      case "ready":
        this.status = "growing";
        if (line.octave === 0) {
          this.#now = line.before.length;
          this.iteration = 0;
          const before = line.before.map(numbers);
          this.#change(this.#done, before.length, (_, k) => ({ before: before[k] }));
        }
        break;
      case "iterations":
        this.#iterate(line);
        break;
      case "pictures": {
        const { iteration, images, first = 0 } = line;
        if (!images) break;
        this.#change(first, images.length, ({ frames }, k) => ({
          frames: withFrame(frames, { iteration, image: images[k]! }),
        }));
        break;
      }
      case "batch":
        this.#close(line.first, line.grown, line.images);
        this.#done = line.first + line.grown.names.length;
        this.#now = 0;
        this.iteration = 0;
        break;
      case "note":
        this.notes.add(line.text);
        break;
      case "finished":
        this.#close(0, line.grown, line.images);
        this.iteration = line.grown.iterations;
        this.status = line.grown.aborted ? "ended" : "finished";
        this.seconds = line.grown.seconds;
        break;
    }
  }

  #prepare(name: string, { done, total }: { done: number; total: number }): void {
    this.stage = { name, done, total };
    this.status = "preparing";
  }

  #start({ pictures, metrics }: Extract<Line, { kind: "started" }>): void {
    this.metrics = metrics;
    this.#done = 0;
    this.#now = 0;
    const known = new Map(this.pictures.map((picture) => [picture.name, picture]));
    this.pictures = pictures.map(({ name, photos }) => ({
      ...(known.get(name) ?? NEW),
      ...{ name, photos },
    }));
  }

  /** Changes some pictures. */
  #change(
    first: number,
    count: number,
    change: (picture: PictureView, k: number) => Partial<PictureView>,
  ): void {
    const pictures = [...this.pictures];
    for (let k = 0; k < count && first + k < pictures.length; k++) {
      const picture = pictures[first + k]!;
      pictures[first + k] = { ...picture, ...change(picture, k) };
    }
    this.pictures = pictures;
  }

  #iterate({ results, total, first = 0 }: Extract<Line, { kind: "iterations" }>): void {
    this.status = "growing";
    this.total = total;
    this.#done = first;
    for (const { iteration, metrics } of results) {
      this.iteration = iteration;
      this.#now = metrics.length;
      metrics.forEach((each, k) => {
        const history = this.history.get(first + k) ?? new Map<number, Metrics>();
        history.set(iteration, numbers(each));
        this.history.set(first + k, history);
      });
    }
  }

  #close(first: number, grown: LineGrown, images: readonly string[] | undefined): void {
    const { names, before, after, iterations } = grown;
    const stopped = new Map(grown.stopped.map((each) => [each.picture, each]));
    this.#change(first, names.length, (_, k) => {
      const why = stopped.get(k);
      return {
        ...(images?.[k] === undefined
          ? {}
          : { final: { iteration: iterations, image: images[k] } }),
        ...(before[k] ? { before: numbers(before[k]) } : {}),
        ...(after[k] ? { after: numbers(after[k]) } : {}),
        stopped: why && `${why.reason} (iteration ${why.iteration})`,
      };
    });
  }
}
