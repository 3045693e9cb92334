/**
 * What a page knows of a run: the sum of the lines it has been told. A line that comes again, after a
 * break or because the run was gone on with, replaces what was there.
 */
import type { Line, LineJudgement, LineMetrics, RunHead } from "./lines.ts";

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

/** A picture that is grown. */
export interface PictureView {
  readonly name: string;
  /** The photos it stands for, best first: their numbers, and how much each counts or answers. */
  readonly photos: readonly { readonly image: number; readonly answer: number }[];
  /** As it was over the iterations, the first first. */
  frames: readonly Frame[];
  /** As it is at the end. */
  final: string | undefined;
  /** Its metrics at the start and at the end. */
  before: Metrics | undefined;
  after: Metrics | undefined;
  /** Why it was stopped before its time. */
  stopped: string | undefined;
}

/** Numbers by their names. */
export type Metrics = Readonly<Record<string, number>>;

/** The facets of the folder. */
export type FacetsView = Omit<Extract<Line, { kind: "facets" }>, "kind">;

/** How far a run is. */
export type Status = "waiting" | "looking" | "compiling" | "growing" | "ended" | "finished";

function numbers(metrics: LineMetrics): Metrics {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number(value)]));
}

/** A run as it is known so far. */
export class RunView {
  head: RunHead = { version: "", title: "" };
  status: Status = "waiting";
  /** Photos shown to the network, of all. */
  looked: { readonly done: number; readonly total: number } | undefined;
  facets: FacetsView | undefined;
  /** By their numbers. */
  readonly photos = new Map<number, PhotoView>();
  pictures: readonly PictureView[] = [];
  /** Names of the metrics. */
  metrics: readonly string[] = [];
  /** Per picture its metrics after each iteration, by the iteration. */
  readonly history = new Map<number, Map<number, Metrics>>();
  /** The last iteration of all, and of how many. */
  iteration = 0;
  total: number | undefined;
  readonly notes = new Set<string>();
  /** Seconds of compiling and of the loop, at the end. */
  seconds: { readonly compile: number; readonly loop: number } | undefined;
  /** Grows with every line. */
  version = 0;

  /** Whether facets were judged, and how. */
  get judgement(): LineJudgement | undefined {
    return this.facets?.judgement;
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

  /** Takes a line. */
  take(line: Line): void {
    this.version++;
    switch (line.kind) {
      case "run": {
        const { kind: _, ...head } = line;
        this.head = head;
        break;
      }
      case "activations":
        this.looked = { done: line.done, total: line.total };
        this.status = "looking";
        break;
      case "facets": {
        const { kind: _, ...facets } = line;
        this.facets = facets;
        this.status = "compiling";
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
          line.before.forEach((metrics, i) => this.#change(i, { before: numbers(metrics) }));
        }
        break;
      case "iterations":
        this.#iterate(line);
        break;
      case "pictures":
        line.images?.forEach((image, k) => {
          this.#addFrame((line.first ?? 0) + k, { iteration: line.iteration, image });
        });
        break;
      case "batch":
        this.#close(line.first, line);
        break;
      case "note":
        this.notes.add(line.text);
        break;
      case "finished":
        this.#close(0, line);
        this.status = line.grown.aborted ? "ended" : "finished";
        this.seconds = line.grown.seconds;
        break;
    }
  }

  #start({ pictures, metrics }: Extract<Line, { kind: "started" }>): void {
    this.status = "compiling";
    this.metrics = metrics;
    const known = new Map(this.pictures.map((picture) => [picture.name, picture]));
    this.pictures = pictures.map(({ name, photos }) => ({
      ...{ frames: [], final: undefined, before: undefined, after: undefined, stopped: undefined },
      ...known.get(name),
      ...{ name, photos },
    }));
  }

  #change(i: number, change: Partial<PictureView>): void {
    this.pictures = this.pictures.map((picture, at) =>
      at === i ? { ...picture, ...change } : picture
    );
  }

  #iterate({ results, total, first = 0 }: Extract<Line, { kind: "iterations" }>): void {
    this.status = "growing";
    this.total = total;
    for (const { iteration, metrics } of results) {
      this.iteration = iteration;
      metrics.forEach((each, k) => {
        const history = this.history.get(first + k) ?? new Map<number, Metrics>();
        history.set(iteration, numbers(each));
        this.history.set(first + k, history);
      });
    }
  }

  #addFrame(i: number, frame: Frame): void {
    const picture = this.pictures[i];
    if (!picture) return;
    const others = picture.frames.filter(({ iteration }) => iteration !== frame.iteration);
    const frames = [...others, frame].toSorted((a, b) => a.iteration - b.iteration);
    this.#change(i, { frames });
  }

  #close(
    first: number,
    { grown, images }: Pick<Extract<Line, { kind: "finished" }>, "grown" | "images">,
  ): void {
    grown.names.forEach((_, k) => {
      const stopped = grown.stopped.find(({ picture }) => picture === k);
      this.#change(first + k, {
        ...(images?.[k] === undefined ? {} : { final: images[k] }),
        ...(grown.before[k] ? { before: numbers(grown.before[k]) } : {}),
        ...(grown.after[k] ? { after: numbers(grown.after[k]) } : {}),
        stopped: stopped && `${stopped.reason} (iteration ${stopped.iteration})`,
      });
    });
    this.iteration = Math.max(this.iteration, grown.iterations);
  }
}
