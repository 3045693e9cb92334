/** The manifest of a run: what it is, how far it is, and all that is needed to do it again. */
import { UserError } from "../../base/errors.ts";
import { unfitToRead } from "../../base/regular_file.ts";

/** The form of manifests, states and journals that this version writes and reads. */
export const RUN_FORMAT = 1;

/** How far runs can be. */
export const RUN_STATUSES = ["running", "interrupted", "finished"] as const;

/** How far a run is. */
export type RunStatus = typeof RUN_STATUSES[number];

/** What a manifest says at least; those of format 0 are of finished runs. */
export interface Manifest extends Readonly<Record<string, unknown>> {
  /** {@linkcode RUN_FORMAT} */
  readonly format: number;
  /** How far the run is. */
  readonly status: RunStatus;
}

/** Bytes of the largest that is read. */
const MOST_BYTES = 2 ** 28;

/** Whether a JSON value has names. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Checks what a JSON file holds.
 *
 * @param path of the file
 * @throws {UserError} when it is no manifest, or one of a newer version.
 */
export function parseManifest(text: string, path: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} is no manifest: ${(error as Error).message}`);
  }
  const { format = 0, status = "finished", ...others } = isObject(json) ? json : { format: "" };
  const known: readonly unknown[] = RUN_STATUSES;
  if (typeof format !== "number" || !known.includes(status)) {
    throw new UserError(`${path} is no manifest of a run`);
  }
  if (format > RUN_FORMAT) {
    throw new UserError(
      `${path} is of a newer mindseye (format ${format}, version ${others.version}); this one ` +
        `reads up to format ${RUN_FORMAT}: take a newer one`,
    );
  }
  return { ...others, format, status: status as RunStatus };
}

/**
 * Reads a manifest.
 *
 * @returns nothing where there is no such file
 * @throws {UserError} as {@linkcode parseManifest}, and when it cannot be read.
 */
export function readManifest(path: string): Manifest | undefined {
  let text: string;
  try {
    const unfit = unfitToRead(path, MOST_BYTES);
    if (unfit) throw new Error(unfit);
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new UserError(`${path} cannot be read: ${(error as Error).message}`);
  }
  return parseManifest(text, path);
}
