/** Objectives: each kind against its formula on the host, their algebra, and the loop that grows them. */
import assert from "node:assert/strict";
import { Random } from "../../base/random.ts";
import { openGpu } from "../../kernels/runtime/device.ts";
import { createModel } from "../../models/registry.ts";
import { compile, constant, gradients, Variable } from "../../ops/mod.ts";
import { eventsOf, type RunEvent } from "../../vis/events.ts";
import { growInBatches } from "../../vis/batches.ts";
import { grow } from "../../vis/grow.ts";
import { Loop } from "../../vis/loop/loop.ts";
import { Network } from "../../vis/network.ts";
import { channels } from "../../vis/objectives/channels.ts";
import { classes } from "../../vis/objectives/classes.ts";
import { directions } from "../../vis/objectives/directions.ts";
import { diverse } from "../../vis/objectives/diverse.ts";
import { readWishes, WISH_NAMES, type WishContext } from "../../vis/objectives/kinds.ts";
import { l1 } from "../../vis/objectives/l1.ts";
import { like } from "../../vis/objectives/like.ts";
import { neurons } from "../../vis/objectives/neurons.ts";
import {
  add,
  buildObjective,
  metricsOf,
  namesOf,
  type Objective,
  pick,
  scale,
  type TermContext,
} from "../../vis/objectives/objective.ts";
import { measureStatistics, statistics } from "../../vis/objectives/statistics.ts";
import { tv } from "../../vis/objectives/tv.ts";
import { bestPhotos } from "../../vis/photos/answers.ts";
import { chooseParameters } from "../../vis/presets.ts";
import { growWishes } from "../../vis/wishes.ts";

const SIZE = 32;
const LAYER = "features.20";
const K = 3;

const random = new Random(21);
const noise = (length: number, low: number, high: number) =>
  Float32Array.from({ length }, () => random.uniform(low, high));

/** Pictures [K,3,SIZE,SIZE], pixel/255 − ½. */
const PICTURES = noise(K * 3 * SIZE * SIZE, -0.5, 0.5);
const PHOTO = { name: "a.jpg", pixels: noise(3 * SIZE * SIZE, 0, 255) };

async function openMotifs() {
  const model = createModel("motifs");
  const weights = await model.builtInWeights!();
  const network = new Network(model, weights);
  return { network, [Symbol.dispose]: () => weights[Symbol.dispose]() };
}

/** What the host knows of picture k. */
interface Known {
  /** Map [C,h,w] of the layer. */
  map: Float32Array;
  channels: number;
  width: number;
  logits: Float32Array;
  picture: Float32Array;
  /** The layer's map of the photo. */
  photo: Float32Array;
  /** The maps of all pictures. */
  all: Float32Array[];
}

const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);
const planeOf = ({ map, channels }: Known, c: number) =>
  map.subarray(c * map.length / channels, (c + 1) * map.length / channels);
const meanOf = (values: Float32Array) => sum(values) / values.length;
const pooled = (map: Float32Array, channels: number) =>
  Array.from(
    { length: channels },
    (_, c) => meanOf(map.subarray(c * map.length / channels, (c + 1) * map.length / channels)),
  );
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => sum(Array.from(a, (v, i) => v * b[i]!));
const cosine = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** The means of a map's channels, and then their deviations. */
function statisticsOf(map: Float32Array, channels: number): number[] {
  const means = pooled(map, channels);
  const side = map.length / channels;
  const deviations = means.map((m, c) =>
    Math.sqrt(meanOf(map.subarray(c * side, (c + 1) * side).map((v) => (v - m) ** 2)))
  );
  return [...means, ...deviations];
}

const STATISTICS = noise(2 * 112, 0, 1);
const VECTORS = Array.from({ length: K }, () => [...noise(112, -1, 1)]);

