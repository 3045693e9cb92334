import assert from "node:assert/strict";
import { planar } from "../../../vis/drawings.ts";
import { openGpu } from "../../../kernels/runtime/device.ts";
import { UserError } from "../../../base/errors.ts";
import { drawClass, FACETS } from "../../../models/motifs/draw.ts";
import { createModel } from "../../../models/registry.ts";
import { compile, gaussianKernel, Random, type Tensor, Variable } from "../../../ops/mod.ts";
import { Loop } from "../../../vis/loop/loop.ts";
import { NumpyRandom } from "../../../vis/loop/numpy_random.ts";
import { allowed, optionName } from "../../../vis/parameters.ts";
import { chooseParameters, PRESETS } from "../../../vis/presets.ts";
import { adjustedRandIndex } from "../../../vis/facets/rand_index.ts";
import { blurWeights, drawWarp, ramp, scheduleAt, warpMatrix } from "../../../vis/loop/schedule.ts";
import { openTrunk } from "../../../vis/trunk.ts";
import { drawOffset, Window } from "../../../vis/loop/window.ts";
import { pictureIterations } from "../../../vis/grow.ts";
import { visualize } from "../../../vis/visualize.ts";
import type { RunEvent } from "../../../vis/events.ts";
import { exhaust } from "../../reliability/exhaust.ts";
import { maxDifference } from "../../goldens.ts";
import { facets as facetsObjective } from "../../../vis/objectives/facets.ts";

const SIZE = 64;

/** Small drawings of the built-in class as the method wants them. */
function images(count: number) {
  return drawClass({ count, size: SIZE }).map(({ name, pixels, facet }) => (
    { name, facet, pixels: planar(pixels, SIZE * SIZE) }
  ));
}

Deno.test("the whole method runs: facets are found, activation rises, distance falls", async () => {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  using gpu = await openGpu();
  const drawn = images(60);
  const kinds: RunEvent["kind"][] = [];
  const run = await visualize(gpu, {
    trunk,
    images: drawn,
    size: SIZE,
    facets: FACETS.length,
    parameters: chooseParameters("soft", { iterations: 40 }),
    seed: 1,
    saveEvery: 20,
  }, (event) => {
    kinds.push(event.kind);
    if (event.kind === "iterations") {
      for (const { metrics } of event.results) {
        for (const m of metrics) assert.ok(Object.values(m).every(Number.isFinite));
      }
    }
  });
  assert.ok(adjustedRandIndex(drawn.map((d) => d.facet), run.facets.labels) >= 0.9);
  run.after.forEach((after, i) => {
    assert.ok(after.own > run.before[i]!.own, `facet ${i + 1}: own ${after.own}`);
    assert.ok(after.other_distance < run.before[i]!.other_distance, `facet ${i + 1}: distance`);
  });
  assert.ok(run.pictures.every((v) => v >= 0 && v <= 255));
  assert.deepEqual([...new Set(kinds)], [
    "activations",
    "stage",
    "facets",
    "started",
    "ready",
    "pictures",
    "iterations",
    "finished",
  ]);
});

Deno.test("the loop creates no GPU memory and no pipeline once it runs", async () => {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  using gpu = await openGpu();
  const random = new Random(5);
  const c = trunk.channels;
  const noise = (length: number, high: number) =>
    Float32Array.from({ length }, () => random.uniform(0, high));
  using loop = await Loop.create(gpu, {
    network: trunk.network,
    objective: facetsObjective(trunk, {
      targets: noise(2 * c, 1),
      channels: [[0, 1, 2], [3, 4, 5]],
      mean: noise(c, 1),
    }),
    start: noise(2 * 3 * SIZE * SIZE, 255),
    size: SIZE,
    parameters: chooseParameters("soft", { iterations: 30 }),
    seed: 0,
  });
  const made: string[] = [];
  for (
    const name of [
      "createBuffer",
      "createTexture",
      "createBindGroup",
      "createShaderModule",
    ] as const
  ) {
    const original = gpu.device[name].bind(gpu.device) as (descriptor: unknown) => unknown;
    Object.defineProperty(gpu.device, name, {
      value: (descriptor: unknown) => (made.push(name), original(descriptor)),
    });
  }
  await loop.run();
  assert.equal(loop.iteration, 30);
  assert.deepEqual(made, []);
  assert.throws(() => {
    for (let i = 0; i < 11; i++) loop.step();
  }, /read the results first/);
  await loop.results();
});

