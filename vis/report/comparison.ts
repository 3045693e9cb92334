/** What differs between runs, and what came of each: from what their manifests say. */
import { isObject, type Manifest } from "./manifest.ts";

/** A line about the runs, a cell for each; nothing where a run has no such thing. */
export interface ComparedRow {
  /** What it is about. */
  readonly label: string;
  /** In the order of the runs. */
  readonly cells: readonly (string | undefined)[];
}

/** A picture that runs have in common, or that only some have. */
export interface ComparedPicture {
  /** What it is called: `facet 1`, `channel 12`. */
  readonly name: string;
  /** In the order of the runs: the folder in which a run has it, and what was measured of it. */
  readonly runs: readonly ({ readonly folder: string; readonly measured: string } | undefined)[];
}

/** What a run is about, by the names in its manifest, in this order. */
const ABOUT = [
  ...["status", "version", "model", "weights", "layer", "penalty", "wishes", "weigh"],
  ...["size", "preset", "init", "seed", "embedding"],
];

/** What of its config is said nowhere else in the manifest. */
const OF_CONFIG = ["images", "limit"];

/** A value as one reads it. */
function shown(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.map(shown).join(" ");
  if (!isObject(value)) return String(value);
  const pairs = Object.entries(value).map(([name, each]) => `${name}=${shown(each)}`);
  return pairs.length > 0 ? pairs.join(" ") : undefined;
}

/** All names of some objects, each once, in the order in which they come. */
function namesIn(objects: readonly unknown[]): string[] {
  return [...new Set(objects.filter(isObject).flatMap((object) => Object.keys(object)))];
}

/** The objects of a list that may be none. */
const objectsOf = (list: unknown): Record<string, unknown>[] =>
  Array.isArray(list) ? list.filter(isObject) : [];

/** What differs in what runs were asked to do and by whom: only that. */
export function differences(manifests: readonly Manifest[]): ComparedRow[] {
  const octaves = manifests.map(({ octaves }) => objectsOf(octaves));
  const most = Math.max(0, ...octaves.map((list) => list.length));
  const rows: ComparedRow[] = [
    ...ABOUT.map((name) => ({ label: name, cells: manifests.map((each) => shown(each[name])) })),
    ...OF_CONFIG.map((name) => ({
      label: name,
      cells: manifests.map(({ config }) => shown(isObject(config) ? config[name] : undefined)),
    })),
    {
      label: "adapter",
      cells: manifests.map(({ adapter }) => shown(isObject(adapter) ? adapter.name : undefined)),
    },
    { label: "facets", cells: manifests.map(({ facets }) => count(facets)) },
    { label: "octaves", cells: octaves.map((list) => String(list.length)) },
  ];
  for (let i = 0; i < most; i++) {
    const which = most > 1 ? `octave ${i + 1} ` : "";
    const some = octaves.map((list) => list[i]);
    for (const name of namesIn(some)) {
      rows.push({ label: `${which}${name}`, cells: some.map((octave) => shown(octave?.[name])) });
    }
  }
  return rows.filter(({ cells }) => new Set(cells).size > 1);
}

/** How many there are, where there are some. */
function count(list: unknown): string | undefined {
  return Array.isArray(list) ? String(list.length) : undefined;
}

/** A number to some digits. */
function number(value: unknown, digits: number): string {
  return typeof value === "number" ? String(Number(value.toPrecision(digits))) : "?";
}

/** The start and the end of what is measured. */
function change(name: string, start: unknown, end: unknown, digits = 3): string {
  return `${name} ${number(start, digits)} → ${number(end, digits)}`;
}

/** What was measured of a picture: of facets own activation and distance, of others the first. */
function measuredOf(picture: Record<string, unknown>, summary: unknown): string {
  if (isObject(summary)) {
    return [["own", 3] as const, ["distance", 2] as const].flatMap(([name, digits]) => {
      const both = summary[name];
      return Array.isArray(both) ? [change(name, both[0], both[1], digits)] : [];
    }).join(", ");
  }
  const { before, after } = picture;
  if (!isObject(before) || !isObject(after)) return "";
  const name = Object.keys(after)[1] ?? "loss";
  return change(name, before[name], after[name]);
}

/** The pictures of a run by their names. */
function picturesOf(manifest: Manifest) {
  const summary = objectsOf(manifest.summary);
  const found = [
    ...objectsOf(manifest.facets).map((picture, i) => ({
      name: `facet ${i + 1}`,
      picture,
      measured: measuredOf(picture, summary[i]),
    })),
    ...objectsOf(manifest.pictures).map((picture) => ({
      name: String(picture.name),
      picture,
      measured: measuredOf(picture, undefined),
    })),
  ];
  return new Map(
    found.map((
      { name, picture, measured },
    ) => [name, { folder: String(picture.folder), measured }]),
  );
}

/** What came of runs, picture by picture. */
export function picturesIn(manifests: readonly Manifest[]): ComparedPicture[] {
  const runs = manifests.map(picturesOf);
  const names = [...new Set(runs.flatMap((pictures) => [...pictures.keys()]))];
  return names.map((name) => ({ name, runs: runs.map((pictures) => pictures.get(name)) }));
}
