/**
 * A plan: folders × networks × layers × objectives × presets, and the list of jobs it makes. A job is an
 * ordinary run, its config put together from the plan's pieces; its name says what it is, and ends in a
 * digest of all that its pictures depend on. So the same plan gives the same names, a larger one the
 * same and more, and what is done stays done.
 */
import { UserError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { sha256OfPieces } from "../base/sha256.ts";
import { WISH_NAMES } from "../vis/objectives/kinds.ts";

/** Options of a run by their names, `parameters` and `octaves` among them: a config or a part of one. */
export type Piece = Readonly<Record<string, unknown>>;

/** What a person writes. */
export interface Wanted {
  /** Folders of photos, one class each. */
  readonly folders: readonly {
    readonly path: string;
    readonly name?: string | undefined;
    readonly limit?: number | undefined;
    /** Whether it is the folders in it that are meant. */
    readonly each?: boolean | undefined;
  }[];
  /** Networks with their layers. */
  readonly networks: readonly { readonly layers: readonly string[]; readonly options: Piece }[];
  /** What pictures are to show; `photos` and `each` are said of wishes. */
  readonly objectives: readonly {
    /** Whether the photos of each folder are shown to it. */
    readonly photos: boolean;
    /** Channels a job. */
    readonly each: number;
    readonly options: Piece;
  }[];
  /** How they are grown. */
  readonly presets: readonly Piece[];
  /** Options of all jobs, such as `seed`. */
  readonly options: Piece;
}

/** A folder of photos as it was found. */
export interface PlannedFolder {
  readonly name: string;
  /** Seen from the atlas's folder. */
  readonly path: string;
  /** Photos that are looked at. */
  readonly photos: number;
  readonly limit?: number | undefined;
  /** Of the names and sizes of its files. */
  readonly digest: string;
}

/** A layer as it was found. */
export interface PlannedLayer {
  readonly name: string;
  readonly channels: number;
  /** Multiply-adds of the convolutions up to it, for each pixel that the network sees. */
  readonly work: number;
}

/** A network as it was found. */
export interface PlannedNetwork {
  readonly name: string;
  /** Options that open it; paths are seen from the atlas's folder. */
  readonly options: Piece;
  /** Of its weights. */
  readonly digest: string;
  readonly layers: readonly PlannedLayer[];
}

/** What pictures are to show, as it was found. */
export interface PlannedObjective {
  /** Whether the photos of each folder are shown to it. */
  readonly photos: boolean;
  /** Channels a job. */
  readonly each: number;
  /** Options of a run; paths are seen from the atlas's folder. */
  readonly options: Piece;
  /** Of the options, and of the files that they name. */
  readonly digest: string;
}

/** How pictures are grown, as the networks and the preset together have it. */
export interface Growth {
  /** Name of the preset. */
  readonly name: string;
  /** Of the options, and of the files that they name. */
  readonly digest: string;
  /** Options of a run, without parameters. */
  readonly options: Piece;
  /** Every parameter of every octave. */
  readonly octaves: readonly Piece[];
  /** Side at which photos are seen, by network. */
  readonly seen: readonly number[];
  /** What is done to photos before. */
  readonly prepared: string;
  /** Iterations times views: how often a picture is seen. */
  readonly sights: number;
}

/** A plan whose every part was found; `plan.json`. */
export interface Plan {
  readonly format: 1;
  readonly folders: readonly PlannedFolder[];
  readonly networks: readonly PlannedNetwork[];
  readonly objectives: readonly PlannedObjective[];
  readonly presets: readonly Growth[];
  readonly options: Piece;
  /** Photos that are looked at by one job. */
  readonly shard: number;
}

/** Shows photos to the layers of a network; numbers are places in the plan's lists. */
export interface LookJob {
  readonly kind: "look";
  readonly name: string;
  readonly folder: number;
  readonly network: number;
  readonly layers: readonly string[];
  readonly seen: number;
  /** A preset that has photos seen so. */
  readonly preset: number;
  /** The first photo and the one after the last. */
  readonly photos: readonly [from: number, to: number];
  /** Where answers are kept: without what may be added to a plan. */
  readonly store: string;
}

/** Grows pictures: a run. */
export interface GrowJob {
  readonly kind: "grow";
  readonly name: string;
  /** The looks whose answers it takes. */
  readonly needs?: readonly string[] | undefined;
  readonly folder?: number | undefined;
  readonly network: number;
  readonly layer: string;
  readonly objective: number;
  readonly preset: number;
  /** Of an objective in parts. */
  readonly channels?: string | undefined;
  /** How many pictures. */
  readonly pictures: number;
}

/** A job of an atlas. */
export type Job = LookJob | GrowJob;

/** Whether a value has names. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const PARTS = ["folders", "networks", "objectives", "presets"];

/** Channels a job, where nobody says it: as many as are grown at a time. */
const CHANNELS_A_JOB = 8;

/**
 * Reads what a person wants. What the options of runs mean is not looked at.
 *
 * @param json of the file
 * @param file its name, for messages
 * @param options names of options that stand beside the parts, for all jobs
 * @throws {UserError} saying what was expected and what came.
 */
export function parseWanted(json: unknown, file: string, options: readonly string[]): Wanted {
  const wrong = (what: string, expected: string, got: unknown) =>
    new UserError(`${file}: ${what}: expected ${expected}, got ${JSON.stringify(got)}`);
  if (!isObject(json)) {
    throw wrong("the plan", `{"folders": […], "networks": […], …}`, json);
  }
  for (const name of Object.keys(json)) {
    if ([...PARTS, ...options].includes(name)) continue;
    const close = nearest(name, [...PARTS, ...options], 2).join(", ");
    throw new UserError(`${file}: there is no "${name}" in a plan; nearest: ${close}`);
  }
  const listOf = (name: string, fallback?: unknown[]): unknown[] => {
    const list = json[name] ?? fallback;
    if (!Array.isArray(list) || list.length === 0) {
      throw wrong(`"${name}"`, "a list of at least one", list);
    }
    return list;
  };
  const whole = (value: unknown, what: string, most: number): number | undefined => {
    if (value === undefined) return undefined;
    if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most) {
      return value as number;
    }
    throw wrong(what, `a whole number from 1 to ${most}`, value);
  };
  const folders = (json.folders === undefined ? [] : listOf("folders")).map((given, i) => {
    const what = `folder ${i + 1}`;
    const { path, name, limit, each = false, ...others } = typeof given === "string"
      ? { path: given }
      : isObject(given)
      ? given
      : { path: undefined };
    const fits = typeof path === "string" && path !== "" && Object.keys(others).length === 0 &&
      (name === undefined || typeof name === "string" && name !== "") && typeof each === "boolean";
    if (!fits) {
      throw wrong(what, `"PATH" or {"path": PATH, "name": …, "limit": …, "each": …}`, given);
    }
    return { path, name: name as string | undefined, limit: whole(limit, what, 1e9), each };
  });
  const networks = listOf("networks").map((given, i) => {
    if (!isObject(given)) throw wrong(`network ${i + 1}`, `{"model": …, "layers": […]}`, given);
    const { layers, ...options } = given;
    const names = Array.isArray(layers) && layers.length > 0 &&
      layers.every((each) => typeof each === "string");
    if (!names) throw wrong(`"layers" of network ${i + 1}`, "a list of names", layers);
    return { layers: layers as string[], options };
  });
  const objectives = listOf("objectives", [{ facets: 3 }]).map((given, i) => {
    const what = `objective ${i + 1}`;
    if (!isObject(given)) throw wrong(what, `{"facets": 3} or {"channels": "all"}`, given);
    const wishes = WISH_NAMES.some((wish) => wish in given);
    const { photos = !wishes, each, ...options } = given;
    if (typeof photos !== "boolean") throw wrong(`"photos" of ${what}`, "true or false", photos);
    if (!photos && !wishes) throw new UserError(`${file}: ${what}: facets are of photos`);
    if (photos && folders.length === 0) {
      throw new UserError(`${file}: ${what} is about photos, and there are no "folders"`);
    }
    return { photos, each: whole(each, `"each" of ${what}`, 1e4) ?? CHANNELS_A_JOB, options };
  });
  const presets = listOf("presets", ["default"]).map((given, i) => {
    if (typeof given === "string") return { preset: given };
    if (isObject(given)) return given;
    throw wrong(`preset ${i + 1}`, `"NAME" or {"preset": NAME, …}`, given);
  });
  return {
    folders,
    networks,
    objectives,
    presets,
    options: Object.fromEntries(Object.entries(json).filter(([name]) => !PARTS.includes(name))),
  };
}