/** Every kind: an objective for K pictures, and the loss of picture k. */
const KINDS: Record<string, { objective: Objective; loss: (known: Known, k: number) => number }> = {
  channels: {
    objective: channels(LAYER, [13, 8, 13]),
    loss: (known, k) => -meanOf(planeOf(known, [13, 8, 13][k]!)),
  },
  neurons: {
    objective: neurons(LAYER, [{ channel: 11, at: [0, 1] }, { channel: 14 }, { channel: 11 }]),
    loss(known, k) {
      const w = known.width;
      const middle = (w >> 1) * w + (w >> 1);
      const plane = planeOf(known, [11, 14, 11][k]!);
      const at = [1, middle, middle][k]!;
      const weights = Array.from(plane, (_, i) => {
        const [dy, dx] = [Math.floor(i / w) - Math.floor(at / w), i % w - at % w];
        return Math.exp(-(dy * dy + dx * dx) / 2 / (w / 6) ** 2);
      });
      return -plane[at]! - 0.1 * dot(plane, weights) / sum(weights);
    },
  },
  directions: {
    objective: directions(LAYER, VECTORS, { cosinePower: 2 }),
    loss(known, k) {
      const places = known.map.length / known.channels;
      const at = (p: number) => VECTORS[k]!.map((_, c) => known.map[c * places + p]!);
      return -sum(Array.from({ length: places }, (_, p) => {
        const x = at(p);
        const angle = sum(x.map((v) => v * v)) > 0 ? cosine(x, VECTORS[k]!) : 0;
        return dot(x, VECTORS[k]!) * Math.max(angle, 0.1) ** 2;
      })) / places;
    },
  },
  classes: {
    objective: classes([1, 4, 0]),
    loss: ({ logits }, k) => -logits[[1, 4, 0][k]!]!,
  },
  like: {
    objective: like(LAYER, [PHOTO]),
    loss: ({ map, photo }) =>
      sum(map.map((v, i) => (v - photo[i]!) ** 2)) / sum(photo.map((v) => v * v)),
  },
  diverse: {
    objective: diverse(LAYER),
    loss(known, k) {
      const pools = known.all.map((map) => pooled(map, known.channels));
      return sum(pools.map((other, j) => j === k ? 0 : cosine(pools[k]!, other))) / (K - 1);
    },
  },
  statistics: {
    objective: statistics([{ module: LAYER, values: STATISTICS }]),
    loss: (known) => {
      const found = statisticsOf(known.map, known.channels);
      return sum(found.map((v, i) => (v - STATISTICS[i]!) ** 2)) / dot(STATISTICS, STATISTICS);
    },
  },
  l1: { objective: l1(), loss: ({ picture }) => meanOf(picture.map(Math.abs)) },
  tv: {
    objective: tv(),
    loss({ picture }) {
      let total = 0;
      picture.forEach((value, i) => {
        const [x, y] = [i % SIZE, Math.floor(i / SIZE) % SIZE];
        if (x + 1 < SIZE) total += Math.abs(picture[i + 1]! - value);
        if (y + 1 < SIZE) total += Math.abs(picture[i + SIZE]! - value);
      });
      return total / picture.length;
    },
  },
};

/** A context without anything that changes. */
function contextOf(
  picture: TermContext["picture"],
  count: number,
  network: Network,
): TermContext {
  return {
    pictures: { first: 0, count, total: count },
    picture,
    parameters: chooseParameters("soft"),
    see: (pictures) => network.see(pictures),
    rows: (values, [c, h, w]) => constant([values.length / (c * h * w), c, h, w], () => values),
    scheduled: () => assert.fail("nothing is scheduled"),
    kept: () => assert.fail("nothing is kept"),
    learned: () => assert.fail("nothing is learned"),
  };
}

Deno.test("every kind of objective is its formula, and has a gradient", async () => {
  assert.deepEqual(WISH_NAMES.filter((name) => !(name in KINDS)), [], "kinds without a test");
  using gpu = await openGpu();
  using opened = await openMotifs();
  const { network } = opened;
  using x = new Variable(gpu, [K, 3, SIZE, SIZE]);
  x.write(PICTURES);
  const seen = network.see(x.tensor);
  const map = seen.get({ module: LAYER, of: "output" });
  const logits = seen.get({ module: "", of: "output" });
  const photo = network.see(
    constant([1, 3, SIZE, SIZE], () => PHOTO.pixels.map((v) => v / 255 - 0.5)),
  ).get({ module: LAYER, of: "output" });
  using known = await compile(gpu, { outputs: [map, logits, photo] });
  known.run();
  const [maps, ends, photoMap] = [
    await known.read(map),
    await known.read(logits),
    await known.read(photo),
  ];
  const part = (values: Float32Array, k: number) =>
    values.subarray(k * values.length / K, (k + 1) * values.length / K);
  const all = Array.from({ length: K }, (_, k) => part(maps, k));

  for (const [kind, { objective, loss: formula }] of Object.entries(KINDS)) {
    const { loss } = buildObjective(
      objective,
      seen,
      () => contextOf(x.tensor, K, network),
    );
    const [slope] = gradients(loss, [x.tensor]) as [typeof loss];
    using program = await compile(gpu, { outputs: [loss, slope] });
    program.run();
    const got = await program.read(loss);
    Array.from({ length: got.length }, (_, k) => {
      const expected = formula({
        map: all[k]!,
        channels: map.shape[1],
        width: map.shape[3],
        logits: part(ends, k),
        picture: part(PICTURES, k),
        photo: photoMap,
        all,
      }, k);
      const error = Math.abs(got[k]! - expected) / Math.max(1e-3, Math.abs(expected));
      assert.ok(error < 1e-4, `${kind}, picture ${k}: ${got[k]}, expected ${expected}`);
    });
    const gradient = await program.read(slope);
    assert.ok(
      gradient.every(Number.isFinite) && gradient.some((v) => v !== 0),
      `${kind}: gradient`,
    );
  }
});