/** Some iterations of three facets: their results, pictures and last gradients. */
async function shortLoop(
  gpu: Awaited<ReturnType<typeof openGpu>>,
  trunk: ReturnType<typeof openTrunk>,
  parameters: ReturnType<typeof chooseParameters>,
  maxBytes: number | undefined,
) {
  const random = new Random(8);
  const [facets, c] = [3, trunk.channels];
  const noise = (length: number, high: number) =>
    Float32Array.from({ length }, () => random.uniform(0, high));
  const options = {
    network: trunk.network,
    objective: facetsObjective(trunk, {
      targets: noise(facets * c, 1),
      channels: [[0, 1, 2], [3, 4, 5], [6, 7, 1]],
      mean: noise(c, 1),
    }),
    start: noise(facets * 3 * SIZE * SIZE, 255),
    size: SIZE,
    parameters,
    seed: 4,
    maxBytes,
    gradient: true,
  };
  using loop = await Loop.create(gpu, options);
  const before = await loop.evaluate();
  const results = [];
  while (loop.iteration < parameters.iterations) {
    loop.step();
    if (loop.full) results.push(...await loop.results());
  }
  results.push(...await loop.results());
  return {
    groups: loop.groups,
    plan: Loop.plan(gpu, options).plan,
    metrics: [before, ...results.map(({ metrics }) => metrics), await loop.evaluate()],
    pictures: await loop.pictures(),
    gradient: await loop.gradient(),
    learned: (await loop.state()).learned,
  };
}

Deno.test("a loop that finds too little memory takes fewer pictures at a time, then says what it needs", async () => {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  const parameters = chooseParameters("soft", { iterations: 2 });
  const run = async (times: number) => {
    using gpu = await openGpu();
    if (times > 0) exhaust(gpu, times);
    return await shortLoop(gpu, trunk, parameters, undefined);
  };
  const together = await run(0);
  assert.equal(together.groups, 1);
  for (const times of [1, 2]) {
    const turns = await run(times);
    assert.equal(turns.groups, times + 1);
    assert.ok(maxDifference(turns.pictures, together.pictures) < 0.01);
  }
  const said = /^pictures of \d+ pixels, one after the other, need \d+ MB .* \d+ MB for weights/;
  await assert.rejects(run(3), (error: Error) => {
    assert.match(error.message, said);
    return error instanceof UserError;
  });
});

Deno.test("pictures that take turns come out as those that go together", async () => {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  using gpu = await openGpu();
  const few = { iterations: 12, regularise_step: 5 };
  const runs = [
    chooseParameters("soft", few),
    // The canvas moves with all groups.
    chooseParameters("paper", { ...few, window_step: 4, brightness_step: 5, start_lr: 1e-3 }),
    // Pictures are coupled by their number, by all facets' goals, and by what the distance learns.
    chooseParameters("soft", {
      ...few,
      term_sums: "matrix",
      channel_sets: "all",
      distance: "adaptive",
      optimizer_restart: false,
    }),
  ];
  for (const parameters of runs) {
    const together = await shortLoop(gpu, trunk, parameters, undefined);
    assert.equal(together.groups, 1);
    for (const [maxBytes, groups] of [[together.plan - 1, 2], [1, 3]] as const) {
      const split = await shortLoop(gpu, trunk, parameters, maxBytes);
      assert.equal(split.groups, groups);
      assert.ok(split.plan < together.plan);
      const close = (a: ArrayLike<number>, b: ArrayLike<number>, what: string) => {
        let [worst, largest] = [0, 0];
        for (let i = 0; i < a.length; i++) {
          worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
          largest = Math.max(largest, Math.abs(b[i]!));
        }
        assert.equal(a.length, b.length, what);
        assert.ok(worst <= 1e-4 * largest, `${what} in ${groups} groups: ${worst} of ${largest}`);
      };
      split.metrics.forEach((metrics, i) => {
        metrics.forEach((facet, k) => {
          close(Object.values(facet), Object.values(together.metrics[i]![k]!), `metrics ${i}`);
        });
      });
      close(split.pictures, together.pictures, "pictures");
      close(split.gradient, together.gradient, "gradient");
      assert.equal(split.learned === undefined, together.learned === undefined);
      if (!split.learned) continue;
      close(split.learned.alpha!, together.learned!.alpha!, "alpha");
      close(split.learned.scale!, together.learned!.scale!, "scale");
      assert.ok(split.learned.alpha!.some((v) => v !== 0));
    }
  }
});

