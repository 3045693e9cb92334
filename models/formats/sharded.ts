/** safetensors in several files, by an index that says which tensor is in which. */
import { dirname, join } from "node:path";
import { UserError } from "../../base/errors.ts";
import { unfitToRead } from "../../base/regular_file.ts";
import { openSafetensors } from "./open_safetensors.ts";
import type { SafetensorsFile } from "./safetensors.ts";
import type { WeightsFile } from "./weights.ts";

/** The largest index that is read. */
const MOST_BYTES = 2 ** 26;

/** Weights in several files. */
class ShardedFile implements WeightsFile {
  readonly fresh = true;
  readonly #places: ReadonlyMap<string, SafetensorsFile>;
  readonly #files: readonly SafetensorsFile[];

  constructor(readonly name: string, places: ReadonlyMap<string, SafetensorsFile>) {
    this.#places = places;
    this.#files = [...new Set(places.values())];
  }

  get names(): readonly string[] {
    return [...this.#places.keys()];
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  shape(key: string): readonly number[] {
    return this.#file(key).shape(key);
  }

  dtype(key: string): string {
    return this.#file(key).dtype(key);
  }

  read(key: string): Float32Array {
    return this.#file(key).read(key);
  }

  *pieces(): Generator<Uint8Array<ArrayBuffer>> {
    for (const file of this.#files) yield* file.pieces();
  }

  close(): void {
    for (const file of this.#files) file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #file(key: string): SafetensorsFile {
    const file = this.#places.get(key);
    if (!file) throw new UserError(`${this.name}: no tensor "${key}"`);
    return file;
  }
}

/**
 * Opens the files of an index (`model.safetensors.index.json`), which must lie beside it.
 *
 * @throws {UserError} If the index is broken, names a file elsewhere, or a file or tensor is missing.
 */
export function openSharded(path: string): WeightsFile {
  const fail = (problem: string): never => {
    throw new UserError(`${path}: ${problem}; expected the index of a sharded safetensors file`);
  };
  let index: unknown;
  try {
    const unfit = unfitToRead(path, MOST_BYTES);
    if (unfit) return fail(unfit);
    index = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    return fail(error instanceof SyntaxError ? "it is no JSON" : (error as Error).message);
  }
  const map = typeof index === "object" && index !== null
    ? (index as Record<string, unknown>).weight_map
    : undefined;
  if (typeof map !== "object" || map === null) return fail("it has no weight_map");
  const entries = Object.entries(map as Record<string, unknown>);
  if (entries.length === 0) fail("its weight_map is empty");
  using opened = new DisposableStack();
  const files = new Map<string, SafetensorsFile>();
  const places = new Map<string, SafetensorsFile>();
  for (const [key, shard] of entries) {
    if (typeof shard !== "string" || !/^[^/\\\0]+$/.test(shard) || shard === "..") {
      return fail(`tensor "${key}" is in ${JSON.stringify(shard)}, which is no file beside it`);
    }
    let file = files.get(shard);
    if (!file) files.set(shard, file = opened.use(openSafetensors(join(dirname(path), shard))));
    if (!file.has(key)) fail(`tensor "${key}" is not in ${shard}, where it should be`);
    places.set(key, file);
  }
  opened.move();
  return new ShardedFile(path, places);
}
