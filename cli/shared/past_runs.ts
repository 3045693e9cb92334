/** Runs that were begun before, found by their folders. */
import { basename, dirname, join } from "node:path";
import { UserError } from "../../base/errors.ts";
import { isObject, type Manifest } from "../../vis/report/manifest.ts";
import { readManifest } from "../../vis/report/read_manifest.ts";

/** A manifest and where it is. */
export interface FoundManifest {
  readonly file: string;
  readonly manifest: Manifest;
}

/** A run of one or several layers. */
export interface PastRun {
  /** Its manifests, one for each layer that was begun. */
  readonly manifests: readonly [string, ...string[]];
  /** The folder that was its `--out`. */
  readonly folder: string;
}

/**
 * Finds the manifests of a run, one for each layer that was begun.
 *
 * @param path of its folder, of that of one of its layers, or of a manifest, from the root
 * @throws {UserError} when there is no run.
 */
export function manifestsIn(
  path: string,
): readonly [FoundManifest, ...FoundManifest[]] {
  const own = path.endsWith(".json") ? path : join(path, "manifest.json");
  const [first, ...others] = [own, ...layersOf(path)].flatMap((file) => {
    const manifest = readManifest(file);
    return manifest ? [{ file, manifest }] : [];
  });
  if (first) return [first, ...others];
  throw new UserError(`${path} holds no run: there is no manifest.json; name the folder of one`);
}

/**
 * Finds a run, and goes to the folder in which it was begun, if that is still there: its paths are as
 * they were typed.
 *
 * @param path of its folder, of that of one of its layers, or of a manifest, from the root
 * @throws {UserError} when there is no run, or one that no command makes again.
 */
export function runsIn(path: string): PastRun {
  const [first, ...others] = manifestsIn(path);
  const { cwd, config } = first.manifest;
  if (!isObject(config)) {
    throw new UserError(
      `${first.file} does not say how to run it again; it is of quality or of an older version`,
    );
  }
  if (typeof cwd === "string") {
    try {
      Deno.chdir(cwd);
    } catch { /* a run from elsewhere: its paths may be from here, or from the root */ }
  }
  const ofLayer = Array.isArray(config.layer) && config.layer.length > 1;
  const folder = dirname(first.file);
  return {
    manifests: [first.file, ...others.map(({ file }) => file)],
    folder: ofLayer ? dirname(folder) : folder,
  };
}

/** Where manifests of layers would be. */
function layersOf(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].filter(({ isDirectory }) => isDirectory)
      .map(({ name }) => join(path, name, "manifest.json")).toSorted();
  } catch {
    return [];
  }
}

/** A folder that is not there yet: this one, or the same with a number. */
export function freeFolder(path: string): string {
  for (let i = 1;; i++) {
    const folder = i === 1 ? path : join(dirname(path), `${basename(path)}-${i}`);
    try {
      Deno.lstatSync(folder);
    } catch {
      return folder;
    }
  }
}
