/** torchvision's own weights: where they are, and which of them are in the user's cache. */
import { join } from "node:path";
import { download, type DownloadOptions } from "../../base/download.ts";
import { UnknownNameError, UserError } from "../../base/errors.ts";
import { cacheFolder } from "../../ops/tuning/tuning_file.ts";
import { MODELS } from "../registry.ts";
import table from "./torchvision.json" with { type: "json" };

/** Weights that torchvision publishes. */
export interface OfficialWeights {
  /** The network, such as `resnet50`. */
  readonly network: string;
  /** Which of its weights, such as `IMAGENET1K_V2`. */
  readonly variant: string;
  /** The file's name, which ends in how its SHA-256 begins. */
  readonly file: string;
  /** That beginning, in hexadecimal. */
  readonly hash: string;
  /** Numbers in it. */
  readonly parameters: number;
}

interface Entry {
  readonly default: string;
  readonly weights: Readonly<
    Record<string, { readonly file: string; readonly parameters: number }>
  >;
}

/** By the networks that are known by name. */
const NETWORKS: ReadonlyMap<string, Entry> = new Map(
  Object.entries(table.networks as Record<string, Entry>).filter(([name]) =>
    Object.hasOwn(MODELS, name)
  ),
);

/** All weights of a network, the default first; none for one that has none. */
export function officialWeights(network: string): OfficialWeights[] {
  const entry = NETWORKS.get(network);
  if (!entry) return [];
  const variants = Object.keys(entry.weights).sort((a, b) =>
    Number(b === entry.default) - Number(a === entry.default)
  );
  return variants.map((variant) => {
    const { file, parameters } = entry.weights[variant]!;
    const [, hash] = /-([0-9a-f]{8,})\.pth$/.exec(file)!;
    return { network, variant, file, hash: hash!, parameters };
  });
}

/**
 * The weights that `resnet50` or `resnet50:IMAGENET1K_V1` means.
 *
 * @throws {UserError} when there are none of that name.
 */
export function findOfficial(name: string): OfficialWeights {
  const [network, variant] = name.split(":") as [string, string?];
  const all = officialWeights(network);
  if (all.length === 0) {
    if (Object.hasOwn(MODELS, network)) {
      throw new UserError(`torchvision publishes no weights of ${network}`);
    }
    throw new UnknownNameError("network", network, NETWORKS.keys(), { count: 4 });
  }
  const found = variant === undefined ? all[0] : all.find((each) => each.variant === variant);
  if (found) return found;
  const names = all.map((each) => each.variant).join(", ");
  throw new UserError(`${network} has no weights "${variant}"; there are ${names}`);
}

/** The folder of fetched weights; undefined when the system names no place for what can be made again. */
export function weightsFolder(): string | undefined {
  const cache = cacheFolder();
  return cache === undefined ? undefined : join(cache, "weights");
}

/** The weights of a network that were fetched, the default ones first. */
export function fetchedWeights(network: string): { weights: OfficialWeights; path: string }[] {
  const folder = weightsFolder();
  if (folder === undefined) return [];
  return officialWeights(network).flatMap((weights) => {
    const path = join(folder, weights.file);
    try {
      return Deno.statSync(path).isFile ? [{ weights, path }] : [];
    } catch {
      return [];
    }
  });
}

/** How to fetch. */
export interface FetchOptions
  extends Pick<DownloadOptions, "force" | "onProgress" | "patience" | "tries" | "pause"> {
  /** Where from: the address of a folder of such files, or of the file itself. */
  readonly from?: string | undefined;
}

/**
 * Fetches weights into the user's cache.
 *
 * @returns the file
 * @throws {UserError} as {@linkcode download} does, and when there is no place for them.
 */
export async function fetchWeights(
  weights: OfficialWeights,
  { from = table.base, ...options }: FetchOptions = {},
): Promise<string> {
  const folder = weightsFolder();
  if (folder === undefined) {
    throw new UserError("the system names no folder for caches; set XDG_CACHE_HOME to one");
  }
  const path = join(folder, weights.file);
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw new UserError(`${folder} cannot be made: ${(error as Error).message}`);
  }
  await download({ ...options, url: addressOf(from, weights.file), path, hash: weights.hash });
  return path;
}

/** The address of a file: that of its folder and its name, unless the address is of a file already. */
function addressOf(from: string, file: string): string {
  let url: URL;
  try {
    url = new URL(from);
  } catch {
    throw new UserError(`"${from}" is no address; expected one with http:// or https://`);
  }
  if (!/\.(pth|pt|safetensors)$/.test(url.pathname)) {
    url.pathname = `${url.pathname.replace(/\/*$/, "/")}${file}`;
  }
  return url.href;
}
