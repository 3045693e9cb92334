/** What came of a run, as its manifest says it. */
import type { Grown, PictureInfo, Visualization } from "../events.ts";
import { planeOf } from "../facets/facets.ts";
import type { Learned } from "../loop/learning.ts";
import type { SourceImage } from "../photos/images.ts";

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
function shapesOf({ alpha = new Float32Array(), scale = new Float32Array() }: Learned) {
  // The same formulas as robustAlpha and robustScale.
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  return {
    alpha: Array.from(alpha, (v) => 0.001 + 1.998 * sigmoid(v)),
    c: Array.from(scale, (v) => 1e-5 + (1 - 1e-5) * softplus(v + Math.log(Math.E - 1))),
  };
}

/** The name of a picture's folder: `facet_01`, `channel_0012`, `class_ant`. */
export function folderOf(name: string, digits: number): string {
  return name.normalize("NFC").replaceAll(/\d+/g, (number) => number.padStart(digits, "0"))
    .replaceAll(/[^\p{L}\p{N}]+/gu, "_").replace(/^_+|_+$/g, "").slice(0, 80) || "picture";
}

/** Folders of some pictures, none twice. */
export function foldersOf(names: readonly string[]): string[] {
  const most = Math.max(...names.join(" ").match(/\d+/g)?.map((number) => number.length) ?? [0]);
  const folders: string[] = [];
  for (const name of names) {
    const plain = folderOf(name, Math.max(2, most));
    let folder = plain;
    for (let i = 2; folders.includes(folder); i++) folder = `${plain}_${i}`;
    folders.push(folder);
  }
  return folders;
}

/** What findings are told with. */
export interface Told {
  /** The images of the run. */
  readonly images: readonly SourceImage[];
  /** The pictures, as the run said they would be. */
  readonly pictures: readonly PictureInfo[];
  /** What a person should know. */
  readonly notes: readonly string[];
}

/** What the manifest is to say of a run that is over. */
export function findingsOf(run: Grown | Visualization, told: Told): Record<string, unknown> {
  return {
    ...(run.aborted ? { ended_after: run.iterations } : {}),
    ...(told.notes.length > 0 ? { notes: told.notes, stopped: run.stopped } : {}),
    ...("facets" in run ? ofFacets(run, told) : ofWishes(run, told)),
  };
}

/** What came of pictures that are not of facets. */
function ofWishes(run: Grown, { images, pictures }: Told): Record<string, unknown> {
  const folders = foldersOf(pictures.map(({ name }) => name));
  return {
    seconds: run.seconds,
    pictures: pictures.map(({ name, photos }, i) => ({
      name,
      folder: folders[i],
      photos: photos.map(({ image, answer }) => ({ image: images[image]!.name, answer })),
      before: run.before[i],
      after: run.after[i],
    })),
  };
}

function ofFacets(run: Visualization, { images, pictures }: Told): Record<string, unknown> {
  const folders = foldersOf(pictures.map(({ name }) => name));
  const plane = planeOf(run.facets);
  return {
    seconds: run.seconds,
    summary: summarise(run),
    ...(run.learned ? { adaptive: shapesOf(run.learned) } : {}),
    facet_structure: { ...run.analysis.judgement, candidates: run.analysis.candidates },
    facets: run.targets.map((target, i) => ({
      facet: i + 1,
      folder: folders[i],
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
