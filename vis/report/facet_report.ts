/** The files of an analysis: the map of the folder, the images of each facet, and all numbers. */
import { type FacetAnalysis, planeOf } from "../facets/facets.ts";
import { writeWhole } from "../../base/atomic_file.ts";
import { pixelsOf, type SourceImage } from "../photos/images.ts";
import type { Parameters } from "../parameters.ts";
import { membersByDistance, weightsOf } from "../facets/targets.ts";
import { facetName } from "./map.ts";
import { mapSvg, THUMBNAIL } from "./map_svg.ts";
import { type SheetPicture, sheetSvg } from "./sheet_svg.ts";
import { webpUri } from "./tiles.ts";

/** Where and what to write. */
export interface FacetReportOptions {
  /** The folder; made when the first file is written. */
  readonly folder: string;
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

/** Side of an image on the contact sheet, and how much finer it is than drawn. */
const TILE = 128;
const FINER = 2;

/**
 * Writes `facets.svg` (the map), `contact.svg` (the images nearest to each facet's centre, a row per
 * facet) and `facets.json`.
 *
 * @param provenance How the results came about; stands first in the JSON.
 * @returns Per facet the images nearest to its centre, which would make its target.
 */
export async function writeFacetReport(
  analysis: FacetAnalysis,
  { folder, images, title, nearest = 10, weighting = "median" }: FacetReportOptions,
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

  const rows: { title: string; pictures: SheetPicture[] }[] = [];
  for (const [facet, some] of members.entries()) {
    const pictures: SheetPicture[] = [];
    for (const { image } of some) {
      const href = await webpUri(await pixelsOf(images[image]!), FINER * TILE);
      pictures.push({ href, caption: images[image]!.name });
    }
    rows.push({ title: `${facetName(facet, facets.sizes[facet]!)}, nearest first`, pictures });
  }
  const thumbnails: { href: string; name: string }[] = [];
  for (const [nearest] of members) {
    const { image } = nearest!;
    const href = await webpUri(await pixelsOf(images[image]!), FINER * THUMBNAIL);
    thumbnails.push({ href, name: images[image]!.name });
  }
  const names = images.map(({ name }) => name);
  const note = judgement.verdict;
  await writeWhole(folder, "facets.svg", mapSvg(facets, { names, thumbnails, title, note }));
  const sheet = {
    title,
    description: `The images nearest to the centre of each of ${rows.length} facets`,
    tile: TILE,
    columns: 1,
  };
  await writeWhole(folder, "contact.svg", sheetSvg(rows, sheet));

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
