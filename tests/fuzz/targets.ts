/** Everything that reads what others made, and files to begin with. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Image } from "imagescript";
import { visualizeCommand } from "../../cli/visualize.ts";
import { readConfig } from "../../cli/shared/config.ts";
import { classNamesOf } from "../../cli/shared/class_names.ts";
import type { Random } from "../../base/random.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import { bytesInMemory } from "../../models/formats/byte_source.ts";
import { CheckpointFile } from "../../models/formats/checkpoint.ts";
import { openOnnx } from "../../models/formats/onnx/open_onnx.ts";
import { openWeights } from "../../models/formats/open_weights.ts";
import { encodeSafetensors, parseSafetensors } from "../../models/formats/safetensors.ts";
import type { WeightsFile } from "../../models/formats/weights.ts";
import { onnxModel } from "../../models/onnx/onnx_model.ts";
import { recognise } from "../../models/recognise.ts";
import { TuningFile } from "../../ops/tuning/tuning_file.ts";
import { chooseOctaves } from "../../vis/presets.ts";
import { ActivationCache, type CacheKey, sha256 } from "../../vis/photos/activation_cache.ts";
import { decodePhoto } from "../../vis/photos/photos.ts";
import { RunFolder } from "../../vis/report/run_folder.ts";
import { mutated, mutatedJson } from "./mutate.ts";
import { SMALL_PHOTOS } from "../vis/small_photos.ts";
import { PNG_KINDS, smallPng } from "../vis/small_png.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Something that reads files. */
export interface Target {
  /** Whole files to damage; none where what they are of is not here. */
  seeds(): Promise<readonly Uint8Array[]>;
  /** Reads one, as far as the program would; may write into `folder`, which is its own. */
  read(bytes: Bytes, folder: string): unknown;
  /**
   * A file damaged so that its checksums, lengths and brackets still are right, for what comes behind
   * them; every other file is one of these.
   */
  readonly inside?: (file: Uint8Array, random: Random) => Bytes;
  /** Whether they are pictures, which may take memory by what their headers say, up to a budget. */
  readonly pictures?: boolean;
}

const SHARED = join(import.meta.dirname!, "..", "..", "..", "shared", "networks");

/** Files of these folders in `../shared` that are no larger than this, with these endings. */
function shared(folders: readonly string[], endings: RegExp, most: number): Bytes[] {
  return folders.map((folder) => join(SHARED, folder)).filter(existsSync).flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && endings.test(entry.name))
      .map(({ name }) => Deno.readFileSync(join(folder, name)))
      .filter(({ length }) => length > 0 && length <= most)
  );
}

/** Whole files, to be damaged ten times as often as those that are broken already. */
function often(files: readonly Bytes[]): Bytes[] {
  return Array.from({ length: 10 }, () => files).flat();
}

/** Reads all tensors. */
function readAll(file: WeightsFile): void {
  for (const name of file.names) {
    file.shape(name);
    file.dtype(name);
    file.read(name);
  }
  recognise(file);
}

const text = (value: unknown): Bytes => new TextEncoder().encode(JSON.stringify(value));

/** Writes and gives the path. */
function put(folder: string, name: string, bytes: Bytes): string {
  const path = join(folder, name);
  Deno.writeFileSync(path, bytes);
  return path;
}

/** Another value in a JSON text. */
function insideJson(file: Uint8Array, random: Random): Bytes {
  let value: unknown = JSON.parse(new TextDecoder().decode(file));
  for (let i = 1 + random.integer(2); i > 0; i--) value = mutatedJson(value, random);
  return text(value) ?? new Uint8Array(0);
}

/** Another value in the header of a safetensors file, whose length fits. */
function insideSafetensors(file: Uint8Array, random: Random): Bytes {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  if (!(length <= file.length - 8)) return mutated([file], random);
  let header: Bytes;
  try {
    header = insideJson(file.subarray(8, 8 + length), random);
  } catch {
    return mutated([file], random); // it was none to begin with
  }
  const bytes = new Uint8Array(8 + header.length + file.length - 8 - length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(file.subarray(8 + length), 8 + header.length);
  return bytes;
}

/** Damage to a PNG's chunks, with the checksums made right. */
function insidePng(file: Uint8Array, random: Random): Bytes {
  const bytes = mutated([file], random);
  const view = new DataView(bytes.buffer);
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) break;
    view.setUint32(end, crc32(bytes.subarray(at + 4, end)));
    at = end + 4;
  }
  return bytes;
}

/** Damage to what a zip archive holds, with the checksums made right. */
function insideZip(file: Uint8Array, random: Random): Bytes {
  const bytes = mutated([file], random);
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) return bytes;
  for (let at = view.getUint32(end + 16, true); at + 46 <= end;) {
    const [size, header] = [view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
    if (header + 30 > bytes.length) break;
    const data = header + 30 + view.getUint16(header + 26, true) +
      view.getUint16(header + 28, true);
    if (view.getUint16(at + 10, true) === 0 && data + size <= bytes.length) {
      view.setUint32(at + 16, crc32(bytes.subarray(data, data + size)), true);
    }
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
  }
  return bytes;
}

