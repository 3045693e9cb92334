/** Runs that are interrupted and go on: the same bytes as those that never were. */
import assert from "node:assert/strict";
import { planar } from "../../../vis/drawings.ts";
import { openGpu } from "../../../kernels/runtime/device.ts";
import { drawClass } from "../../../models/motifs/draw.ts";
import { createModel } from "../../../models/registry.ts";
import { Random } from "../../../ops/mod.ts";
import type { Grown, GrowState, Listener, RunEvent } from "../../../vis/events.ts";
import { growInBatches } from "../../../vis/batches.ts";
import { grow } from "../../../vis/grow.ts";
import { Loop } from "../../../vis/loop/loop.ts";
import { Network } from "../../../vis/network.ts";
import { channels } from "../../../vis/objectives/channels.ts";
import { diverse } from "../../../vis/objectives/diverse.ts";
import { add, type Objective, scale } from "../../../vis/objectives/objective.ts";
import { chooseOctaves, chooseParameters } from "../../../vis/presets.ts";
import { openTrunk } from "../../../vis/trunk.ts";
import { visualize } from "../../../vis/visualize.ts";

const SIZE = 32;
const LAYER = "features.12";
const random = new Random(3);
const noise = (pictures: number, size = SIZE) =>
  Float32Array.from({ length: pictures * 3 * size * size }, () => random.uniform(60, 200));

async function openMotifs() {
  const model = createModel("motifs");
  const weights = await model.builtInWeights!();
  const network = new Network(model, weights);
  return { model, weights, network, [Symbol.dispose]: () => weights[Symbol.dispose]() };
}

/** A state as it comes back from a file. */
function copied(state: GrowState): GrowState {
  const { snapshot, ...others } = structuredClone(state);
  return { ...JSON.parse(JSON.stringify(others)), snapshot };
}

const plain = add(channels(LAYER, [3, 5, 9]));
const RUNS: Record<
  string,
  { changes: Record<string, unknown>; preset?: string; wish?: Objective }
> = {
  "views and Nesterov's momentum": { changes: { views: 2, seen: 24 } },
  "warps and Adam": { changes: { optimizer: "adam", views: 0 } },
  "a moving canvas": { preset: "paper", changes: { window_step: 3 } },
  "a smeared canvas": { preset: "original", changes: { window_step: 4 } },
  "balanced terms": { changes: {}, wish: add(plain, scale(diverse(LAYER), 0.3)) },
};

Deno.test("a loop whose pictures take turns goes on from what was saved", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  const options = {
    network: opened.network,
    objective: plain,
    start: noise(3),
    size: SIZE,
    parameters: chooseParameters("noise", { iterations: 4 }),
    seed: 4,
  };
  using whole = await Loop.create(gpu, { ...options, maxBytes: 1 });
  assert.equal(whole.groups, 3);
  whole.step();
  const saved = await whole.save();
  using again = await Loop.create(gpu, { ...options, maxBytes: 1 });
  again.restore(saved);
  using together = await Loop.create(gpu, options);
  together.restore(saved);
  for (const loop of [whole, again, together]) {
    for (let i = 1; i < 4; i++) loop.step();
    await loop.results();
  }
  assert.deepEqual(await again.pictures(), await whole.pictures());
  // In another division the sums are rounded otherwise.
  const [a, b] = [await together.pictures(), await whole.pictures()];
  assert.ok(a.every((value, i) => Math.abs(value - b[i]!) < 0.01));
});

for (const [name, { preset, changes, wish = plain }] of Object.entries(RUNS)) {
  Deno.test(`a loop goes on from what was saved: ${name}`, async () => {
    using gpu = await openGpu();
    using opened = await openMotifs();
    const parameters = chooseParameters(preset, { ...changes, iterations: 12, regularise_step: 4 });
    const start = noise(3);
    const create = () =>
      Loop.create(gpu, {
        network: opened.network,
        objective: wish,
        ...{ start, size: SIZE, parameters, seed: 4 },
      });
    using whole = await create();
    for (let i = 0; i < 12; i++) {
      whole.step();
      if (whole.full) await whole.results();
    }
    using first = await create();
    for (let i = 0; i < 5; i++) first.step();
    const saved = await first.save();
    using second = await create();
    second.restore(structuredClone(saved));
    assert.equal(second.iteration, 5);
    for (let i = 5; i < 12; i++) second.step();
    const results = await second.results();
    assert.deepEqual(results.map(({ iteration }) => iteration), [6, 7, 8, 9, 10, 11, 12]);
    assert.deepEqual(await second.pictures(), await whole.pictures());
    assert.deepEqual(second.windowOffset, whole.windowOffset);
    assert.deepEqual(await second.evaluate(), await whole.evaluate());
    assert.throws(
      () => second.restore({ iteration: 5, tensors: {} }),
      /the state is not of this run: its "picture"/,
    );
    assert.throws(() => second.restore({ ...saved, iteration: 99 }), /of iteration 99/);
  });
}