Deno.test("a layer that answers nothing, and fewer images than facets, are the user's to mend", async () => {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  using gpu = await openGpu();
  const options = { trunk, size: SIZE, parameters: chooseParameters("soft"), seed: 0 };
  await assert.rejects(
    visualize(gpu, { ...options, images: images(4).slice(0, 2), facets: 3 }),
    new UserError("2 images cannot make 3 facets; add images or ask for fewer"),
  );
});

Deno.test("every parameter has a range, and every preset keeps to it", () => {
  for (const preset of Object.keys(PRESETS)) chooseParameters(preset);
  const bad: [string, unknown][] = [
    ["iterations", 0],
    ["iterations", 1.5],
    ["start_lr", NaN],
    ["momentum", 1],
    ["weighting", "mean"],
    ["gradient_bands", [0, -1]],
    ["gradient_bands", "0+x"],
    ["optimizer_restart", "yes"],
    ["scale", ""],
  ];
  for (const [name, value] of bad) {
    assert.throws(() => chooseParameters("soft", { [name]: value }), UserError, name);
  }
  for (const key of Object.keys(PRESETS.default!)) {
    assert.ok(allowed(key as never).length > 3, key);
  }
  assert.equal(optionName("startMaskSigma"), "start_mask_sigma");
});

Deno.test("parameters come as text or values, under either name", () => {
  const p = chooseParameters("paper", {
    start_lr: "0.3",
    endLr: 0.05,
    gradient_bands: "0+2",
    optimizer_restart: "false",
  });
  assert.equal(p.startLr, 0.3);
  assert.equal(p.endLr, 0.05);
  assert.deepEqual(p.gradientBands, [0, 2]);
  assert.equal(p.optimizerRestart, false);
  assert.deepEqual(chooseParameters("soft", { gradient_bands: "none" }).gradientBands, []);
});

Deno.test("schedules are linear, and end where they should", () => {
  assert.equal(ramp(2, 8, 1, 60), 2);
  assert.equal(ramp(2, 8, 60, 60), 8);
  assert.equal(ramp(2, 8, 1, 1), 2);
  const p = chooseParameters("paper", { iterations: 100, brightness_step: 50, window_step: 40 });
  const s = scheduleAt(p, 40, 512);
  assert.ok(s.regularise && s.moveWindow && !s.brighten);
  assert.ok(scheduleAt(p, 50, 512).brighten);
  assert.ok(!scheduleAt(p, 41, 512).regularise);
  // The mask's numbers: ring at one pixel, sigma / 6 pixels at 512, extremes of the whole picture.
  const [edge, sigma, low, high] = scheduleAt(p, 1, 512).mask;
  assert.equal(edge, 1);
  assert.equal(sigma, 70);
  assert.equal(high, 1);
  assert.ok(Math.abs(low! - Math.exp(-0.5 * ((Math.hypot(256, 256) - 1) / 70) ** 2)) < 1e-12);
});

Deno.test("blur kernels sum to one, whatever the sigma", () => {
  for (const preset of ["soft", "paper"]) {
    const p = chooseParameters(preset);
    for (const sigma of [0, 0.04, 0.2, 0.5, 0.9, 3]) {
      const weights = blurWeights(p, sigma, 64, 12);
      const total = weights.reduce((sum, w, k) => sum + (k === 0 ? w : 2 * w), 0);
      assert.ok(Math.abs(total - 1) < 1e-6, `${preset} ${sigma}: ${total}`);
    }
  }
  assert.deepEqual([...gaussianKernel(1, 0, 3)], [1, 0, 0]);
});

