/** The record of a run that never was: facets, photos and pictures that are drawn. */
import { Random } from "../../base/random.ts";
import type { RunEvent } from "../../vis/events.ts";
import { FACET_METRICS } from "../../vis/objectives/facets.ts";
import { encodeWebp } from "../../vis/photos/codecs/webp_encode.ts";
import { optionName, type Parameters } from "../../vis/parameters.ts";
import type { HeldImage } from "../../vis/photos/images.ts";
import type { Rgba } from "../../vis/photos/rgba.ts";
import { chooseParameters } from "../../vis/presets.ts";
import { Recorder } from "../../vis/report/record.ts";

/** A name that would do harm where it is taken for more than a name. */
export const HOSTILE = `"><img src=x onerror=alert(1)>.jpg`;

/** Names as people give them. */
const NAMES = [
  HOSTILE,
  "ant.jpg",
  "муравей на ветке.jpg",
  "アリの巣.png",
  "نملة.jpg",
  "มด.webp",
  "चींटी.jpg",
  "</script><script>alert(2)</script>.png",
  "fourmi — très près 🐜.jpg",
];

/** Parameters by the names people use. */
function plain(parameters: Parameters): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [optionName(name), value]),
  );
}

/** What to make up. */
export interface SyntheticOptions {
  readonly facets: number;
  readonly photos: number;
  readonly iterations?: number;
  readonly title?: string;
  readonly seed?: number;
  /** Whether it ends. */
  readonly finished?: boolean;
}

/** Drawings that are told apart by their first pixels are encoded once. */
const encoded = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

async function encode(picture: Rgba, quality: number): Promise<string> {
  const key = `${quality} ${picture.rgba.subarray(0, 256).join()}`;
  const bytes = encoded.get(key) ?? encodeWebp(picture, quality);
  encoded.set(key, bytes);
  return `data:image/webp;base64,${(await bytes).toBase64()}`;
}

/** A square of a hue with a stripe, [3,size,size]. */
function draw(random: Random, hue: number, size: number, noise: number): Float32Array {
  const pixels = new Float32Array(3 * size * size);
  const [at, width] = [random.integer(size), 2 + size / 6];
  for (let c = 0; c < 3; c++) {
    const base = 128 + 90 * Math.cos(2 * Math.PI * (hue + c / 3));
    for (let i = 0; i < size * size; i++) {
      const stripe = Math.abs((i % size + Math.floor(i / size)) / 2 - at) < width ? 60 : 0;
      pixels[c * size * size + i] = base + stripe + noise * random.normal();
    }
  }
  return pixels;
}

