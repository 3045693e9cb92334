/** The same engine in a browser: another WebGPU, another compiler, another driver. */
import assert from "node:assert/strict";
import { openGpu } from "../../kernels/runtime/device.ts";
import { motifsWeights } from "../../models/architectures/motifs_net.ts";
import { createModel } from "../../models/registry.ts";
import { CASES } from "../cases/all.ts";
import { VARIANTS } from "../cases/variants.ts";
import { note } from "../compare.ts";
import { maxDifference } from "../goldens.ts";
import { tenIterations } from "../ten_iterations.ts";
import { testInBrowser } from "./browser.ts";

/** Random cases of each kind: in Deno every shape is tried, here every kernel. */
const COUNT = 2;

/** Convolutions to compute in every way there is. */
const CONVOLUTIONS = /^(1x1 convolution|3x3 convolution|7x7 convolution, stride 2)$/;

const SQUEEZENET = [
  "goldens/models_squeezenet1_1.safetensors",
  "weights/squeezenet1_1.safetensors",
];

testInBrowser("in a browser, every operation agrees with its reference", [], async (page, t) => {
  assert.equal(await page.ask("adapter"), "swiftshader");
  for (const { name } of CASES) {
    await t.step(name, async () => note(name, await page.ask("compareCase", name, COUNT)));
  }
});

testInBrowser("in a browser, convolutions are computed in every way", [], async (page, t) => {
  for (const [what, , pattern] of VARIANTS) {
    const cases = CASES.filter(({ name }) => pattern.test(name) && CONVOLUTIONS.test(name));
    assert.ok(cases.length > 0);
    for (const { name } of cases) {
      await t.step(`${what}: ${name}`, async () => {
        note(`${what}: ${name}`, await page.ask("compareCase", name, COUNT, what));
      });
    }
  }
});

testInBrowser(
  "in a browser, squeezenet1_1 computes what PyTorch computes",
  SQUEEZENET,
  async (page) => {
    note("squeezenet1_1", { gradient: await page.ask("compareNetwork", "squeezenet1_1") });
  },
);

testInBrowser("in a browser, squeezenet1_1 as GPUs compute it", SQUEEZENET, async (page) => {
  const error = await page.ask("compareNetwork", "squeezenet1_1", "nvidia");
  note("squeezenet1_1 as a GPU", { gradient: error });
});

testInBrowser("ten iterations in a browser are ten iterations in Deno", [], async (page) => {
  using gpu = await openGpu();
  using weights = await motifsWeights();
  const here = await tenIterations(gpu, createModel("motifs"), weights);
  const there = await page.ask("tenIterations");
  const difference = maxDifference(here.pictures, there.pictures);
  console.log(difference);
  console.log(
    here.metrics.map((m, i) =>
      Math.max(
        ...m.flatMap((f, k) =>
          Object.entries(f).map(([key, v]) =>
            Math.abs(v - there.metrics[i]![k]![key]!) / Math.max(1e-3, Math.abs(v))
          )
        ),
      )
    ),
  );
});
