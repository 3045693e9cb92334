/** The manifest of a run: what it is, how far it is, and all that is needed to do it again. */
import { UserError } from "../../base/errors.ts";
import { VERSION } from "../../base/version.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { Model } from "../../models/registry.ts";

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

/** What results were made with. */
export interface Made {
  readonly model: Model;
  /** Side of the pictures. */
  readonly size: number;
  /** What the weights are called. */
  readonly weightsName: string;
}

/** How results came about: version, adapter, network, size. */
export function howMade(
  gpu: Gpu,
  { model, size, weightsName }: Made,
): Record<string, unknown> {
  const { info } = gpu.adapter;
  return {
    version: VERSION,
    adapter: {
      name: gpu.name,
      vendor: info.vendor,
      architecture: info.architecture,
      software: gpu.software,
      storage: gpu.storage,
    },
    model: model.name,
    model_options: model.options,
    normalisation: model.normalisation,
    weights: weightsName,
    size,
  };
}
