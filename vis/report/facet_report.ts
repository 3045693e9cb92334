/** The files of an analysis: the map of the folder, the images of each facet, and all numbers. */
import { type FacetAnalysis, planeOf } from "../facets/facets.ts";
import { textStrokes } from "./font.ts";
import { writeWhole } from "../../base/atomic_file.ts";
import { writePng } from "../photos/png.ts";
import { pixelsOf, type SourceImage } from "../photos/images.ts";
import type { Parameters } from "../parameters.ts";
import type { Rgba } from "../photos/rgba.ts";
import { drawScatter, facetName } from "./scatter.ts";
import { drawContactSheet, LABEL } from "./strip.ts";
import { membersByDistance, weightsOf } from "../facets/targets.ts";

/** Where and what to write. */
export interface FacetReportOptions {
  /** The folder; made when the first file is written. */
  readonly folder: string;
  /** Side of the images. */
  readonly size: number;
  /** The images. */
  readonly images: readonly SourceImage[];
  /** Stands above the plots, such as `ants in squeezenet1_1 features.12`. */
  readonly title: string;
  /** Images per facet that would make its target; 10 by default. */
  readonly nearest?: number;
  /** How their distances become weights; `median` by default. */
  readonly weighting?: Parameters["weighting"];
}

/** An image that speaks for its facet. */
export interface ChosenImage {
  /** Its name. */
  readonly image: string;
  /** To the facet's centre, where images are grouped. */
  readonly distance: number;
  /** Its share in the facet's target. */
  readonly weight: number;
}

/** Width of an image on the contact sheet. */
const TILE = 112;

/**
 * Writes `facets.png` (the map), `contact.png` (the images nearest to each facet's centre, a row per
 * facet) and `facets.json`.
 *
 * @param provenance How the results came about; stands first in the JSON.
 * @returns Per facet the images nearest to its centre, which would make its target.
 */
export async function writeFacetReport(
  analysis: FacetAnalysis,
  { folder, size, images, title, nearest = 10, weighting = "median" }: FacetReportOptions,
  provenance: Record<string, unknown>,
): Promise<ChosenImage[][]> {
  const { facets, judgement, candidates } = analysis;
  const members = Array.from(
    facets.sizes,
    (_, facet) => membersByDistance(facets, facet).slice(0, nearest),
  );
  const chosen = members.map((some) => {
    const weights = weightsOf(some.map(({ distance }) => distance), weighting);
    return some.map(({ image, distance }, i): ChosenImage => ({
      image: images[image]!.name,
      distance,
      weight: weights[i]!,
    }));
  });

  const rows: { title: string; frames: { label: string; picture: Float32Array }[] }[] = [];
  for (const [facet, some] of members.entries()) {
    const frames: { label: string; picture: Float32Array }[] = [];
    for (const { image } of some) {
      const { name } = images[image]!;
      frames.push({ label: shortened(name), picture: await pixelsOf(images[image]!) });
    }
    rows.push({ title: `${facetName(facet, facets.sizes[facet]!)}, nearest first`, frames });
  }
  const thumbnails = rows.map(({ frames }) => frames[0]!.picture);
  const note = judgement.verdict;
  const map: Rgba = drawScatter(facets, { thumbnails, size, title, note });
  await writePng(folder, "facets.png", map);
  const contact = drawContactSheet(rows, { size, tile: TILE, columns: 1 });
  await writePng(folder, "contact.png", contact);

  const plane = planeOf(facets);
  const report = {
    ...provenance,
    facet_structure: { ...judgement, candidates },
    facets: chosen.map((some, i) => ({
      facet: i + 1,
      images: facets.sizes[i]!,
      centre: [plane.centres[2 * i], plane.centres[2 * i + 1]],
      chosen: some,
    })),
    images: images.map(({ name }, i) => ({
      image: name,
      facet: facets.labels[i]! + 1,
      embedding: [plane.embedding[2 * i], plane.embedding[2 * i + 1]],
    })),
  };
  await writeWhole(folder, "facets.json", JSON.stringify(report, null, 2) + "\n");
  return chosen;
}

/** A file's name cut in the middle, where it says least, so that it fits under its image. */
function shortened(name: string): string {
  const stem = name.replace(/\.\w+$/, "");
  const cuts = Array.from(stem, (_, i) => {
    const length = stem.length - 1 - i;
    const head = Math.ceil(length / 2);
    return `${stem.slice(0, head)}..${stem.slice(stem.length - (length - head))}`;
  });
  const fits = (label: string) => textStrokes(label, LABEL).width <= TILE - 4;
  return [name, stem, ...cuts].find(fits) ?? "";
}