Deno.test("objectives add, scale, are picked from, and say when they do not go together", () => {
  const some = add(channels(LAYER, [1, 2, 1]), scale(like(LAYER, [PHOTO]), 0.5), tv());
  assert.deepEqual(namesOf(some), ["channel 1, 1 of 2", "channel 2", "channel 1, 2 of 2"]);
  assert.deepEqual(metricsOf(some), ["loss", "activation", "unlike", "tv"]);
  assert.deepEqual(scale(some, 2).terms.map(({ weight }) => weight), [2, 1, 2]);
  assert.deepEqual(namesOf(pick(some, [1])), ["channel 2"]);
  assert.deepEqual(
    metricsOf(add(channels(LAYER, [1]), channels("features.12", [2]))),
    ["loss", "activation", "activation_2"],
  );
  assert.throws(
    () => add(channels(LAYER, [1, 2]), classes([0, 1, 2])),
    /2 of channels, 3 of classes/,
  );
  assert.throws(() => namesOf({ terms: [] }), /no terms/);
  assert.throws(() => diverse(LAYER, 1), /from 2, got 1/);
});

Deno.test("photos have their own statistics, mixed by their weights", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  const { network } = opened;
  const stages = network.stagesUpTo(LAYER, SIZE);
  assert.equal(stages.at(-1), LAYER);
  const sides = network.check(stages.map((module) => ({ module, of: "output" })), SIZE)
    .map(([, , , width]) => width);
  assert.deepEqual(sides, [...new Set(sides)].sort((a, b) => b - a), "one for each size");
  assert.ok(sides.length > 1);

  const plane = 3 * SIZE * SIZE;
  const photo = (i: number) =>
    Promise.resolve(PICTURES.subarray(i * plane, (i + 1) * plane).map((v) => (v + 0.5) * 255));
  const sets = [{ indices: [2], weights: [1] }, { indices: [0, 1], weights: [0.25, 0.75] }];
  const measured = await measureStatistics(gpu, network, stages, sets, photo, SIZE);
  using x = new Variable(gpu, [K, 3, SIZE, SIZE]);
  x.write(PICTURES);
  const seen = network.see(x.tensor);
  const maps = stages.map((module) => seen.get({ module, of: "output" }));
  using program = await compile(gpu, { outputs: maps });
  program.run();
  for (const [m, { values }] of measured.entries()) {
    const channels = maps[m]!.shape[1];
    const all = await program.read(maps[m]!);
    const of = [0, 1, 2].map((k) =>
      statisticsOf(all.subarray(k * all.length / K, (k + 1) * all.length / K), channels)
    );
    const expected = [...of[2]!, ...of[0]!.map((v, i) => 0.25 * v + 0.75 * of[1]![i]!)];
    // A variance is a difference of two squares: its root is exact to the root of their rounding.
    const most = Math.max(...expected);
    expected.forEach((value, i) => {
      const tolerance = i % (2 * channels) < channels ? 1e-5 : 1e-3;
      assert.ok(Math.abs(value - values[i]!) < tolerance * most, `${stages[m]} ${i}`);
    });
  }
});

Deno.test("pictures that differ in what they are to show are one graph", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  const kernels = async (numbers: readonly number[]) => {
    using x = new Variable(gpu, [numbers.length, 3, SIZE, SIZE]);
    const { loss } = buildObjective(
      channels(LAYER, numbers),
      opened.network.see(x.tensor),
      () => contextOf(x.tensor, numbers.length, opened.network),
    );
    using program = await compile(gpu, { outputs: gradients(loss, [x.tensor]) });
    return program.kernelNames;
  };
  assert.deepEqual(await kernels([1, 2, 3]), await kernels([7, 7, 40]));
});

