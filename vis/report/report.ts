/** The files a run leaves behind. */
import { writeWhole } from "../../base/atomic_file.ts";
import type { Grown, PictureInfo, RunEvent, Visualization } from "../events.ts";
import type { FacetAnalysis } from "../facets/facets.ts";
import type { Target } from "../facets/targets.ts";
import type { IterationResult } from "../loop/loop.ts";
import { pixelsAt, pixelsOf, type SourceImage } from "../photos/images.ts";
import { writePng } from "../photos/png.ts";
import { pictureToRgba, type Rgba } from "../photos/rgba.ts";
import { resizeArea } from "../photos/area_resize.ts";
import { findingsOf, foldersOf } from "./findings.ts";
import { drawScatter, facetName } from "./scatter.ts";
import { drawContactSheet, drawStrip, type Frame } from "./strip.ts";

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

/** Side of a square picture, [3,S,S]. */
const sideOf = (picture: ArrayLike<number>) => Math.sqrt(picture.length / 3);

/** A frame at another size, that of the last octave. */
function atSize({ label, picture }: Frame, size: number): Frame {
  const side = sideOf(picture);
  if (side === size) return { label, picture };
  const square = (length: number) => ({ width: length, height: length });
  return { label, picture: resizeArea(picture, square(side), square(size)) };
}

/** Photos shown beside a picture. */
const PHOTOS_BESIDE = 4;

/** More pictures get a sheet of small ones instead of an overview. */
const MOST_IN_OVERVIEW = 24;

/** Side of the pictures of that sheet, in pixels, and how many stand in a row. */
const SMALL = 112;
const IN_A_ROW = 12;

/** A name that fits under a small picture. */
function shortName(name: string): string {
  const short = name.replace(/^(channel|class|direction) /, "");
  return short.length > 16 ? `${short.slice(0, 14)}..` : short;
}

/** Writes a run's files as they become known. A file is either there and whole or not there. */
export class Report {
  readonly #options: ReportOptions;
  readonly #rows: { first: number; results: readonly IterationResult[] }[] = [];
  readonly #notes: string[] = [];
  #pictures: readonly PictureInfo[] = [];
  #metrics: readonly string[] = [];
  #facets: FacetAnalysis | undefined;
  #frames: Frame[][] = [];
  #folders: string[] = [];
  readonly #written = new Set<number>();

  /** Nothing is written yet. */
  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** Takes note of what a run tells. */
  async take(event: RunEvent): Promise<void> {
    if (event.kind === "facets") {
      this.#facets = event.analysis;
      await this.#writeMap(event.analysis, event.targets);
    } else if (event.kind === "started") this.#start(event.pictures, event.metrics);
    else if (event.kind === "iterations") {
      this.#rows.push({ first: event.first ?? 0, results: event.results });
    } else if (event.kind === "pictures") await this.#takePictures(event);
    else if (event.kind === "batch") {
      await this.#writePictures(event.first, event.grown.names.length, event.grown.size);
    } else if (event.kind === "note") this.#notes.push(event.text);
  }

  /** Takes note of what a run told before it was interrupted, whose files are there. */
  takeAgain(event: RunEvent): void {
    if (event.kind === "iterations") {
      this.#rows.push({ first: event.first ?? 0, results: event.results });
    } else if (event.kind === "pictures") this.#addFrames(event);
    else if (event.kind === "note") this.#notes.push(event.text);
    else if (event.kind === "batch") {
      const { first, grown } = event;
      for (let i = first; i < first + grown.names.length; i++) this.#close(i, grown.size);
    }
  }