function tensors(): Bytes {
  return encodeSafetensors({
    "conv.weight": { shape: [2, 3, 1, 1], values: Float32Array.from([1, 2, 3, 4, 5, 6]) },
    "conv.bias": { shape: [2], values: Float32Array.from([0.5, -0.5]) },
    "scale": { shape: [], values: Float32Array.of(1) },
  }, { format: "pt" });
}

const image = () => {
  const made = new Image(24, 16);
  made.bitmap.forEach((_, i) => made.bitmap[i] = i % 4 === 3 ? 255 : (i * 31) & 255);
  return made;
};

function photos(
  seeds: () => Promise<readonly Uint8Array[]>,
  inside?: Target["inside"],
): Target {
  const read = (bytes: Bytes) => decodePhoto(bytes, "photo", 8);
  return { seeds, read, pictures: true, ...(inside ? { inside } : {}) };
}

const RUN_STATE = {
  ...{ identity: "ab", octave: 0, iteration: 2, before: [{ loss: 1 }], stopped: [] },
  seconds: { compile: 0.1, loop: 1 },
};

const JOURNAL = [
  { kind: "note", text: "begun" },
  {
    ...{ kind: "iterations", total: 4 },
    results: [{ iteration: 1, metrics: [{ loss: 1, own: "NaN" }], stopped: [] }],
  },
  { kind: "pictures", iteration: 2, first: 0, size: 2, save: true, count: 1 },
  {
    ...{ kind: "batch", first: 0 },
    grown: {
      ...{ names: ["a"], size: 2, iterations: 2, aborted: false, stopped: [] },
      ...{ before: [{ loss: 1 }], after: [{ loss: 0.5 }], seconds: { compile: 1, loop: 2 } },
    },
  },
].map((event) => JSON.stringify(event) + "\n").join("");

/** A run's folder in one piece, so that any of its files may be damaged: name, length, bytes. */
function runFolder(): Bytes {
  const state = encodeSafetensors(
    { picture: { shape: [12], values: new Float32Array(12) } },
    { state: JSON.stringify({ format: 1, journal: JOURNAL.length, state: RUN_STATE }) },
  );
  const manifest = JSON.stringify({ format: 1, status: "interrupted", config: { facets: "2" } });
  return Uint8Array.from([
    ...new TextEncoder().encode(`${manifest}\n--\n${JOURNAL}--\n`),
    ...state,
  ]);
}

/** Puts it where it belongs. */
function readRun(bytes: Bytes, folder: string): void {
  const latin = new TextDecoder("latin1").decode(bytes);
  const [first, second] = [latin.indexOf("--\n"), latin.lastIndexOf("--\n")];
  const part = (from: number, to?: number) => bytes.slice(Math.max(0, from), to);
  Deno.mkdirSync(join(folder, ".run", "frames"), { recursive: true });
  put(folder, "manifest.json", part(0, Math.max(0, first)));
  put(folder, ".run/journal.jsonl", part(first + 3, Math.max(first + 3, second)));
  put(folder, ".run/state.safetensors", part(second + 3));
  put(folder, ".run/frames/0_2.rgb", new Uint8Array(12));
  using run = RunFolder.open(folder, { resume: true });
  run.kept();
}

/** Another value in one of its three files. */
function insideRun(file: Uint8Array, random: Random): Bytes {
  const latin = new TextDecoder("latin1").decode(file);
  const [first, second] = [latin.indexOf("--\n"), latin.lastIndexOf("--\n")];
  const utf8 = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  let manifest: Uint8Array = file.subarray(0, first), state: Uint8Array = file.subarray(second + 3);
  let journal = utf8(file.subarray(first + 3, second));
  const which = random.integer(6);
  if (which === 0) manifest = insideJson(manifest, random);
  else if (which < 3) {
    const head = 8 + Number(new DataView(state.slice().buffer).getBigUint64(0, true));
    const header = JSON.parse(utf8(state.subarray(8, head)));
    header.__metadata__.state = utf8(
      insideJson(new TextEncoder().encode(header.__metadata__.state), random),
    );
    const changed = text(header);
    const bytes = new Uint8Array(8 + changed.length + state.length - head);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(changed.length), true);
    bytes.set(changed, 8);
    bytes.set(state.subarray(head), 8 + changed.length);
    state = bytes;
  } else {
    const lines = journal.trimEnd().split("\n");
    const line = random.integer(lines.length);
    lines[line] = utf8(insideJson(new TextEncoder().encode(lines[line]), random));
    // As long as the state says, so that it is read.
    journal = (lines.join("\n") + "\n").padEnd(JOURNAL.length, "\n").slice(0, JOURNAL.length);
  }
  return Uint8Array.from([
    ...manifest,
    ...new TextEncoder().encode(`--\n${journal}--\n`),
    ...state,
  ]);
}

/** An adapter that nobody asks anything but what it is. */
const ADAPTER = {
  name: "none",
  storage: "storage",
  adapter: { info: { vendor: "", architecture: "" }, limits: { a: 1 }, features: new Set() },
} as unknown as Gpu;

function tuningFile(folder: string): TuningFile {
  return new TuningFile(ADAPTER, folder);
}

