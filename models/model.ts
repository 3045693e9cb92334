/** What a network in the registry is, and how a family of them is declared. */
import { UserError } from "../base/errors.ts";
import type { Module } from "./module.ts";
import { IMAGENET, type Normalisation } from "./normalisation.ts";
import type { WeightsFile } from "./formats/weights.ts";
import type { WeightSource } from "./formats/weights.ts";

/** A network ready to be traced. */
export interface Model {
  /** Its name in the registry. */
  readonly name: string;
  /** The tree of modules. */
  readonly root: Module;
  /** How pictures must be scaled. */
  readonly normalisation: Normalisation;
  /** Side of the pictures it was made for, in pixels. */
  readonly inputSize: number;
  /** Smallest side from which its last feature map comes out, in pixels. */
  readonly minSize: number;
  /** The module that gives its last feature map. */
  readonly lastMap: string;
  /** The options in effect, chosen, found out or default; for the record of a run. */
  readonly options: Readonly<Record<string, string>>;
  /** Opens the weights that come with the program, for the model that has some. */
  readonly builtInWeights?: () => Promise<WeightsFile>;
}

/** A network in the registry. */
export interface ModelEntry {
  /** Side of the pictures it was made for, in pixels. */
  readonly inputSize: number;
  /** Smallest side from which its last feature map comes out, in pixels. */
  readonly minSize: number;
  /** The module that gives its last feature map. */
  readonly lastMap: string;
  /** The options with their default; `""` where the default depends on the weights. */
  readonly options: Readonly<Record<string, string>>;
  /** Builds the network; `options` hold a value for each option, `""` if the default was `""`. */
  readonly build: (
    options: Readonly<Record<string, string>>,
    weights: WeightSource | undefined,
  ) => Pick<Model, "root"> & Partial<Model>;
}

/** What the networks of a family have in common. */
export interface Family extends Pick<ModelEntry, "inputSize" | "minSize" | "lastMap"> {
  /** Classes of their heads. Default 1000. */
  readonly classes?: number;
  /** How pictures must be scaled. ImageNet's by default. */
  readonly normalisation?: Normalisation;
}

/**
 * Networks whose only option is the number of classes.
 *
 * @param networks By name, how each is built, for some weights if there are any.
 */
export function family(
  { classes = 1000, normalisation = IMAGENET, ...common }: Family,
  networks: Readonly<
    Record<string, (classes: number, weights: WeightSource | undefined) => Module>
  >,
): Record<string, ModelEntry> {
  const entries = Object.entries(networks).map(([name, create]): [string, ModelEntry] => [name, {
    ...common,
    options: { num_classes: String(classes) },
    build: ({ num_classes }, weights) => ({
      root: create(count("num_classes", num_classes!), weights),
      normalisation,
    }),
  }]);
  return Object.fromEntries(entries);
}

/**
 * The value of an option that is one of some names; `undefined` for `""`.
 *
 * @throws {UserError} when it is another.
 */
export function oneOf<T extends string>(
  name: string,
  allowed: readonly T[],
  value: string,
): T | undefined {
  if (value === "") return undefined;
  const found = allowed.find((one) => one === value);
  if (found) return found;
  throw new UserError(`option ${name} expects ${allowed.join(" or ")}, got "${value}"`);
}

/**
 * The value of an option that counts.
 *
 * @throws {UserError} when it is no whole number from 1.
 */
export function count(name: string, value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new UserError(`option ${name} expects a whole number from 1, got "${value}"`);
}
