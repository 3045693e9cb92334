/** Pictures as networks want them: scaled, in their order, with and without colours. */
import assert from "node:assert/strict";
import { openGpu } from "../../kernels/runtime/device.ts";
import { Conv2d, ReLU, Sequential } from "../../models/layers.ts";
import {
  HALF,
  IMAGENET,
  LIGHTNESS,
  type Normalisation,
  parseNormalisation,
} from "../../models/normalisation.ts";
import { openModel } from "../../models/open_model.ts";
import { randomWeights } from "../../models/random_weights.ts";
import type { Model } from "../../models/registry.ts";
import { compile, gradients, sum, Variable } from "../../ops/mod.ts";
import { probabilities } from "../../vis/classifier.ts";
import { Network } from "../../vis/network.ts";
import { channels } from "../../vis/objectives/channels.ts";
import { chooseParameters } from "../../vis/presets.ts";
import { growWishes } from "../../vis/wishes.ts";

Deno.test("normalisations are named or told in either range", () => {
  assert.deepEqual(parseNormalisation("half"), HALF);
  assert.deepEqual(parseNormalisation("127.5/127.5"), HALF);
  assert.deepEqual(parseNormalisation("0.485,0.456,0.406/0.229,0.224,0.225"), IMAGENET);
  assert.deepEqual(parseNormalisation("0/255"), parseNormalisation("none"));
  for (
    const text of ["", "imagnet", "1/0", "0.5", "a/b", "1,2/3", "0.5/-1", "1e9/1", "/", "NaN/1"]
  ) {
    assert.throws(() => parseNormalisation(text), { name: "UserError" }, text);
  }
});

/** A network that gives what it gets. */
function plain(normalisation: Normalisation): Model {
  const root = new Sequential([new ReLU()]);
  const sizes = { inputSize: 8, minSize: 1, lastMap: "0", options: {} };
  return { name: "plain", root, normalisation, ...sizes };
}

Deno.test("networks get their colours in their order, or how light they are", async () => {
  using gpu = await openGpu();
  const pixels = Float32Array.from({ length: 3 * 4 }, (_, i) => 0.03 * i);
  using x = new Variable(gpu, [1, 3, 2, 2]);
  x.write(pixels.map((value) => value - 0.5));
  const mean = [0.01, 0.02, 0.03] as const, std = [0.5, 0.25, 0.2] as const;
  const kinds: Readonly<Record<string, Normalisation>> = {
    rgb: { mean, std },
    bgr: { mean, std, order: "bgr" },
    grey: { mean: [0.1, 0.1, 0.1], std: [0.5, 0.5, 0.5], channels: 1 },
  };
  for (const [kind, normalisation] of Object.entries(kinds)) {
    const model = plain(normalisation);
    const got = new Network(model, randomWeights(model)).see(x.tensor)
      .get({ module: "0", of: "input" });
    const [slope] = gradients(sum(got, [0, 1, 2, 3]), [x.tensor]);
    using program = await compile(gpu, { outputs: [got, slope!] });
    program.run();
    const values = await program.read(got), gradient = await program.read(slope!);
    for (let p = 0; p < 4; p++) {
      const colours = [0, 1, 2].map((c) => pixels[4 * c + p]!);
      const scaled = colours.map((value, c) => (value - mean[c]!) / std[c]!);
      const light = LIGHTNESS.reduce((total, k, c) => total + k * colours[c]!, 0);
      const expected = kind === "rgb"
        ? scaled
        : kind === "bgr"
        ? scaled.toReversed()
        : [(light - 0.1) / 0.5];
      expected.forEach((value, c) => {
        assert.ok(Math.abs(values[4 * c + p]! - value) < 1e-6, `${kind} ${c} ${p}`);
      });
      // A grey network pulls all colours alike.
      [0, 1, 2].forEach((c) => {
        const slope = kind === "grey" ? 2 / 3 : 1 / std[c]!;
        assert.ok(Math.abs(gradient[4 * c + p]! - slope) < 1e-5, `${kind} gradient ${c} ${p}`);
      });
    }
  }
});

Deno.test("pictures for a network without colours have none", async () => {
  using gpu = await openGpu();
  const root = new Sequential([new Conv2d(1, 8, 3, { padding: 1 }), new ReLU()]);
  const sizes = { inputSize: 32, minSize: 1, lastMap: "1", options: {} };
  const normalisation: Normalisation = {
    ...{ mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25], channels: 1 },
  };
  const model: Model = { name: "grey", root, normalisation, ...sizes };
  const { pictures } = await growWishes(gpu, {
    network: new Network(model, randomWeights(model)),
    objective: channels("1", [3, 5]),
    size: 32,
    parameters: chooseParameters("noise", { iterations: 3 }),
    seed: 1,
  });
  const plane = 32 * 32;
  let varied = false;
  for (let k = 0; k < 2; k++) {
    for (let p = 0; p < plane; p++) {
      const [r, g, b] = [0, 1, 2].map((c) => pictures[(3 * k + c) * plane + p]!) as [
        number,
        number,
        number,
      ];
      assert.ok(Math.abs(r - g) < 0.01 && Math.abs(g - b) < 0.01, `${r} ${g} ${b}`);
      varied ||= Math.abs(r - pictures[3 * k * plane]!) > 5;
    }
  }
  assert.ok(varied);
});

Deno.test("a network can be told how it wants its pictures", async () => {
  const { model, weights } = await openModel("motifs", {
    normalisation: HALF,
    channelsOrder: "bgr",
  });
  weights.close();
  assert.deepEqual(model.normalisation, { ...HALF, order: "bgr" });
});

Deno.test("answers are shares, whether a softmax made them or not", () => {
  const shares = Float32Array.of(0.5, 0.25, 0.25);
  assert.deepEqual(probabilities(shares), shares);
  const made = probabilities(Float32Array.of(1000, 1000, -1000));
  assert.deepEqual([...made], [0.5, 0.5, 0]);
});