  #start(pictures: readonly PictureInfo[], metrics: readonly string[]): void {
    this.#pictures = pictures;
    this.#metrics = metrics;
    this.#folders = foldersOf(pictures.map(({ name }) => name));
    this.#frames = pictures.map(() => []);
  }

  /** The file in which all pictures are. */
  get sheetName(): string {
    return this.#many ? "contact.png" : "overview.png";
  }

  /** A picture's title: its name, and of a facet how many images are in it. */
  #titleOf(picture: number): string {
    const sizes = this.#facets?.facets.sizes;
    return sizes ? facetName(picture, sizes[picture]!) : this.#pictures[picture]!.name;
  }

  /**
   * Writes what is only known at the end.
   *
   * @returns what the manifest is to say of it
   */
  async finish(run: Grown | Visualization): Promise<Record<string, unknown>> {
    const { size } = run;
    await this.#writePictures(0, this.#frames.length, size);
    if (this.#many) {
      const rows = this.#captioned();
      await this.#png(this.sheetName, drawContactSheet(rows, { size: SMALL, columns: 1 }));
    } else {
      await this.#png(this.sheetName, drawContactSheet(await this.#overview(size), { size }));
    }
    await this.#write("losses.csv", this.#csv());
    return findingsOf(run, {
      images: this.#options.images,
      pictures: this.#pictures,
      notes: this.#notes,
    });
  }

  /** Whether there are too many pictures to show each with its start and its photos. */
  get #many(): boolean {
    return this.#pictures.length > MOST_IN_OVERVIEW;
  }

  /** Writes some pictures as they are at the end, once; of many only a small copy is kept. */
  async #writePictures(first: number, count: number, size: number): Promise<void> {
    for (let i = first; i < first + count; i++) {
      // A run that was ended early has pictures that were never begun.
      if (this.#written.has(i) || this.#frames[i]!.length === 0) continue;
      const frames = this.#frames[i]!.map((frame) => atSize(frame, size));
      const last = frames.at(-1)!;
      await this.#png(`${this.#folders[i]}/final.png`, this.#picture(last.picture));
      const title = this.#titleOf(i);
      await this.#png(`${this.#folders[i]}/progress.png`, drawStrip({ title, frames }, { size }));
      this.#close(i, size);
    }
  }

  /** Nothing more comes of a picture: of many only a small copy is kept. */
  #close(i: number, size: number): void {
    const frames = this.#frames[i]!.map((frame) => atSize(frame, size));
    this.#frames[i] = this.#many ? [atSize(frames.at(-1)!, SMALL)] : frames;
    this.#written.add(i);
  }

  /** All pictures with their names, some in a row. */
  #captioned() {
    const done = this.#frames.flatMap((frames, i) => {
      const last = frames.at(-1);
      return last ? [{ label: shortName(this.#pictures[i]!.name), picture: last.picture }] : [];
    });
    const rows = Math.ceil(done.length / IN_A_ROW);
    return Array.from({ length: rows }, (_, row) => {
      return { frames: done.slice(row * IN_A_ROW, (row + 1) * IN_A_ROW) };
    });
  }

  /** Each picture's start and end, and, where there are photos that are not a facet's, these. */
  async #overview(size: number) {
    const { images } = this.#options;
    const begun = [...this.#frames.keys()].filter((i) => this.#frames[i]!.length > 0);
    return await Promise.all(begun.map(async (i) => {
      const frames = this.#frames[i]!;
      const beside = this.#facets ? [] : this.#pictures[i]!.photos.slice(0, PHOTOS_BESIDE);
      const photos = await Promise.all(beside.map(async ({ image, answer }) => {
        const picture = await pixelsOf(images[image]!);
        return atSize({ label: `photo: ${answer.toPrecision(3)}`, picture }, size);
      }));
      return {
        title: this.#pictures[i]!.name,
        frames: [
          { ...frames[0]!, label: "start" },
          { ...frames.at(-1)!, label: "final" },
          ...photos,
        ],
      };
    }));
  }

  async #writeMap(analysis: FacetAnalysis, targets: readonly Target[]): Promise<void> {
    const { images, size, title } = this.#options;
    const nearest = targets.map(({ indices }) => images[indices[0]!]!);
    const thumbnails = await Promise.all(nearest.map((image) => pixelsAt(image, size)));
    const note = analysis.judgement.verdict;
    await this.#png("facets.png", drawScatter(analysis.facets, { thumbnails, size, title, note }));
  }

  /** Frames are kept as they are saved: in whole levels. */
  #addFrames({ iteration, pictures, size, first = 0 }: Extract<RunEvent, { kind: "pictures" }>) {
    const plane = 3 * size * size;
    const count = pictures.length / plane;
    for (let k = 0; k < count; k++) {
      const picture = Uint8ClampedArray.from(pictures.subarray(k * plane, (k + 1) * plane));
      this.#frames[first + k]!.push({ label: String(iteration), picture });
    }
    return { first, count };
  }

  async #takePictures(event: Extract<RunEvent, { kind: "pictures" }>): Promise<void> {
    const { first, count } = this.#addFrames(event);
    if (!event.save) return;
    const number = String(event.iteration).padStart(4, "0");
    for (let i = first; i < first + count; i++) {
      const { picture } = this.#frames[i]!.at(-1)!;
      await this.#png(`${this.#folders[i]}/iteration_${number}.png`, this.#picture(picture));
    }
  }

  #picture(values: ArrayLike<number>): Rgba {
    const size = sideOf(values);
    return { rgba: pictureToRgba(values, size, size), width: size, height: size };
  }

  #csv(): string {
    const lines = this.#rows.flatMap(({ first, results }) =>
      results.flatMap(({ iteration, metrics }) =>
        metrics.map((m, i) =>
          [iteration, first + i + 1, ...this.#metrics.map((name) => m[name])].join()
        )
      )
    );
    const picture = this.#facets ? "facet" : "picture";
    return [["iteration", picture, ...this.#metrics].join(), ...lines].join("\n") + "\n";
  }

  async #png(name: string, picture: Rgba): Promise<void> {
    await writePng(this.#options.folder, name, picture);
  }

  async #write(name: string, text: string): Promise<void> {
    await writeWhole(this.#options.folder, name, text);
  }
}