Deno.test("the same seed draws the same warps, within their ranges", () => {
  const p = chooseParameters("soft");
  const [a, b] = [new Random(9), new Random(9)];
  for (let i = 0; i < 50; i++) {
    const warp = drawWarp(p, 224, a);
    assert.deepEqual(warp, drawWarp(p, 224, b));
    assert.ok(Math.abs(Math.log(warp.zoom)) <= 0.2 && Math.abs(warp.turn) <= Math.PI / 12);
    assert.ok(Math.abs(warp.dx) <= 24 && Math.abs(warp.dy) <= 24);
  }
  assert.deepEqual(warpMatrix({ zoom: 1, turn: 0, dx: 0, dy: 0 }, 8), [1, -0, 0, 0, 1, 0]);
});

/** A window over a picture of one variable, in poisoned-free memory. */
async function openWindow(
  gpu: Awaited<ReturnType<typeof openGpu>>,
  size: number,
  changes: Record<string, unknown>,
) {
  const picture = new Variable(gpu, [1, 3, size, size]);
  const start = Float32Array.from({ length: 3 * size * size }, (_, i) => (i % 97) / 97 - 0.5);
  picture.write(start);
  const parameters = chooseParameters("paper", changes);
  const finish = (canvas: Tensor) => canvas;
  const window = await Window.create(gpu, { picture, start, parameters, seed: 3, finish });
  const run = (due: boolean) => {
    const { before, after } = window.advance(due);
    for (const program of [...before, ...after]) program.run();
  };
  return {
    picture,
    start,
    window,
    run,
    [Symbol.dispose]: () => (window[Symbol.dispose](), picture[Symbol.dispose]()),
  };
}

Deno.test("the canvas keeps what its window no longer shows", async () => {
  const size = 20;
  using gpu = await openGpu();
  using it = await openWindow(gpu, size, { scale: 1.5, window_step: 1, window: 0.4 });
  const { picture, window, run } = it;
  const spare = 10;
  assert.deepEqual(window.offset, [5, 5]);
  // The canvas as far as it is known: what has been seen of it, and what was put there.
  const side = size + spare;
  const known = new Map<number, number>();
  const look = async () => {
    const seen = await picture.read();
    const [x0, y0] = window.offset;
    assert.ok(x0 >= 0 && x0 <= spare && y0 >= 0 && y0 <= spare);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const at = (y + y0) * side + x + x0;
        const value = seen[y * size + x]!;
        if (known.has(at)) assert.ok(Math.abs(known.get(at)! - value) < 1e-6, `${x},${y}`);
        known.set(at, value);
      }
    }
  };
  await look();
  for (let i = 1; i <= 6; i++) {
    const drawn = (await picture.read()).map((_, j) => ((j * i) % 31) / 62);
    picture.write(drawn);
    const [x0, y0] = window.offset;
    for (let j = 0; j < size * size; j++) {
      known.set((Math.floor(j / size) + y0) * side + j % size + x0, drawn[j]!);
    }
    run(true);
    await look();
  }
  const still = window.offset;
  run(false);
  assert.deepEqual(window.offset, still);
});

Deno.test("a smearing window pastes at a new place each time and is read when it is due", async () => {
  const size = 20;
  using gpu = await openGpu();
  using it = await openWindow(gpu, size, { scale: 1.5, window_mode: "smear" });
  const { picture, start, window, run } = it;
  assert.deepEqual(await picture.read(), start);
  run(false);
  const first = window.offset;
  assert.deepEqual(await picture.read(), start, "not read yet");
  run(false);
  const second = window.offset;
  assert.notDeepEqual(first, second);
  run(true);
  const [x, y] = window.offset;
  const seen = await picture.read();
  // Where the second paste lay, the window shows the picture, shifted.
  let compared = 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const [r, c] = [row + y - second[1], column + x - second[0]];
      if (r < 0 || r >= size || c < 0 || c >= size) continue;
      compared++;
      assert.ok(Math.abs(seen[row * size + column]! - start[r * size + c]!) < 1e-6);
    }
  }
  assert.ok(compared > 50 && compared < size * size, `${compared} pixels compared`);
});

