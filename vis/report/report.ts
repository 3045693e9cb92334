/** The files a run leaves behind. */
import { writeWhole } from "../../base/atomic_file.ts";
import type { Grown, PictureInfo, RunEvent, Visualization } from "../events.ts";
import type { FacetAnalysis } from "../facets/facets.ts";
import type { Target } from "../facets/targets.ts";
import type { IterationResult } from "../loop/loop.ts";
import { pixelsAt, pixelsOf, type SourceImage } from "../photos/images.ts";
import { writePng } from "../photos/png.ts";
import type { Rgba } from "../photos/rgba.ts";
import { Film } from "./film.ts";
import { findingsOf, foldersOf, summarise } from "./findings.ts";
import { facetName } from "./map.ts";
import { mapSvg, THUMBNAIL } from "./map_svg.ts";
import { type SheetPicture, type SheetRow, sheetSvg, tileOf } from "./sheet_svg.ts";
import { atSide, type Square, squareRgba, tileRows, webpUri } from "./tiles.ts";

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
  /** Side of the films that are to be made of the pictures, if any are. */
  readonly film?: number | undefined;
}

/** Photos shown beside a picture. */
const PHOTOS_BESIDE = 4;

/** More pictures get a sheet of small ones, without their starts. */
const MOST_IN_OVERVIEW = 24;

/** Side of the pictures of that sheet, in pixels, and how many stand in a row. */
const SMALL = 112;
const IN_A_ROW = 12;

/** Side of pictures in captioned sheets, at most: they are drawn smaller, but may be looked into. */
const FINE = 360;

const rounded = (value: number) => String(Number(value.toPrecision(3)));

/** Pictures that stand beside each other on a sheet. */
interface Row {
  title?: string;
  pictures: { picture: Square; caption: string }[];
}