/** A short run's parameters. */
const short = (iterations: number) => chooseParameters("noise", { iterations });
const grey = (pictures: number) => noise(pictures * 3 * SIZE * SIZE, 100, 156);

Deno.test("every kind grows: its loss falls", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  for (const [kind, { objective }] of Object.entries(KINDS)) {
    if (kind === "diverse") continue; // says nothing of one picture; see below
    const { before, after, names } = await grow(gpu, {
      network: opened.network,
      objective,
      start: grey(namesOf(objective).length),
      size: SIZE,
      parameters: short(12),
      seed: 1,
    });
    names.forEach((name, i) => {
      assert.ok(after[i]!.loss < before[i]!.loss, `${kind} ${name}: ${after[i]!.loss}`);
    });
  }
});

Deno.test("a balanced term is brought to the size of the others, once", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  const { network } = opened;
  const start = grey(2);
  const parameters = chooseParameters("noise", {
    iterations: 6,
    warp_shift: 0,
    warp_zoom: 0,
    warp_turn: 0,
  });
  const factorsAfter = async (objective: Objective, from: Float32Array) => {
    using loop = await Loop.create(gpu, {
      network,
      objective,
      start: from,
      size: SIZE,
      parameters,
      seed: 0,
    });
    await loop.run();
    return (await loop.state()).factors.map((factor) => [...factor]);
  };
  const plain = channels(LAYER, [8, 11]);
  const [once] = await factorsAfter(add(plain, tv()), start) as [number[]];
  // The ratio of the gradients at the start, found in another way.
  using x = new Variable(gpu, [2, 3, SIZE, SIZE]);
  x.write(start.map((v) => v / 255 - 0.5));
  const seen = network.see(x.tensor);
  const slopes = [plain, tv()].flatMap((each) =>
    gradients(buildObjective(each, seen, () => contextOf(x.tensor, 2, network)).loss, [x.tensor])
  );
  using program = await compile(gpu, { outputs: slopes });
  program.run();
  const [theirs, its] = [await program.read(slopes[0]!), await program.read(slopes[1]!)];
  for (const k of [0, 1]) {
    const rms = (v: Float32Array) => Math.sqrt(dot(v, v));
    const half = (v: Float32Array) => v.subarray(k * v.length / 2, (k + 1) * v.length / 2);
    const expected = rms(half(theirs)) / rms(half(its));
    assert.ok(Math.abs(once[k]! / expected - 1) < 1e-3, `${once[k]}, expected ${expected}`);
  }
  // Where the others count twice, it does too; its own units do not matter.
  const [twice] = await factorsAfter(add(scale(plain, 2), tv()), start) as [number[]];
  twice.forEach((factor, k) => assert.ok(Math.abs(factor / once[k]! / 2 - 1) < 1e-3));
  // A picture that is the photo has nothing to say at first, and is asked again.
  const photo = { name: "b", pixels: start.subarray(0, start.length / 2) };
  const same = new Float32Array([...photo.pixels, ...photo.pixels]);
  const [late] = await factorsAfter(add(plain, like(LAYER, [photo])), same) as [number[]];
  assert.ok(late.every((factor) => factor > 0 && Number.isFinite(factor)), `${late}`);
});

Deno.test("pictures that are to be diverse are less alike than those that are not", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  const alike = async (objective: Objective) => {
    const { after } = await grow(gpu, {
      network: opened.network,
      objective,
      start: grey(3),
      size: SIZE,
      parameters: short(25),
      seed: 1,
    });
    return after.map((m) => m.similarity!);
  };
  const wish = channels(LAYER, [16, 16, 16]);
  const [free, apart] = [
    await alike(add(wish, scale(diverse(LAYER), 0))),
    await alike(add(wish, diverse(LAYER))),
  ];
  assert.ok(sum(apart) < sum(free) - 0.1, `${apart}, without: ${free}`);
});

