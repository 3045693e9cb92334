/**
 * The record of a run: all that a page needs to show it, one event a line, with small copies of the
 * run's photos and pictures in it. The same lines make a report, feed a page while the run goes on,
 * and come from a worker in a browser.
 */
import { eventLine, EVENTS_FORMAT } from "../event_lines.ts";
import type { RunEvent } from "../events.ts";
import { evenly } from "../facets/embedding.ts";
import { resizeSquare } from "../photos/area_resize.ts";
import { pixelsOf, type SourceImage } from "../photos/images.ts";
import { pictureToRgba, type Rgba } from "../photos/rgba.ts";
import { chooseParameters, describeOctaves, PRESETS } from "../presets.ts";

/** How a record is written. */
export interface RecordOptions {
  /** The run's images. */
  readonly images: readonly SourceImage[];
  /** Makes a picture a text that a page can show: a data URI. */
  readonly encode: (picture: Rgba, quality: number) => Promise<string>;
  /** Takes a line, its end included. */
  readonly write: (line: string) => void;
  /** Whether the record has the photos already, of a run that is gone on with. */
  readonly hasPhotos?: boolean;
}

/** What of a manifest is for people who look at the run, and what its preset would have done. */
export function headOf(manifest: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { config: _, cwd: __, ...others } = manifest;
  const { preset } = manifest;
  if (typeof preset !== "string" || !Object.hasOwn(PRESETS, preset)) return others;
  const [values] = describeOctaves([chooseParameters(preset)]);
  return { ...others, preset_values: values };
}

/** Side of photos that speak for a picture, and of the others, in pixels. */
const CHOSEN = 160;
const OTHER = 64;

/** Photos that are shown at most. */
const MOST_PHOTOS = 1000;

/** Photos in a line. */
const IN_A_LINE = 25;

/** Sides of pictures: while they grow, at the end, and of many at the end. */
const FRAME = 256;
const FINAL = 512;
const SMALL = 128;

/** More pictures than this are shown small, and only as they are at the end. */
const MANY = 24;

/** Of WebP, 0..100. */
const QUALITY = { photo: 72, frame: 78, final: 88 };

/** Writes down what a run tells. */
export class Recorder {
  readonly #options: RecordOptions;
  readonly #photos = new Set<number>();
  #count = 0;
  #batches = false;

  /** Nothing is written yet. */
  constructor(options: RecordOptions) {
    this.#options = options;
  }

  /** Writes what the run is: to be called first. */
  begin(version: string, head: Readonly<Record<string, unknown>>): void {
    this.#write({ kind: "run", format: EVENTS_FORMAT, version, ...head });
  }

  /** Writes down an event. */
  async take(event: RunEvent): Promise<void> {
    const { write } = this.#options;
    // States, and frames of films in files, tell a page nothing.
    if (event.kind === "state" || event.kind === "pictures" && event.film) return;
    if (event.kind === "pictures") {
      const images = this.#count > MANY
        ? undefined
        : await this.#pictures(event.pictures, event.size, FRAME, QUALITY.frame);
      write(eventLine(event, { images }));
      return;
    }
    if (event.kind === "batch" || event.kind === "finished") {
      // Pictures that were told of as a batch are not shown twice.
      const shown = event.kind === "finished" && this.#batches;
      this.#batches ||= event.kind === "batch";
      const { pictures, size } = event.grown;
      const side = this.#count > MANY ? SMALL : FINAL;
      const images = shown ? undefined : await this.#pictures(pictures, size, side, QUALITY.final);
      write(eventLine(event, { images }));
      return;
    }
    write(eventLine(event));
    if (event.kind === "facets") {
      await this.#showPhotos(event.targets.flatMap(({ indices }) => [...indices]), true);
    }
    if (event.kind === "started") {
      this.#count = event.pictures.length;
      await this.#showPhotos(
        event.pictures.flatMap(({ photos }) => photos.map(({ image }) => image)),
        false,
      );
    }
  }

  #write(line: unknown): void {
    this.#options.write(JSON.stringify(line) + "\n");
  }

  /** Pictures [K,3,size,size] as data URIs. */
  async #pictures(pictures: Float32Array, size: number, most: number, quality: number) {
    const plane = 3 * size * size;
    const images: string[] = [];
    for (let at = 0; at < pictures.length; at += plane) {
      images.push(await this.#small(pictures.subarray(at, at + plane), most, quality));
    }
    return images;
  }

  async #small(picture: Float32Array, most: number, quality: number): Promise<string> {
    const size = Math.sqrt(picture.length / 3);
    const side = Math.min(size, most);
    const small = resizeSquare(picture, size, side);
    return await this.#options.encode(
      { width: side, height: side, rgba: pictureToRgba(small, side, side) },
      quality,
    );
  }

  /** Small copies of photos: larger ones of those chosen, and of the others where they are on a map. */
  async #showPhotos(chosen: readonly number[], all: boolean): Promise<void> {
    const { images, hasPhotos } = this.#options;
    if (hasPhotos) return;
    const first = new Set([...new Set(chosen)].slice(0, MOST_PHOTOS));
    const others = all ? [...images.keys()].filter((i) => !first.has(i)) : [];
    const some = evenly(others.length, MOST_PHOTOS - first.size).map((i) => others[i]!);
    const wanted = [
      ...[...first].map((image) => ({ image, side: CHOSEN })),
      ...some.map((image) => ({ image, side: OTHER })),
    ].filter(({ image }) => !this.#photos.has(image));
    for (let at = 0; at < wanted.length; at += IN_A_LINE) {
      const photos = [];
      for (const { image, side } of wanted.slice(at, at + IN_A_LINE)) {
        this.#photos.add(image);
        const { name } = images[image]!;
        const pixels = await pixelsOf(images[image]!);
        photos.push({ image, name, thumbnail: await this.#small(pixels, side, QUALITY.photo) });
      }
      this.#write({ kind: "photos", photos });
    }
    if (all) {
      // Photos that are only dots have names as well.
      const names = images.flatMap(({ name }, image) =>
        this.#photos.has(image) ? [] : [{ image, name }]
      );
      if (names.length > 0) this.#write({ kind: "photos", photos: names });
    }
  }
}