/** All states of a run, and what came of it. */
async function withStates(run: (tell: Listener) => Promise<Grown>) {
  const states: { state: GrowState; after: number; first: number }[] = [];
  const events: RunEvent[] = [];
  const grown = await run((event) => {
    if (event.kind === "state") {
      states.push({ state: copied(event.state), after: events.length, first: event.first ?? 0 });
    } else events.push(event);
  });
  return { grown, states, events };
}

/** Of some events, what pictures and metrics they tell. */
const told = (events: readonly RunEvent[]) =>
  events.flatMap((event): unknown[] => {
    if (event.kind === "iterations") {
      return event.results.map((result) => ({ ...result, first: event.first }));
    }
    return event.kind === "pictures" ? [event] : [];
  });

/** Whether one run ended as another did. */
function same(resumed: Grown, whole: Grown): void {
  const { seconds: _a, ...a } = resumed;
  const { seconds: _b, ...b } = whole;
  assert.deepEqual(a, b);
}

Deno.test("a run of octaves that learns goes on from any of its states", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  const images = drawClass({ count: 12, size: SIZE })
    .map(({ name, pixels }) => ({ name, pixels: planar(pixels, SIZE * SIZE) }));
  const trunk = openTrunk(opened.model, opened.weights, { layer: LAYER }, SIZE);
  const octaves = chooseOctaves("default", { distance: "adaptive", seen: 24, views: 1 }, [
    { size: 28, iterations: 5 },
    { iterations: 6 },
  ]);
  const run = (resume?: GrowState) =>
    withStates((tell) =>
      visualize(gpu, {
        ...{ trunk, images, size: SIZE, facets: 2, parameters: octaves, seed: 5, saveEvery: 4 },
        stateEvery: 1e9,
        resume,
      }, tell)
    );
  const whole = await run();
  assert.deepEqual(whole.states.map(({ state }) => state.octave), [0, 1]);
  for (const { state, after } of whole.states) {
    const resumed = await run(state);
    same(resumed.grown, whole.grown);
    const begun = resumed.events.filter(({ kind }) => kind === "iterations" || kind === "pictures");
    assert.deepEqual(told(begun), told(whole.events.slice(after)));
  }
  const [{ state }] = whole.states as [typeof whole.states[number]];
  await assert.rejects(run({ ...state, identity: "another" }), /the state is not of this run/);
});

Deno.test("a run in batches goes on in the batch it was in", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  const numbers = Array.from({ length: 11 }, (_, i) => i);
  const start = noise(1);
  const run = (done: readonly Grown[] = [], state?: GrowState) =>
    withStates((tell) =>
      growInBatches(gpu, {
        ...{ network: opened.network, objective: channels(LAYER, numbers), size: SIZE, seed: 5 },
        parameters: chooseParameters("noise", { iterations: 6 }),
        start: (pictures) => {
          const all = new Float32Array(pictures.length * start.length);
          pictures.forEach((_, i) => all.set(start, i * start.length));
          return Promise.resolve(all);
        },
        saveEvery: 4,
        stateEvery: 1e9,
        resume: { done, state },
      }, tell)
    );
  const whole = await run();
  assert.deepEqual(whole.states.map(({ first }) => first), [0, 8]);
  const batches = whole.events.flatMap((event) => event.kind === "batch" ? [event.grown] : []);
  same((await run([], whole.states[0]!.state)).grown, whole.grown);
  same((await run(batches.slice(0, 1), whole.states[1]!.state)).grown, whole.grown);
  same((await run(batches.slice(0, 1))).grown, whole.grown);
});

Deno.test("what ends a run leaves a state to go on from", async () => {
  using gpu = await openGpu();
  using opened = await openMotifs();
  const run = (resume?: GrowState, signal?: AbortSignal, stop?: AbortController) =>
    withStates((tell) =>
      grow(gpu, {
        ...{ network: opened.network, objective: plain, start: START, size: SIZE, seed: 2 },
        parameters: chooseParameters("noise", { iterations: 14 }),
        ...{ signal, resume, stateEvery: 1e9 },
      }, async (event) => {
        if (event.kind === "iterations") stop?.abort();
        await tell(event);
      })
    );
  const START = noise(3);
  const whole = await run();
  const stop = new AbortController();
  const ended = await run(undefined, stop.signal, stop);
  assert.ok(ended.grown.aborted && ended.grown.iterations < 14);
  const { state } = ended.states.at(-1)!;
  assert.equal(state.snapshot.iteration, ended.grown.iterations);
  same((await run(state)).grown, whole.grown);
});