Deno.test("a picture whose numbers go wrong stays as it was, is named, and the others go on", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  const huge = VECTORS[0]!.map(() => 3e38);
  const start = grey(3);
  const events: RunEvent[] = [];
  const options = { network: opened.network, start, size: SIZE, parameters: short(14), seed: 3 };
  const grown = await grow(gpu, {
    ...options,
    objective: directions(LAYER, [VECTORS[0]!, huge, VECTORS[1]!], { cosinePower: 0 }),
  }, (event) => void events.push(event));
  assert.deepEqual(grown.stopped.map(({ picture, iteration }) => [picture, iteration]), [[1, 1]]);
  const notes = events.filter((event) => event.kind === "note").map(({ text }) => text);
  assert.equal(notes.length, 1);
  assert.match(notes[0]!, /^direction 2 stays as it was before iteration 1: .*no finite number/);
  const plane = 3 * SIZE * SIZE;
  const kept = grown.pictures.subarray(plane, 2 * plane);
  assert.ok(kept.every((v, i) => Math.abs(v - start[plane + i]!) < 1e-3));
  // The others are as without it.
  const fine = await grow(gpu, {
    ...options,
    objective: directions(LAYER, VECTORS, { cosinePower: 0 }),
  });
  assert.ok(Math.abs(grown.pictures[7]! - fine.pictures[7]!) < 0.05);
  assert.equal(grown.iterations, 14);

  // With nothing left to grow it is over.
  const none = await grow(gpu, { ...options, objective: directions(LAYER, [huge, huge, huge]) });
  assert.equal(none.stopped.length, 3);
  assert.ok(none.iterations < 14);
});

Deno.test("a signal ends a run between two iterations, with the pictures so far", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  const ending = new AbortController();
  const options = {
    network: opened.network,
    objective: channels(LAYER, [8]),
    start: grey(1),
    size: SIZE,
    parameters: [short(15), short(15)],
    seed: 3,
    signal: ending.signal,
  };
  let last = 0;
  const grown = await grow(gpu, options, (event) => {
    if (event.kind === "pictures") last = event.iteration;
    if (event.kind === "iterations" && event.results.at(-1)!.iteration >= 10) ending.abort();
  });
  assert.equal(grown.aborted, true);
  assert.equal(grown.iterations, 10);
  assert.equal(last, 10);
  assert.ok(grown.after[0]!.loss < grown.before[0]!.loss);
});

Deno.test("events come one by one, and nobody who asks for more ends the run", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  const options = {
    network: opened.network,
    objective: channels(LAYER, [8]),
    start: grey(1),
    size: SIZE,
    parameters: short(20),
    seed: 3,
  };
  let ended = false;
  const run = () =>
    eventsOf(async (tell) => {
      try {
        return await grow(gpu, options, tell);
      } finally {
        ended = true;
      }
    });
  const kinds: string[] = [];
  for await (const event of run()) kinds.push(event.kind);
  assert.equal(kinds[0], "started");
  assert.equal(kinds.at(-1), "finished");
  ended = false;
  for await (const event of run()) if (event.kind === "ready") break;
  assert.equal(ended, true);
  // What a run throws comes out, and so does what a listener does.
  const fails = eventsOf(() => Promise.reject(new Error("no")));
  await assert.rejects(async () => {
    for await (const _ of fails);
  }, /^Error: no$/);
  await assert.rejects(
    grow(gpu, options, async (event) => {
      await Promise.resolve();
      if (event.kind === "ready") throw new Error("listener");
    }),
    /^Error: listener$/,
  );
});

Deno.test("many pictures are grown in batches, each once, whole sets together", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  const numbers = Array.from({ length: 7 }, (_, i) => i).flatMap((i) => [i, i, i]);
  const objective = add(channels(LAYER, numbers), diverse(LAYER, 3));
  const events: RunEvent[] = [];
  const started: number[] = [];
  const grown = await growInBatches(gpu, {
    network: opened.network,
    objective,
    size: SIZE,
    parameters: short(3),
    seed: 3,
    set: 3,
    start: (pictures) => {
      started.push(...pictures);
      return Promise.resolve(grey(pictures.length));
    },
  }, (event) => void events.push(event));
  assert.deepEqual(started, [...numbers.keys()]);
  assert.equal(grown.names.length, 21);
  assert.equal(grown.pictures.length, 21 * 3 * SIZE * SIZE);
  assert.equal(events.filter(({ kind }) => kind === "started").length, 1);
  assert.equal(events.filter(({ kind }) => kind === "finished").length, 1);
  const batches = events.filter((event) => event.kind === "batch");
  assert.ok(batches.length > 1);
  for (const { first, grown: { names } } of batches) {
    assert.equal(first % 3, 0);
    assert.equal(names.length % 3, 0);
  }
});