/** A digest of a value, whatever the order in which its names were written. */
export function digestOf(value: unknown): string {
  const sorted = JSON.stringify(value, (_, inner) => {
    if (!isObject(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => a < b ? -1 : 1));
  });
  return sha256OfPieces([new TextEncoder().encode(sorted)]);
}

/** Letters of a digest in a name: one in 10¹⁴ pairs are alike. */
const DIGEST = 12;

/** A name for files: what a job is, for people, and the digest of it. */
function nameOf(parts: readonly (string | undefined)[], content: unknown): string {
  const words = parts.filter((part) => part !== undefined && part !== "").join("-")
    .replaceAll(/[^\w.,-]+/g, "_").slice(0, 120);
  return `${words}-${digestOf(content).slice(0, DIGEST)}`;
}

/** `0-7` and so on, up to a count. */
function channelParts(channels: number, each: number): { text: string; pictures: number }[] {
  return Array.from({ length: Math.ceil(channels / each) }, (_, i) => {
    const [first, last] = [i * each, Math.min(channels, (i + 1) * each) - 1];
    return { text: first === last ? `${first}` : `${first}-${last}`, pictures: last - first + 1 };
  });
}

/** How many channels a text such as `3,7,40-47` names. */
function countChannels(text: string): number {
  return text.split(",").reduce((sum, part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return sum + to - from + 1;
  }, 0);
}

