/** The files a run leaves behind. */
import { type FacetAnalysis, planeOf } from "../facets/facets.ts";
import { writeWhole } from "../../base/atomic_file.ts";
import { writePng } from "../photos/png.ts";
import { pixelsOf, type SourceImage } from "../photos/images.ts";
import type { IterationResult, Learned } from "../loop/loop.ts";
import { METRICS, type Metrics } from "../objectives/objective.ts";
import { pictureToRgba, type Rgba } from "../photos/png.ts";
import { resizeArea } from "../photos/area_resize.ts";
import { drawScatter, facetName } from "./scatter.ts";
import { drawContactSheet, drawStrip, type Frame } from "./strip.ts";
import type { Target } from "../facets/targets.ts";
import type { Visualization, VisualizeEvent } from "../events.ts";

/** Where and what to write. */
export interface ReportOptions {
  /** The folder; made when the first file is written. */
  readonly folder: string;
  /** Side of the pictures. */
  readonly size: number;
  /** The images of the run. */
  readonly images: readonly SourceImage[];
  /** Stands above the plots, such as `ants in squeezenet1_1 features.12`. */
  readonly title: string;
}

/** One facet's start and end, for people and the manifest. */
export interface FacetSummary {
  /** From 1. */
  readonly facet: number;
  /** Number of images. */
  readonly images: number;
  /** The own channels' activation over the photos', at the start and at the end. */
  readonly own: readonly [start: number, end: number];
  /** Mean distance of the other channels from their targets, start and end. */
  readonly distance: readonly [start: number, end: number];
}

/** Start and end of each facet. */
export function summarise({ facets, before, after }: Visualization): FacetSummary[] {
  return before.map((start, i) => ({
    facet: i + 1,
    images: facets.sizes[i]!,
    own: [start.own, after[i]!.own],
    distance: [start.other_distance, after[i]!.other_distance],
  }));
}

/** The shape and scale of each channel that distance `adaptive` learned. */
function shapesOf({ alpha, scale }: Learned): { alpha: number[]; c: number[] } {
  // The same formulas as robustAlpha and robustScale.
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  return {
    alpha: Array.from(alpha, (v) => 0.001 + 1.998 * sigmoid(v)),
    c: Array.from(scale, (v) => 1e-5 + (1 - 1e-5) * softplus(v + Math.log(Math.E - 1))),
  };
}

const facetFolder = (facet: number) => `facet_${String(facet + 1).padStart(2, "0")}`;

/** Side of a square picture, [3,S,S]. */
const sideOf = (picture: ArrayLike<number>) => Math.sqrt(picture.length / 3);

/** A frame of another octave at the size of the last. */
function atSize({ label, picture }: Frame, size: number): Frame {
  const side = sideOf(picture);
  if (side === size) return { label, picture };
  const square = (length: number) => ({ width: length, height: length });
  return { label, picture: resizeArea(picture, square(side), square(size)) };
}

/** Writes a run's files as they become known. A file is either there and whole or not there. */
export class Report {
  readonly #options: ReportOptions;
  readonly #rows: IterationResult[] = [];
  #frames: Frame[][] = [];
  #folders: string[] = [];

  /** Nothing is written yet. */
  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** Takes note of what a run tells. */
  async take(event: VisualizeEvent): Promise<void> {
    if (event.kind === "facets") await this.#writeFacets(event.analysis, event.targets);
    else if (event.kind === "iterations") this.#rows.push(...event.results);
    else if (event.kind === "pictures") await this.#takePictures(event);
  }

  /** Writes what is only known at the end, and the manifest last. */
  async finish(run: Visualization, manifest: Record<string, unknown>): Promise<void> {
    const { size } = run;
    this.#frames = this.#frames.map((frames) => frames.map((frame) => atSize(frame, size)));
    for (const [i, frames] of this.#frames.entries()) {
      const title = facetName(i, run.facets.sizes[i]!);
      await this.#png(`${this.#folders[i]}/final.png`, this.#picture(frames.at(-1)!.picture));
      await this.#png(`${this.#folders[i]}/progress.png`, drawStrip({ title, frames }, { size }));
    }
    const sheet = this.#frames.map((frames, i) => ({
      title: `facet ${i + 1}`,
      frames: [{ ...frames[0]!, label: "start" }, { ...frames.at(-1)!, label: "final" }],
    }));
    await this.#png("overview.png", drawContactSheet(sheet, { size }));
    await this.#write("losses.csv", new TextEncoder().encode(this.#csv()));
    await this.#write(
      "manifest.json",
      new TextEncoder().encode(
        JSON.stringify(
          { ...manifest, ...this.#findings(run) },
          null,
          2,
        ) + "\n",
      ),
    );
  }

  async #writeFacets(analysis: FacetAnalysis, targets: readonly Target[]): Promise<void> {
    const { images, size, title } = this.#options;
    this.#folders = targets.map((_, i) => facetFolder(i));
    this.#frames = targets.map(() => []);
    const nearest = targets.map(({ indices }) => images[indices[0]!]!);
    const thumbnails = await Promise.all(nearest.map(pixelsOf));
    const note = analysis.judgement.verdict;
    await this.#png("facets.png", drawScatter(analysis.facets, { thumbnails, size, title, note }));
  }

  async #takePictures(
    { iteration, pictures, save }: Extract<VisualizeEvent, { kind: "pictures" }>,
  ): Promise<void> {
    const plane = pictures.length / this.#frames.length;
    for (const [i, frames] of this.#frames.entries()) {
      const picture = pictures.slice(i * plane, (i + 1) * plane);
      frames.push({ label: String(iteration), picture });
      const number = String(iteration).padStart(4, "0");
      if (save) {
        await this.#png(`${this.#folders[i]}/iteration_${number}.png`, this.#picture(picture));
      }
    }
  }

  #picture(values: ArrayLike<number>): Rgba {
    const size = sideOf(values);
    return { rgba: pictureToRgba(values, size, size), width: size, height: size };
  }

  #csv(): string {
    const lines = this.#rows.flatMap(({ iteration, metrics }) =>
      metrics.map((m: Metrics, i) => [iteration, i + 1, ...METRICS.map((name) => m[name])].join())
    );
    return [["iteration", "facet", ...METRICS].join(), ...lines].join("\n") + "\n";
  }

  #findings(run: Visualization): Record<string, unknown> {
    const { images } = this.#options;
    const plane = planeOf(run.facets);
    return {
      seconds: run.seconds,
      summary: summarise(run),
      ...(run.learned ? { adaptive: shapesOf(run.learned) } : {}),
      facet_structure: { ...run.analysis.judgement, candidates: run.analysis.candidates },
      facets: run.targets.map((target, i) => ({
        facet: i + 1,
        folder: this.#folders[i],
        centre: [plane.centres[2 * i], plane.centres[2 * i + 1]],
        chosen: target.indices.map((index, j) => ({
          image: images[index]!.name,
          distance: target.distances[j],
          weight: target.weights[j],
        })),
        channels: [...target.channels],
        targets: Array.from(target.channels, (channel) => target.target[channel]),
        before: run.before[i],
        after: run.after[i],
      })),
      images: images.map(({ name }, i) => ({
        image: name,
        facet: run.facets.labels[i]! + 1,
        embedding: [plane.embedding[2 * i], plane.embedding[2 * i + 1]],
      })),
    };
  }

  async #png(name: string, picture: Rgba): Promise<void> {
    await writePng(this.#options.folder, name, picture);
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    await writeWhole(this.#options.folder, name, bytes);
  }
}