Deno.test("with photos pictures start from those that answer most; copies from others in turn", async () => {
  assert.deepEqual(
    bestPhotos(Float32Array.of(1, 9, 1, 5, 2, 5, 4, 7, 4), ["a", "b", "a"], 2)
      .map((best) => best.map(({ image }) => image)),
    [[1, 0], [0, 2], [2]],
  );
  using gpu = await openGpu();
  using opened = await openMotifs();
  const images = Array.from({ length: 9 }, (_, i) => ({
    name: `${i}.png`,
    pixels: noise(3 * SIZE * SIZE, 10 * i, 255),
  }));
  let photos: readonly { image: number; answer: number }[] = [];
  const { before } = await growWishes(gpu, {
    network: opened.network,
    objective: channels(LAYER, [8]),
    size: SIZE,
    images,
    parameters: chooseParameters("soft", { iterations: 2, nearest: 1 }),
    seed: 0,
  }, (event) => {
    if (event.kind === "started") photos = event.pictures[0]!.photos;
  });
  assert.equal(photos.length, 1);
  // Its start is that photo, and answers what the photo answers.
  assert.ok(Math.abs(before[0]!.activation! - photos[0]!.answer) < 1e-4);
  await assert.rejects(
    growWishes(gpu, {
      network: opened.network,
      objective: channels(LAYER, [8]),
      size: SIZE,
      parameters: chooseParameters("soft", { iterations: 2, magnitude: "images" }),
      seed: 0,
    }),
    /magnitude=images needs photos/,
  );
  await assert.rejects(
    growWishes(gpu, {
      network: opened.network,
      objective: channels(LAYER, [8]),
      size: SIZE * 2,
      images,
      parameters: short(2),
      seed: 0,
    }),
    /0.png: expected the 12288 values of 64 × 64 pixels in three colours, got those of 32 pixels/,
  );
});

Deno.test("wishes are read from text, and what cannot be read is said", async () => {
  const context: Omit<WishContext, "copies"> = {
    layer: LAYER,
    channels: 64,
    classNames: ["tench, Tinca tinca", "ant", "bee", "bee eater"],
    vectors: () => Promise.resolve([[1, 2], [3, 4]]),
    photo: () => Promise.resolve(PHOTO),
  };
  const names = async (texts: Parameters<typeof readWishes>[0]) =>
    namesOf(await readWishes(texts, context));
  assert.deepEqual(
    await names({ channels: "3, 7,10-12" }),
    [3, 7, 10, 11, 12].map((c) => `channel ${c}`),
  );
  assert.equal((await names({ channels: "all" })).length, 64);
  assert.deepEqual(await names({ neurons: "12@7,7,3;5@0,1" }), [
    "channel 12 at 7,7",
    "channel 3",
    "channel 5 at 0,1",
  ]);
  assert.deepEqual(
    await names({ classes: "ant,0,bee,tinca" }),
    [
      "class 1 ant",
      "class 0 tench, Tinca tinca",
      "class 2 bee",
      "class 0 tench, Tinca tinca",
    ].map((name, i, all) =>
      all.indexOf(name) === all.lastIndexOf(name) ? name : `${name}, ${i === 1 ? 1 : 2} of 2`
    ),
  );
  assert.deepEqual(await names({ directions: "x" }), ["direction 1", "direction 2"]);
  assert.deepEqual(await names({ channels: "2", diverse: "2", like: "a" }), [
    "channel 2, 1 of 2",
    "channel 2, 2 of 2",
  ]);
  const wrong: [Parameters<typeof readWishes>[0], RegExp][] = [
    [{}, /expected one of channels, neurons, directions, classes, like/],
    [{ tv: "1" }, /nothing to grow pictures for/],
    [{ channels: "" }, /expected such as 3,7,40-47 or all, got ""/],
    [{ channels: "9-3" }, /expected such as/],
    [{ channels: "64" }, /0 to 63; there is no 64/],
    [{ neurons: "1@2" }, /expected such as 12@7,7/],
    [{ classes: "be" }, /no class "be"; nearest: bee; bee eater/],
    [{ classes: "wasp" }, /no class "wasp"/],
    [{ channels: "1", tv: "much" }, /tv: expected a weight/],
    [{ channels: "1", diverse: "1" }, /from 2 to 16, got "1"/],
  ];
  for (const [texts, message] of wrong) await assert.rejects(readWishes(texts, context), message);
  await assert.rejects(
    readWishes({ classes: "ant" }, { ...context, classNames: undefined }),
    /have no names here/,
  );
});