/** Writes a run's files as they become known. A file is either there and whole or not there. */
export class Report {
  readonly #options: ReportOptions;
  readonly #rows: { first: number; results: readonly IterationResult[] }[] = [];
  readonly #notes: string[] = [];
  #pictures: readonly PictureInfo[] = [];
  #metrics: readonly string[] = [];
  #facets: FacetAnalysis | undefined;
  #frames: Square[][] = [];
  #films: (Film | undefined)[] = [];
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
    const { film } = this.#options;
    this.#films = pictures.map(() => film === undefined ? undefined : new Film(film));
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
    await this.#writeSheets(run);
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
      const frames = this.#frames[i]!.map((frame) => atSide(frame, size));
      await this.#png(`${this.#folders[i]}/final.png`, squareRgba(frames.at(-1)!));
      const strip = tileRows([frames], { tile: tileOf(size), columns: 1 });
      await this.#png(`${this.#folders[i]}/progress.png`, strip);
      const film = this.#films[i]?.end();
      if (film) await writeWhole(this.#options.folder, `${this.#folders[i]}/film.gif`, film);
      this.#close(i, size);
    }
  }

  /** Nothing more comes of a picture: of many only a small copy is kept. */
  #close(i: number, size: number): void {
    const frames = this.#frames[i]!.map((frame) => atSide(frame, size));
    this.#frames[i] = this.#many ? [atSide(frames.at(-1)!, SMALL)] : frames;
    this.#films[i] = undefined;
    this.#written.add(i);
  }

  /** Writes all pictures on one sheet, and the same with captions. */
  async #writeSheets(run: Grown | Visualization): Promise<void> {
    const begun = [...this.#frames.keys()].filter((i) => this.#frames[i]!.length > 0);
    const tile = this.#many ? SMALL : tileOf(run.size);
    const rows = this.#many ? this.#inRows(begun) : await this.#overview(begun, run);
    const plain = rows.map(({ pictures }) => pictures.map(({ picture }) => picture));
    const columns = this.#many ? { columns: 1 } : {};
    await this.#png("overview.png", tileRows(plain, { tile, ...columns }));
    const captioned: SheetRow[] = [];
    for (const { title, pictures } of rows) {
      const row: SheetPicture[] = [];
      for (const { picture, caption } of pictures) {
        row.push({ href: await webpUri(picture, FINE), caption });
      }
      captioned.push({ ...(title === undefined ? {} : { title }), pictures: row });
    }
    const { title } = this.#options;
    const names = begun.map((i) => this.#titleOf(i)).join(", ");
    const sheet = sheetSvg(captioned, {
      title,
      description: this.#many
        ? `${begun.length} pictures: ${names}`
        : `The start and the end of each picture: ${names}`,
      tile,
      ...columns,
    });
    await this.#write("sheet.svg", sheet);
  }

  /** All pictures with their names, some in a row. */
  #inRows(begun: readonly number[]): Row[] {
    const pictures = begun.map((i) => ({
      picture: this.#frames[i]!.at(-1)!,
      caption: this.#pictures[i]!.name,
    }));
    return Array.from(
      { length: Math.ceil(begun.length / IN_A_ROW) },
      (_, row) => ({ pictures: pictures.slice(row * IN_A_ROW, (row + 1) * IN_A_ROW) }),
    );
  }

  /** Each picture's start and end, and, where there are photos that are not a facet's, these. */
  async #overview(begun: readonly number[], run: Grown | Visualization): Promise<Row[]> {
    const { images } = this.#options;
    const rows: Row[] = [];
    for (const i of begun) {
      const frames = this.#frames[i]!;
      const [start, final] = this.#measuresOf(i, run);
      const pictures = [
        { picture: atSide(frames[0]!, run.size), caption: `start${start}` },
        { picture: frames.at(-1)!, caption: `final${final}` },
      ];
      const beside = this.#facets ? [] : this.#pictures[i]!.photos.slice(0, PHOTOS_BESIDE);
      for (const { image, answer } of beside) {
        const picture = atSide(await pixelsOf(images[image]!), run.size);
        pictures.push({ picture, caption: `${images[image]!.name}: ${rounded(answer)}` });
      }
      rows.push({ title: this.#titleOf(i), pictures });
    }
    return rows;
  }

  /** What is measured of a picture's start and of its end, in words. */
  #measuresOf(i: number, run: Grown | Visualization): [string, string] {
    if ("facets" in run) {
      const { own, distance } = summarise(run)[i]!;
      return [0, 1].map((end) =>
        `: own ${own[end]!.toFixed(2)}, distance ${distance[end]!.toPrecision(2)}`
      ) as [string, string];
    }
    const shown = this.#metrics[1] ?? "loss";
    const of = (metrics: Grown["before"][number] | undefined) =>
      metrics ? `: ${shown} ${rounded(metrics[shown]!)}` : "";
    return [of(run.before[i]), of(run.after[i])];
  }

  async #writeMap(analysis: FacetAnalysis, targets: readonly Target[]): Promise<void> {
    const { images, size, title } = this.#options;
    const nearest = targets.map(({ indices }) => images[indices[0]!]!);
    const thumbnails: { href: string; name: string }[] = [];
    for (const image of nearest) {
      const href = await webpUri(await pixelsAt(image, size), 2 * THUMBNAIL);
      thumbnails.push({ href, name: image.name });
    }
    const names = images.map(({ name }) => name);
    const note = analysis.judgement.verdict;
    await this.#write("facets.svg", mapSvg(analysis.facets, { names, thumbnails, title, note }));
  }

  /** Frames are kept as they are saved: in whole levels. */
  #addFrames(
    { iteration, pictures, size, film, first = 0 }: Extract<RunEvent, { kind: "pictures" }>,
  ) {
    const plane = 3 * size * size;
    const count = pictures.length / plane;
    for (let k = 0; k < count; k++) {
      const picture = Uint8ClampedArray.from(pictures.subarray(k * plane, (k + 1) * plane));
      this.#films[first + k]?.add(iteration, picture);
      if (!film) this.#frames[first + k]!.push(picture);
    }
    return { first, count };
  }

  async #takePictures(event: Extract<RunEvent, { kind: "pictures" }>): Promise<void> {
    const { first, count } = this.#addFrames(event);
    if (!event.save) return;
    const number = String(event.iteration).padStart(4, "0");
    for (let i = first; i < first + count; i++) {
      const picture = squareRgba(this.#frames[i]!.at(-1)!);
      await this.#png(`${this.#folders[i]}/iteration_${number}.png`, picture);
    }
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
