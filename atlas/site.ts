/** What the pages of an atlas are made of: in pieces, of which a page loads what is seen. */

/** A picture of a run. */
export interface SitePicture {
  /** Such as `facet 1` or `channel 12`. */
  readonly title: string;
  /** Where it lies in its run. */
  readonly folder: string;
  /** Images of the facet. */
  readonly images?: number | undefined;
}

/** A run, done or not; numbers are places in the index's lists. */
export interface SiteRun {
  readonly name: string;
  readonly network: number;
  readonly layer: number;
  /** Place among the runs of its layer. */
  readonly place: number;
  readonly folder?: number | undefined;
  readonly objective: number;
  readonly preset: number;
  readonly status: "done" | "failed" | "to do";
  readonly pictures: readonly SitePicture[];
}

/** How much of something is done. */
export interface Done {
  readonly done: number;
  readonly total: number;
}

/** What every page needs. */
export interface SiteIndex {
  readonly title: string;
  readonly networks: readonly {
    readonly name: string;
    readonly layers: readonly (Done & { readonly name: string; readonly channels: number })[];
  }[];
  readonly folders: readonly (Done & { readonly name: string })[];
  readonly objectives: readonly string[];
  readonly presets: readonly string[];
  readonly pictures: number;
}

/** A facet of another run that shares photos with one. */
export interface Alike {
  /** Place in the folder's list of runs. */
  readonly run: number;
  readonly facet: number;
  /** Photos in both of those in either. */
  readonly share: number;
}

/** The facets of a folder, in all layers. */
export interface SiteFolder {
  readonly runs: readonly SiteRun[];
  /** Of the next run with the same network, objective and preset: photos in each of both facets. */
  readonly flows: readonly {
    readonly from: number;
    readonly to: number;
    readonly photos: number[][];
  }[];
  /** For each run and facet the most alike of other runs, most alike first. */
  readonly alike: readonly (readonly (readonly Alike[])[])[];
}

/**
 * A picture that looks like one: its network, layer, its run's place in the layer, its own in the run,
 * and how much they are alike, in hundredths. In an order rather than by names, since there are many.
 */
export type LooksLike = readonly [
  network: number,
  layer: number,
  place: number,
  picture: number,
  like: number,
];

/** For some runs of a layer, each picture's most alike of other runs, most alike first. */
export type SiteLikes = readonly (readonly (readonly LooksLike[])[])[];

/** Runs whose likes are one piece. */
export const LIKES_TOGETHER = 20;

/** Where runs are, from the atlas's folder. */
export const RUNS = "runs";

/** Where small copies are, from the atlas's folder. */
export const SMALL = "small";

const addressOf = encodeURIComponent;

/** Where a picture of a run is, and its small copy, from the atlas's folder. */
export const pictureAt = {
  full: (run: string, folder: string) => `${RUNS}/${addressOf(run)}/${addressOf(folder)}/final.png`,
  small: (run: string, folder: string) => `${SMALL}/${addressOf(run)}/${addressOf(folder)}.webp`,
} as const;

/** Pieces by name: the page asks for these. */
export const piece = {
  index: "index",
  layer: (network: number, layer: number) => `layer-${network}-${layer}`,
  folder: (folder: number) => `folder-${folder}`,
  likes: (network: number, layer: number, place: number) =>
    `likes-${network}-${layer}-${Math.floor(place / LIKES_TOGETHER)}`,
} as const;

/** The facet of each photo, by the photo's name. */
export type Labels = ReadonlyMap<string, number>;

/** Photos in facet i of one run and facet j of another. */
export function flowOf(from: Labels, to: Labels, facets: readonly [number, number]): number[][] {
  const photos = Array.from({ length: facets[0] }, () => Array<number>(facets[1]).fill(0));
  for (const [photo, facet] of from) {
    const other = to.get(photo);
    if (other !== undefined) photos[facet]![other]!++;
  }
  return photos;
}

/** Facets that share fewer photos than this are not alike. */
const LEAST_SHARE = 0.3;

/** Facets that are told of as alike. */
const MOST_ALIKE = 6;

/** What there is to say of a folder's facets in several runs, in the order of these. */
export function folderPage(runs: readonly SiteRun[], labels: readonly Labels[]): SiteFolder {
  const counts = runs.map(({ pictures }) => pictures.length);
  const flow = (from: number, to: number) =>
    flowOf(labels[from]!, labels[to]!, [counts[from]!, counts[to]!]);
  const same = (a: SiteRun, b: SiteRun) =>
    a.network === b.network && a.objective === b.objective && a.preset === b.preset;
  const flows = runs.flatMap((run, from) => {
    const to = runs.findIndex((other, i) => i > from && same(run, other));
    return to < 0 ? [] : [{ from, to, photos: flow(from, to) }];
  });
  const alike = counts.map((count) => Array.from({ length: count }, (): Alike[] => []));
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  for (let a = 0; a < runs.length; a++) {
    for (let b = a + 1; b < runs.length; b++) {
      const photos = flow(a, b);
      photos.forEach((row, i) =>
        row.forEach((both, j) => {
          const either = sum(row) + sum(photos.map((other) => other[j]!)) - both;
          const share = either > 0 ? both / either : 0;
          if (share < LEAST_SHARE) return;
          alike[a]![i]!.push({ run: b, facet: j, share });
          alike[b]![j]!.push({ run: a, facet: i, share });
        })
      );
    }
  }
  const best = (list: readonly Alike[]) =>
    list.toSorted((x, y) => y.share - x.share || x.run - y.run).slice(0, MOST_ALIKE)
      .map((each) => ({ ...each, share: Number(each.share.toFixed(3)) }));
  return { runs, flows, alike: alike.map((facets) => facets.map(best)) };
}
