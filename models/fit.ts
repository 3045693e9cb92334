/** Fitting a file's tensors to a network: other words before their names, timm's names, other classes. */
import { UserError } from "../base/errors.ts";
import { fromTimm } from "./formats/timm_names.ts";
import type { WeightsFile } from "./formats/weights.ts";
import { stateDict } from "./module.ts";
import type { NamedNetwork } from "./trace.ts";

/** Numbers of training only, of which a network makes no use: counts, and GoogLeNet's further heads. */
const UNUSED = /(^|\.)num_batches_tracked$|(^|\.)aux[12]\./;

/** How a file's tensors are those of a network. */
export interface Fit {
  /** Whose names the file has, where it matters. */
  readonly naming: "timm" | undefined;
  /** The file's tensors by the network's names. */
  readonly names: ReadonlyMap<string, string>;
  /** Tensors of the network whose name and sizes the file has. */
  readonly fitting: number;
  /** How many tensors the network has. */
  readonly total: number;
  /** Those the file has not. */
  readonly missing: readonly string[];
  /** Those of other sizes in the file. */
  readonly different: readonly string[];
  /** Tensors of the file that the network has not. */
  readonly unexpected: readonly string[];
  /** How many classes the file's last layer tells apart, where that is not what the network has. */
  readonly classes: number | undefined;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}

function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Sizes without those that are 1: convolutions of one pixel are matrices. */
function squeezed(sizes: readonly number[]): number[] {
  return sizes.filter((size) => size !== 1);
}

/** Whether one tensor is the other in other words: as many outputs, and the same numbers in order. */
function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return sameSizes(a, b) || sameSizes(squeezed(a), squeezed(b)) ||
    (a.length > 1 && b.length > 1 && a[0] === b[0] && product(a) === product(b));
}

/** What may stand before the names of a network's tensors in a file, the best last. */
function prefixes(keys: readonly string[], names: readonly string[]): string[] {
  const some = [keys[0], keys[keys.length >> 1], keys.at(-1)].filter((key) => key !== undefined);
  const found = new Set<string>([""]);
  for (const key of some) {
    for (const name of names) {
      if (name.endsWith(`.${key}`)) found.add(name.slice(0, name.length - key.length));
    }
  }
  return [...found];
}

/** How the tensors of a file fit a network, by the names under which most do. */
export function fit(network: NamedNetwork, weights: WeightsFile): Fit {
  const shapes = stateDict(network.root);
  const keys = [...shapes.keys()];
  const names = weights.names.filter((name) => shapes.has(name) || !UNUSED.test(name));
  const timm = fromTimm(network.name, names);
  const candidates: ReadonlyMap<string, string>[] = timm ? [timm] : [];
  for (const prefix of prefixes(keys, names)) {
    candidates.push(
      new Map(
        names.filter((name) => name.startsWith(prefix)).map((name) => [
          name.slice(prefix.length),
          name,
        ]),
      ),
    );
  }
  const fits = candidates.map((byKey) => {
    const here = keys.filter((key) => byKey.has(key));
    const fitting = here.filter((key) =>
      sameNumbers(weights.shape(byKey.get(key)!), shapes.get(key)!)
    );
    return { byKey, here, fitting };
  });
  const best = fits.reduce((a, b) => b.fitting.length > a.fitting.length ? b : a);
  const fitting = new Set(best.fitting);
  const different = best.here.filter((key) => !fitting.has(key));
  const used = new Set(best.here.map((key) => best.byKey.get(key)!));
  return {
    naming: timm && best.byKey === timm ? "timm" : undefined,
    names: new Map(best.here.map((key) => [key, best.byKey.get(key)!])),
    fitting: fitting.size,
    total: keys.length,
    missing: keys.filter((key) => !best.byKey.has(key)),
    different,
    unexpected: names.filter((name) => !used.has(name)),
    classes: classesOf(different, (key) => [
      shapes.get(key)!,
      weights.shape(best.byKey.get(key)!),
    ]),
  };
}

/** The classes of a file, if all that differs is the number of outputs of last layers. */
function classesOf(
  different: readonly string[],
  sizes: (key: string) => readonly [own: readonly number[], found: readonly number[]],
): number | undefined {
  const counts = new Set(different.map((key) => {
    const [own, found] = sizes(key);
    const rest = sameNumbers([1, ...own.slice(1)], [1, ...found.slice(1)]);
    return rest ? `${own[0]} ${found[0]}` : "";
  }));
  const [only] = counts;
  return counts.size === 1 && only ? Number(only.split(" ")[1]) : undefined;
}

/** The tensors of a file by the names and sizes that a network has for them. */
class Fitted implements WeightsFile {
  readonly fresh = true;
  readonly name: string;
  readonly #file: WeightsFile;
  readonly #names: ReadonlyMap<string, string>;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;

  constructor(
    file: WeightsFile,
    readonly naming: "timm" | undefined,
    names: ReadonlyMap<string, string>,
    shapes: ReadonlyMap<string, readonly number[]>,
  ) {
    this.name = file.name;
    this.#file = file;
    this.#names = names;
    this.#shapes = shapes;
  }

  get names(): readonly string[] {
    return [...this.#names.keys()];
  }

  has(key: string): boolean {
    return this.#names.has(key);
  }

  shape(key: string): readonly number[] {
    const found = this.#file.shape(this.#own(key)), wanted = this.#shapes.get(key);
    return wanted && sameNumbers(found, wanted) ? wanted : found;
  }

  dtype(key: string): string {
    return this.#file.dtype(this.#own(key));
  }

  read(key: string): Float32Array {
    return this.#file.read(this.#own(key));
  }

  pieces(): Iterable<Uint8Array<ArrayBuffer>> {
    return this.#file.pieces();
  }

  close(): void {
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #own(key: string): string {
    const name = this.#names.get(key);
    if (name === undefined) throw new UserError(`${this.name}: no tensor "${key}"`);
    return name;
  }
}

/**
 * A file's tensors by a network's names; the file itself where they are already.
 *
 * @param found How they fit, from {@linkcode fit}.
 */
export function fitted(network: NamedNetwork, weights: WeightsFile, found: Fit): WeightsFile {
  const shapes = stateDict(network.root);
  const asIs = [...found.names].every(([key, name]) =>
    key === name && sameSizes(weights.shape(name), shapes.get(key)!)
  );
  return asIs ? weights : new Fitted(weights, found.naming, found.names, shapes);
}
