/** Where the golden reference numbers lie, and how to read them. Independent of models/ on purpose. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A path in `../shared`, seen from the root of the project: `sharedPath("goldens", "x.safetensors")`. */
export function sharedPath(...parts: string[]): string {
  return join(import.meta.dirname!, "..", "..", "shared", ...parts);
}

/** Is this file or folder of `../shared` here? */
export function hasShared(...parts: string[]): boolean {
  return existsSync(sharedPath(...parts));
}

/** A test that needs files of `../shared` (given as `folder/name`); skipped loudly without them. */
export function testWithShared(
  name: string,
  files: string[],
  body: (t: Deno.TestContext) => void | Promise<void>,
): void {
  const missing = files.filter((file) => !hasShared(...file.split("/")));
  if (missing.length > 0) {
    // deno-lint-ignore no-console
    console.warn(`SKIPPED "${name}": ../shared has no ${missing.join(", ")}`);
  }
  Deno.test({ name, ignore: missing.length > 0, fn: body });
}

/** One stored tensor. */
export interface GoldenTensor {
  shape: number[];
  data: Float32Array | Uint8Array;
}

/** Tensors by name, plus the file's own notes. */
export type Goldens = Map<string, GoldenTensor> & { metadata: Record<string, string> };

/** Reads a whole safetensors file of F32 and U8 tensors. */
export function readSafetensors(path: string): Goldens {
  const bytes = readFileSync(path);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const body = 8 + headerLength;
  const header = JSON.parse(bytes.toString("utf8", 8, body));
  const tensors = new Map<string, GoldenTensor>();
  for (const [name, entry] of Object.entries<Record<string, unknown>>(header)) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets: [begin, end] } = entry as {
      dtype: string;
      shape: number[];
      data_offsets: [number, number];
    };
    const raw = new Uint8Array(bytes.subarray(body + begin, body + end)); // a copy, so aligned
    if (dtype !== "F32" && dtype !== "U8") throw new Error(`${path}: ${name} has dtype ${dtype}`);
    tensors.set(name, { shape, data: dtype === "U8" ? raw : new Float32Array(raw.buffer) });
  }
  return Object.assign(tensors, { metadata: header.__metadata__ ?? {} });
}

/** A tensor's numbers; throws when the file has none of that name. */
export function golden(goldens: Goldens, name: string): Float32Array | Uint8Array {
  const tensor = goldens.get(name);
  if (!tensor) throw new Error(`no golden "${name}"; there are: ${[...goldens.keys()].join(", ")}`);
  return tensor.data;
}

/** The largest |a - b|; throws when the lengths differ, NaN when either holds one. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`lengths differ: ${a.length} and ${b.length}`);
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= worst)) worst = difference;
    if (Number.isNaN(worst)) return worst;
  }
  return worst;
}
