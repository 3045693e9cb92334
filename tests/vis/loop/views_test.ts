/** Several views of a picture an iteration: what is seen of it, and what they add up to. */
import assert from "node:assert/strict";
import { createModel } from "../../../models/registry.ts";
import { Random } from "../../../ops/mod.ts";
import { Loop } from "../../../vis/loop/loop.ts";
import { drawView, seenSide, usualSide } from "../../../vis/loop/schedule.ts";
import { Network } from "../../../vis/network.ts";
import { channels } from "../../../vis/objectives/channels.ts";
import { chooseParameters } from "../../../vis/presets.ts";
import { gpuForTests } from "../../compare.ts";
import { relativeL2 } from "../../distance.ts";

const gpu = await gpuForTests();

/** The identity, a quarter of the picture, and that turned. */
const WHOLE = [1, 0, 0, 0, 1, 0], PART = [0.5, 0, 0.3, 0, 0.5, -0.2];
const TURNED = [
  0.6 * Math.cos(0.2),
  -0.6 * Math.sin(0.2),
  -0.1,
  0.6 * Math.sin(0.2),
  0.6 * Math.cos(0.2),
  0.1,
];

/** Two pictures of 48 pixels, of which 32 are seen; no warp without views. */
async function run(
  views: readonly (readonly number[])[],
  { maxBytes, steps = 1, seen = 32 }: { maxBytes?: number; steps?: number; seen?: number } = {},
) {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const size = 48;
  const random = new Random(5);
  const start = Float32Array.from({ length: 2 * 3 * size * size }, () => random.uniform(60, 200));
  const none = { warpShift: 0, warpZoom: 0, warpTurn: 0 };
  using loop = await Loop.create(gpu, {
    network: new Network(model, weights),
    objective: channels("features.2", [3, 5]),
    ...{ start, size, seed: 1, gradient: true, maxBytes },
    parameters: chooseParameters("noise", { views: views.length, seen, iterations: 9, ...none }),
    viewsAt: () => views,
  });
  for (let i = 0; i < steps; i++) loop.step();
  const results = await loop.results();
  return {
    gradient: await loop.gradient(),
    losses: results.at(-1)!.metrics.map(({ loss }) => loss),
    pictures: await loop.pictures(),
    groups: loop.groups,
  };
}

const near = (a: ArrayLike<number>, b: ArrayLike<number>, what: string, most = 1e-5) => {
  const error = relativeL2(Float32Array.from(a), Float32Array.from(b));
  assert.ok(error < most, `${what}: relative L2 error ${error}`);
};

Deno.test("a view of the whole picture at its own size is the picture", async () => {
  const without = await run([], { seen: 48 });
  const whole = await run([WHOLE], { seen: 48 });
  near(whole.gradient, without.gradient, "gradient");
  near(whole.losses, without.losses, "loss");
  near(whole.pictures, without.pictures, "pictures");
});

Deno.test("loss and gradient of several views are the means of each", async () => {
  const together = await run([PART, TURNED]);
  const [part, turned] = [await run([PART]), await run([TURNED])];
  const mean = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a, (value, i) => (value + b[i]!) / 2);
  near(together.gradient, mean(part.gradient, turned.gradient), "gradient");
  near(together.losses, mean(part.losses, turned.losses), "loss");
});

Deno.test("views of pictures that take turns are those of pictures together", async () => {
  const together = await run([PART, TURNED], { steps: 3 });
  const turns = await run([PART, TURNED], { steps: 3, maxBytes: 1 });
  assert.deepEqual([together.groups, turns.groups], [1, 2]);
  near(turns.pictures, together.pictures, "pictures", 1e-6);
  near(turns.losses, together.losses, "loss");
});

Deno.test("views are drawn inside the picture, their sides evenly", () => {
  const parameters = chooseParameters("default", { views: 4, viewSide: [0.3, 0.9], warpTurn: 0 });
  const random = new Random(3);
  const views = Array.from({ length: 400 }, () => drawView(parameters, random));
  for (const [side, , x, , , y] of views as [number, number, number, number, number, number][]) {
    assert.ok(side >= 0.3 && side <= 0.9);
    assert.ok(Math.abs(x) <= 1 - side + 1e-12 && Math.abs(y) <= 1 - side + 1e-12);
  }
  const mean = views.reduce((sum, [side]) => sum + side!, 0) / views.length;
  assert.ok(Math.abs(mean - 0.6) < 0.03, `${mean}`);
});

Deno.test("with views the network sees its own size of a picture twice as large", () => {
  assert.equal(usualSide({ views: 4 }, 224), 448);
  assert.equal(usualSide({ views: 0 }, 224), 224);
  assert.equal(seenSide({ views: 4, seen: 0 }, 448, 224), 224);
  assert.equal(seenSide({ views: 4, seen: 0 }, 112, 224), 112);
  assert.equal(seenSide({ views: 0, seen: 0 }, 448, 224), 448);
  assert.equal(seenSide({ views: 4, seen: 160 }, 448, 224), 160);
});