/** Facets of an objective that leaves their number to the photos, to have some number. */
const AUTO_FACETS = 4;

/** Facets, where their number is not said. */
const USUAL_FACETS = 3;

/** How many pictures an objective makes, or thereabouts: what it costs goes with it. */
function picturesOf(options: Piece): number {
  const { facets = USUAL_FACETS, channels, classes, neurons, diverse } = options;
  const wishes = !WISH_NAMES.some((wish) => wish in options)
    ? Number(facets) || AUTO_FACETS
    : channels !== undefined
    ? countChannels(String(channels))
    : String(neurons ?? classes ?? "").split(",").length;
  return wishes * (Number(diverse) || 1);
}

/** The parts of an objective in a layer: one, or one for some of all channels each. */
function partsOf({ each, options }: PlannedObjective, { channels }: PlannedLayer) {
  if (options.channels !== "all") return [{ text: undefined, pictures: picturesOf(options) }];
  const copies = Number(options.diverse) || 1;
  return channelParts(channels, each).map(({ text, pictures }) => ({
    text,
    pictures: pictures * copies,
  }));
}

/** What an objective is called in a job's name. */
function titleOf(options: Piece, channels: string | undefined): string {
  const [[kind, value] = ["", ""]] = Object.entries(options);
  const text = typeof value === "object" ? "" : String(value);
  return `${kind}_${channels ?? text.slice(text.lastIndexOf("/") + 1)}`;
}

/** Whether what is asked of photos is what looks keep: the means of channels. */
function takesLooks(options: Piece): boolean {
  return options.channels !== undefined || !WISH_NAMES.some((wish) => wish in options);
}

