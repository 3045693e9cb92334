/**
 * What was measured on an adapter, kept in a file: one of JSON for each adapter, in a folder of its
 * own. Deleting it costs time only; a file that cannot be read is as good as none.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { inTurnSync, writeWholeSync } from "../../base/atomic_file.ts";
import { unfitToRead } from "../../base/regular_file.ts";
import { CODE_VERSION } from "../../base/code_version.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { Variant } from "../graph/convolution.ts";

/** What a file of this kind says it is. */
const FORMAT = "mindseye tuning 1";

/** The largest file that is read. */
const MOST_BYTES = 2 ** 26;

/** The fastest variant of a convolution, and how long it took. */
export interface Measured {
  /** What was fastest. */
  readonly variant: Variant;
  /** Milliseconds. */
  readonly ms: number;
}

/**
 * The user's folder for what programs can make again: `$XDG_CACHE_HOME` or `~/.cache`,
 * `~/Library/Caches` on a Mac, `%LOCALAPPDATA%` on Windows.
 *
 * @returns nothing when the system does not say where that is
 */
export function cacheFolder(
  os: string = Deno.build.os,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string | undefined {
  const below = (folder: string | undefined, ...names: string[]) =>
    folder ? join(folder, ...names, "mindseye") : undefined;
  if (os === "windows") return below(env("LOCALAPPDATA"));
  if (os === "darwin") return below(env("HOME"), "Library", "Caches");
  return below(env("XDG_CACHE_HOME")) ?? below(env("HOME"), ".cache");
}

/**
 * All that is known of an adapter and its driver. WebGPU does not name a driver's version; limits
 * and features often change with it.
 */
function identity({ adapter, storage }: Gpu): string {
  const { vendor, architecture, device, description } = adapter.info;
  const limits: Record<string, unknown> = {};
  for (const name in adapter.limits) {
    limits[name] = adapter.limits[name as keyof GPUSupportedLimits];
  }
  const features = [...adapter.features].sort();
  return JSON.stringify({ vendor, architecture, device, description, storage, features, limits });
}

/** The measurements of one adapter by what was measured. */
export class TuningFile {
  /** Where it lies; nothing when it is not kept. */
  readonly path: string | undefined;
  readonly #header: { format: string; code: string; adapter: string; driver: string };
  readonly #known: Map<string, Measured>;
  readonly #note: (text: string) => void;

  /**
   * Reads what a folder holds for this adapter. Neither folder nor file needs to be there.
   *
   * @param folder Where files lie; `undefined` to keep none.
   * @param note Is told, in a phrase for people, what could not be used.
   */
  constructor(gpu: Gpu, folder: string | undefined, note: (text: string) => void = () => {}) {
    const driver = createHash("sha256").update(identity(gpu)).digest("hex").slice(0, 16);
    this.#header = { format: FORMAT, code: CODE_VERSION, adapter: gpu.name, driver };
    this.#note = note;
    this.path = folder && join(folder, `tuning-${driver}.json`);
    this.#known = this.#read();
  }

  /** How many convolutions it knows. */
  get size(): number {
    return this.#known.size;
  }

  /** The fastest variant, if it was measured. */
  get(key: string): Measured | undefined {
    return this.#known.get(key);
  }

  /** Remembers it; {@linkcode save} writes it down. */
  set(key: string, measured: Measured): void {
    this.#known.set(key, measured);
  }

  /** Writes everything known, with what others wrote meanwhile. Where that fails, says so. */
  save(): void {
    const { path } = this;
    if (path === undefined) return;
    try {
      inTurnSync(path, () => {
        const all = new Map([...this.#read(), ...this.#known]);
        const content = { ...this.#header, measured: Object.fromEntries(all) };
        writeWholeSync(path, JSON.stringify(content, null, 1) + "\n");
      });
    } catch (error) {
      this.#note(`measurements are not kept: ${(error as Error).message}`);
    }
  }

  /**
   * Forgets everything and deletes the file.
   *
   * @returns whether there was one
   */
  clear(): boolean {
    this.#known.clear();
    if (this.path === undefined) return false;
    try {
      Deno.removeSync(this.path);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  #read(): Map<string, Measured> {
    const known = new Map<string, Measured>();
    if (this.path === undefined) return known;
    let text: string;
    try {
      const unfit = unfitToRead(this.path, MOST_BYTES);
      if (unfit) throw new Error(unfit);
      text = Deno.readTextFileSync(this.path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        this.#note(`${this.path} is not used: ${(error as Error).message}`);
      }
      return known;
    }
    if (text === "") return known; // just made, by a process that is about to write it
    try {
      const content = JSON.parse(text);
      const { format, code, driver } = this.#header;
      // Of other code: measured again, and written over.
      if (content.format !== format || content.code !== code) return known;
      if (content.driver !== driver) return known;
      for (const [key, value] of Object.entries(content.measured)) {
        if (isMeasured(value)) known.set(key, value);
      }
    } catch {
      this.#note(`${this.path} is damaged; it is measured and written anew`);
      known.clear();
    }
    return known;
  }
}

/**
 * Whether a value from a file has the form of a measurement; whether its variant can compute a
 * convolution is for {@linkcode Tuning} to say, which knows the candidates.
 */
function isMeasured(value: unknown): value is Measured {
  const { variant, ms } = Object(value);
  return typeof variant === "object" && variant !== null && typeof ms === "number" && ms >= 0;
}