Deno.test("random numbers are numpy's", () => {
  // np.random.RandomState(0).normal() three times; (4294967295).random_sample(), normal().
  const a = new NumpyRandom(0);
  assert.deepEqual([a.normal(), a.normal(), a.normal()], [
    1.764052345967664,
    0.4001572083672233,
    0.9787379841057392,
  ]);
  const b = new NumpyRandom(4294967295);
  assert.deepEqual([b.uniform(), b.normal()], [0.0976320289940138, 0.0813036681172692]);
  for (let i = 0; i < 2000; i++) b.normal();
  assert.equal(b.normal(3, 2), 2.182640803062127);
  for (let i = 0; i < 100; i++) {
    const [x, y] = drawOffset(0.4, 26, a);
    assert.ok(Number.isInteger(x) && x >= 0 && x <= 26 && Number.isInteger(y) && y >= 0 && y <= 26);
  }
});

Deno.test("the paper preset runs, window moves and brightness included", async () => {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const trunk = openTrunk(model, weights, { layer: "features.20" }, SIZE);
  using gpu = await openGpu();
  const p = chooseParameters("paper", {
    iterations: 25,
    window_step: 8,
    brightness_step: 5,
    start_lr: 1e-3,
    end_lr: 1e-3,
  });
  const run = await visualize(gpu, {
    trunk,
    images: images(12),
    size: SIZE,
    facets: 2,
    parameters: p,
    seed: 0,
  });
  assert.ok(run.pictures.every((v) => v >= 0 && v <= 255));
  assert.ok(run.after.every((m) => Number.isFinite(m.loss)));
});

Deno.test("pictures are handed out at the start, the end and where they are saved", () => {
  const at = pictureIterations(450, 200);
  assert.equal(at.get(200), "save");
  assert.equal(at.get(400), "save");
  assert.equal(at.get(450), "strip");
  assert.deepEqual([...pictureIterations(1, 200).keys()], [1]);
  // For a film more often, which changes nothing about the others.
  const film = pictureIterations(450, 200, true);
  const others = [...film].filter(([, use]) => use !== "film").toSorted(([a], [b]) => a - b);
  assert.deepEqual(others, [...at].toSorted(([a], [b]) => a - b));
  assert.ok(film.size > 50 && film.size < 80, `${film.size} frames`);
  assert.deepEqual([...film.keys()].toSorted((a, b) => a - b).slice(0, 4), [2, 4, 6, 8]);
  assert.equal(pictureIterations(1, 200, true).get(1), "strip");
});

Deno.test("a variable keeps what is written, and refuses the wrong number of values", async () => {
  for (const storage of ["texture", "buffer"] as const) {
    using gpu = await openGpu({ storage });
    using v = new Variable(gpu, [2, 5, 3, 4]);
    const values = Float32Array.from({ length: 120 }, (_, i) => i - 60);
    v.write(values);
    assert.deepEqual(await v.read(), values);
    assert.throws(() => v.write([1, 2]), /expected 120 values, got 2/);
    using program = await compile(gpu, { outputs: [v.tensor] });
    assert.deepEqual(await program.read(v.tensor), values);
  }
});

Deno.test("pictures that no device's buffer holds are refused in one line, and nothing leaks", async () => {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  using gpu = await openGpu({ limits: "default" });
  const trunk = openTrunk(model, weights, { layer: "features.2" }, 3000);
  const goals = {
    targets: new Float32Array(trunk.channels).fill(1),
    channels: [[0]],
    mean: new Float32Array(trunk.channels),
  };
  await assert.rejects(
    Loop.create(gpu, {
      network: trunk.network,
      objective: facetsObjective(trunk, goals),
      start: new Float32Array(3 * 3000 * 3000),
      size: 3000,
      parameters: chooseParameters("soft", { iterations: 1 }),
      seed: 0,
    }),
    { name: "UserError", message: /bytes are needed in one piece, .* use smaller or fewer/ },
  );
});