/** Parts of a folder, of as many photos each as will do, so that none is of a few that may be damaged. */
function partsOfFolder(photos: number, most: number): [from: number, to: number][] {
  const parts = Math.ceil(photos / most);
  const at = (part: number) => Math.floor(part * photos / parts);
  return Array.from({ length: parts }, (_, part) => [at(part), at(part + 1)]);
}

/** All jobs of a plan: looks before what needs them, and those of a network together. */
export function jobsOf(plan: Plan): Job[] {
  const looks: LookJob[] = [];
  const grows: GrowJob[] = [];
  for (const [network, net] of plan.networks.entries()) {
    const lookOf = new Map<string, string[]>();
    const looksFor = (folder: number, preset: number): string[] => {
      const { prepared, seen: sides } = plan.presets[preset]!;
      const seen = sides[network]!;
      const key = JSON.stringify([folder, seen, prepared]);
      const known = lookOf.get(key);
      if (known) return known;
      const { name: called, digest, photos } = plan.folders[folder]!;
      const names: string[] = [];
      for (const [from, to] of partsOfFolder(photos, plan.shard)) {
        const store = [digest, net.digest, seen, prepared, from, to];
        const layers = net.layers.map(({ name }) => name);
        const part = photos > plan.shard ? `${from}` : undefined;
        const name = nameOf(["look", called, net.name, String(seen), part], [store, layers]);
        looks.push({
          ...{ kind: "look", name, folder, network, layers, seen, preset, photos: [from, to] },
          store: nameOf([called, net.name, String(seen), part], store),
        });
        names.push(name);
      }
      lookOf.set(key, names);
      return names;
    };
    for (const layer of net.layers) {
      for (const [objective, wish] of plan.objectives.entries()) {
        const folders = wish.photos ? [...plan.folders.keys()] : [undefined];
        for (const folder of folders) {
          for (const [preset, growth] of plan.presets.entries()) {
            for (const { text: channels, pictures } of partsOf(wish, layer)) {
              const at = folder === undefined ? undefined : plan.folders[folder]!;
              const needs = folder === undefined || !takesLooks(wish.options)
                ? undefined
                : looksFor(folder, preset);
              const content = [
                ...[at?.digest ?? null, net.digest, layer.name, wish.digest, channels ?? null],
                ...[plan.options, growth.digest, growth.octaves],
              ];
              const title = titleOf(wish.options, channels);
              const name = nameOf([at?.name, net.name, layer.name, title, growth.name], content);
              grows.push({
                ...{ kind: "grow", name, network, layer: layer.name, objective, preset, pictures },
                ...(needs ? { needs } : {}),
                ...(folder === undefined ? {} : { folder }),
                ...(channels === undefined ? {} : { channels }),
              });
            }
          }
        }
      }
    }
  }
  return [...looks, ...grows];
}

/**
 * The config of a run.
 *
 * @param path from one seen from the atlas's folder to one seen from here
 */
export function configOf(plan: Plan, job: GrowJob, path: (path: string) => string): Piece {
  const folder = job.folder === undefined ? undefined : plan.folders[job.folder]!;
  const { options } = plan.objectives[job.objective]!;
  const growth = plan.presets[job.preset]!;
  return {
    ...plan.options,
    ...withPaths(plan.networks[job.network]!.options, path),
    layer: job.layer,
    ...withPaths(options, path),
    ...(job.channels === undefined ? {} : { channels: job.channels }),
    ...withPaths(growth.options, path),
    octaves: growth.octaves,
    ...(folder ? { images: path(folder.path) } : {}),
    ...(folder?.limit === undefined ? {} : { limit: folder.limit }),
  };
}

/** Options that name files. */
const PATHS = ["weights", "like", "directions", "classes-file"];

/** Options with their paths seen from elsewhere. */
export function withPaths(options: Piece, path: (path: string) => string): Piece {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => {
      const isPath = PATHS.includes(name) ||
        name === "model" && /\.onnx$/i.test(String(value)) ||
        name === "init" && value !== "mean" && value !== "noise";
      return [name, isPath && typeof value === "string" ? path(value) : value];
    }),
  );
}