/** The lines of a run with facets. */
export async function syntheticRun(options: SyntheticOptions): Promise<string> {
  const { facets, photos, iterations = 60, seed = 1, finished = true } = options;
  const { title = `${photos} drawings in no network` } = options;
  const random = new Random(seed);
  const label = (i: number) => i % facets;
  // A few drawings of each facet serve for all its photos.
  const drawings = Array.from(
    { length: Math.min(photos, 4 * facets) },
    (_, i) => draw(random, label(i) / facets, 64, 4),
  );
  const images: HeldImage[] = Array.from({ length: photos }, (_, i) => ({
    name: NAMES[i] ?? `photo ${i + 1}.jpg`,
    pixels: drawings[i % drawings.length]!,
  }));
  const centres = Float64Array.from(
    { length: 2 * facets },
    (_, j) => 10 * [Math.cos, Math.sin][j % 2]!(2 * Math.PI * (j >> 1) / facets),
  );
  const members = (facet: number) => [...images.keys()].filter((i) => label(i) === facet);
  const lines: string[] = [];
  const recorder = new Recorder({
    images,
    encode,
    write: (line) => lines.push(line),
  });
  const preset = chooseParameters("default");
  recorder.begin("0.0.0", {
    title,
    command: `mindseye visualize "drawn photos" --facets ${facets}`,
    ...{ model: "none", layer: "layer.1", weights: "none.safetensors", seed, size: 96 },
    ...{ preset: "default", init: "mean" },
    preset_values: plain(preset),
    octaves: [plain({ ...preset, iterations, startLr: 0.05 })],
    adapter: { name: "No GPU", software: true },
    versions: { deno: "0.0.0" },
    skipped: [{ file: `${HOSTILE}.txt`, reason: "it is no picture" }],
  });
  const names = Array.from({ length: facets }, (_, i) => `facet ${i + 1}`);
  const metrics = (facet: number, t: number) =>
    ({
      loss: 1 - 2 * t + 0.1 * random.normal() + facet / 20,
      ...Object.fromEntries(FACET_METRICS.map((name) => [name, 2 - t + facet / 20])),
      own: 0.3 + 0.8 * t,
      distance: 2 - t,
    }) as Record<"loss" | typeof FACET_METRICS[number], number>;
  const all = (t: number) => names.map((_, facet) => metrics(facet, t));
  const pictures = (t: number) => {
    const each = names.map((_, facet) => draw(random, facet / facets, 96, 50 * (1 - t) + 2));
    return Float32Array.from(each.flatMap((picture) => [...picture]));
  };
  const results = (from: number, to: number): RunEvent => ({
    kind: "iterations",
    results: Array.from({ length: to - from }, (_, i) => ({
      iteration: from + i + 1,
      metrics: all((from + i + 1) / iterations),
      stopped: [],
    })),
    total: iterations,
  });
  const found = {
    embedding: Float64Array.from(
      { length: 2 * photos },
      (_, j) => centres[2 * label(j >> 1) + j % 2]! + 1.4 * random.normal(),
    ),
    labels: Int32Array.from(images, (_, i) => label(i)),
    centres,
    sizes: Int32Array.from(names, (_, facet) => members(facet).length),
  };
  const events: RunEvent[] = [
    { kind: "activations", done: photos, total: photos },
    {
      kind: "facets",
      facets: found,
      targets: names.map((_, facet) => ({
        indices: members(facet).slice(0, 10),
        distances: [],
        weights: members(facet).slice(0, 10).map(() => 0.1),
        target: new Float32Array(),
        channels: Int32Array.from({ length: 50 }, (_, c) => 3 * c + facet),
        start: new Float32Array(),
      })),
      analysis: {
        facets: found,
        candidates: [{ facets: facets - 1, silhouette: 0.5 }, { facets, silhouette: 0.62 }],
        judgement: {
          verdict: "clear facets (silhouette 0.62; one cloud gives 0.40 ± 0.02)",
          structure: "clear",
          silhouette: 0.62,
          chance: { mean: 0.4, deviation: 0.02 },
          excess: 11,
          stability: 0.98,
          resampling: 0.8,
          images: Math.min(photos, 300),
        },
      },
    },
    {
      kind: "started",
      pictures: names.map((name, facet) => ({
        name,
        photos: members(facet).slice(0, 10).map((image) => ({ image, answer: 0.1 })),
      })),
      metrics: ["loss", ...FACET_METRICS],
    },
    {
      kind: "ready",
      octave: 0,
      size: 96,
      memory: { plan: 1, constants: 1 },
      before: all(0),
    },
    { kind: "pictures", iteration: 0, pictures: pictures(0), size: 96, save: false },
    { kind: "note", text: "This run was made up." },
  ];
  const STEP = 10;
  for (let from = 0; from < (finished ? iterations : iterations / 2); from += STEP) {
    const to = Math.min(iterations, from + STEP);
    events.push(results(from, to), {
      kind: "pictures",
      iteration: to,
      pictures: pictures(to / iterations),
      size: 96,
      save: false,
    });
  }
  if (finished) {
    events.push({
      kind: "finished",
      grown: {
        names,
        pictures: pictures(1),
        size: 96,
        iterations,
        aborted: false,
        stopped: [],
        before: all(0),
        after: all(1),
        seconds: { compile: 1, loop: 75 },
      },
    });
  }
  for (const event of events) await recorder.take(event);
  return lines.join("");
}

/** The lines of a run of many channels in batches, as far as some of them. */
export async function manyChannels(count: number, done: number): Promise<string> {
  const random = new Random(2);
  const lines: string[] = [];
  const recorder = new Recorder({
    images: [],
    encode,
    write: (line) => lines.push(line),
  });
  recorder.begin("0.0.0", { title: `${count} channels of no network`, layer: "layer.2" });
  const names = Array.from({ length: count }, (_, i) => `channel ${i}`);
  await recorder.take({
    kind: "started",
    pictures: names.map((name) => ({ name, photos: [] })),
    metrics: ["loss", "activation"],
  });
  const BATCH = 8;
  const drawn: Float32Array[] = [];
  for (let first = 0; first < done; first += BATCH) {
    const some = names.slice(first, first + BATCH);
    const at = (value: number) => some.map((_, k) => ({ loss: -value, activation: value + k }));
    await recorder.take({
      kind: "ready",
      octave: 0,
      size: 64,
      memory: { plan: 1, constants: 1 },
      before: at(first),
    });
    const results = [1, 2].map((iteration) => ({ iteration, metrics: at(iteration), stopped: [] }));
    await recorder.take({ kind: "iterations", results, total: 2, first });
    const pictures = some.flatMap((_, k) => [...(drawn[k] ??= draw(random, k / BATCH, 64, 20))]);
    await recorder.take({
      kind: "batch",
      first,
      grown: {
        names: some,
        pictures: Float32Array.from(pictures),
        size: 64,
        iterations: 2,
        aborted: false,
        stopped: [],
        before: at(first),
        after: at(2),
        seconds: { compile: 1, loop: 1 },
      },
    });
  }
  return lines.join("");
}