const CACHE_KEY: CacheKey = {
  ...{ model: "net", options: {}, weights: "ab", layer: "a", channels: 3, size: 64 },
  ...{ normalisation: { mean: [0, 0, 0], std: [1, 1, 1] }, prepared: "none" },
};

/** In a folder that is made and removed, what a body leaves in a file. */
async function made(body: (folder: string) => string): Promise<Bytes> {
  const folder = await Deno.makeTempDir();
  try {
    return await Deno.readFile(body(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** By name. */
export const TARGETS: Readonly<Record<string, Target>> = {
  safetensors: {
    seeds: () =>
      Promise.resolve([
        ...often([tensors(), ...shared(["pth"], /\.safetensors$/, 2e4)]),
        ...shared(["pth/bad"], /\.safetensors$/, 2e4),
      ]),
    read: (bytes) => readAll(parseSafetensors(bytes, "weights")),
    inside: insideSafetensors,
  },
  sharded: {
    seeds: () =>
      Promise.resolve([
        text({
          metadata: { total_size: 36 },
          weight_map: { "conv.weight": "a.safetensors", "conv.bias": "a.safetensors" },
        }),
      ]),
    read(bytes, folder) {
      put(folder, "a.safetensors", tensors());
      using file = openWeights(put(folder, "model.safetensors.index.json", bytes));
      readAll(file);
    },
    inside: insideJson,
  },
  checkpoint: {
    seeds: () =>
      Promise.resolve([
        ...often(shared(["pth", "real"], /\.(pth|pt)$/, 3e4)),
        ...shared(["pth/bad"], /\.(pth|pt|pkl)$/, 3e4),
      ]),
    read(bytes) {
      using file = new CheckpointFile("weights", bytesInMemory(bytes));
      readAll(file);
    },
    inside: insideZip,
  },
  onnx: {
    seeds: () =>
      Promise.resolve([
        ...often(shared(["exports", "real"], /\.onnx$/, 3e4)),
        ...shared(["exports/bad"], /\.onnx$/, 3e4),
      ]),
    read(bytes, folder) {
      using file = openOnnx(put(folder, "network.onnx", bytes));
      for (const name of file.names) file.read(name);
      onnxModel(file);
    },
  },
  jpeg: photos(async () => [
    await image().encodeJPEG(90),
    await image().encodeJPEG(20),
    await new Image(1, 1).encodeJPEG(90),
  ]),
  png: photos(async () => [
    await image().encode(),
    ...PNG_KINDS.flatMap((kind) => [smallPng(kind, false), smallPng(kind, true)]),
  ], insidePng),
  gif: photos(() => Promise.resolve([SMALL_PHOTOS["d.gif"]])),
  webp: photos(() => Promise.resolve([SMALL_PHOTOS["a.webp"], SMALL_PHOTOS["c.webp"]])),
  avif: photos(() => Promise.resolve([SMALL_PHOTOS["b.avif"]])),
  config: {
    seeds: () =>
      Promise.resolve([
        text({ preset: "paper", facets: 5, parameters: { channels: 20, distance: "huber" } }),
        text([{ size: 112, gradient_bands: [0, 1] }, { start_lr: "0.02" }]),
        text({ format: 1, status: "finished", config: { images: "a", layer: ["b", "c"] } }),
      ]),
    read(bytes, folder) {
      const config = readConfig(put(folder, "run.json", bytes), visualizeCommand);
      chooseOctaves("default", config.parameters, config.octaves);
    },
    inside: insideJson,
  },
  classes: {
    seeds: () => Promise.resolve([new TextEncoder().encode("ant\nbee, honey bee\n\ncat\n")]),
    read: (bytes, folder) => classNamesOf(put(folder, "names.txt", bytes)),
  },
  run: { seeds: () => Promise.resolve([runFolder()]), read: readRun, inside: insideRun },
  tuning: {
    seeds: async () => [
      await made((folder) => {
        const file = tuningFile(folder);
        file.set("conv 3x3", { variant: { kind: "gemm" } as never, ms: 1.5 });
        file.save();
        return file.path!;
      }),
    ],
    read(bytes, folder) {
      const { path } = tuningFile(folder);
      Deno.writeFileSync(path!, bytes);
      const file = tuningFile(folder);
      file.save();
    },
    inside: insideJson,
  },
  activations: {
    seeds: async () => [
      await made((folder) => {
        const cache = new ActivationCache(folder, CACHE_KEY);
        cache.add([[sha256("a"), Float32Array.of(1, 2, 3)], [
          sha256("b"),
          Float32Array.of(4, 5, 6),
        ]]);
        return cache.path;
      }),
    ],
    read(bytes, folder) {
      const { path } = new ActivationCache(folder, CACHE_KEY);
      Deno.writeFileSync(path, bytes);
      const cache = new ActivationCache(folder, CACHE_KEY);
      cache.add([[sha256("c"), Float32Array.of(7, 8, 9)]]);
      if (!new ActivationCache(folder, CACHE_KEY).get(sha256("c"))) {
        throw new Error("it is not kept");
      }
    },
  },
};
