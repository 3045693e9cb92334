/**
 * The same engine in a browser: another WebGPU, another compiler, another driver. Nearly all of the
 * time goes into compiling: SwiftShader takes 0.3 to 2 seconds for a convolution's kernel.
 */
import assert from "node:assert/strict";
import { openGpu } from "../../kernels/runtime/device.ts";
import { motifsWeights } from "../../models/architectures/motifs_net.ts";
import { createModel } from "../../models/registry.ts";
import { CASES } from "../cases/all.ts";
import { VARIANTS } from "../cases/variants.ts";
import { note } from "../compare.ts";
import { compareIterations, tenIterations } from "../ten_iterations.ts";
import { testInBrowser } from "./browser.ts";
import { compareLosses } from "./compare_losses.ts";
import { SLOW_CASES } from "./slow_cases.ts";

/** Random cases of each kind: in Deno every shape is tried, here every kernel, and compiling takes long. */
const COUNT = 1;

/** Convolutions to compute in every way there is. */
const CONVOLUTIONS = /^[13]x[13] convolution$/;

const SQUEEZENET = [
  "goldens/models_squeezenet1_1.safetensors",
  "weights/squeezenet1_1.safetensors",
];

testInBrowser("in a browser, every operation agrees with its reference", [], async (page, t) => {
  const names = CASES.map(({ name }) => name);
  assert.deepEqual(SLOW_CASES.filter((name) => !names.includes(name)), []);
  assert.equal(await page.ask("adapter"), "swiftshader");
  for (const name of names) {
    if (SLOW_CASES.includes(name)) continue;
    await t.step(name, async () => {
      note(name, await page.ask("compareCase", name, { count: COUNT }));
    });
  }
  // Two kernels are left: the pool of a network without its gradient, and the one that measures.
  await t.step("maxPool2d alone", async () => {
    await page.ask("compareCase", "maxPool2d", { count: COUNT, forward: true });
  });
  await t.step("peak", async () => assert.ok(await page.ask("peak") > 0));
});

testInBrowser("in a browser, convolutions are computed in every way", [], async (page, t) => {
  for (const [what, , pattern] of VARIANTS) {
    const cases = CASES.filter(({ name }) => pattern.test(name) && CONVOLUTIONS.test(name));
    assert.ok(cases.length > 0);
    for (const { name } of cases) {
      await t.step(`${what}: ${name}`, async () => {
        note(
          `${what}: ${name}`,
          await page.ask("compareCase", name, { count: COUNT, variant: what }),
        );
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
  note("ten iterations", compareIterations(await page.ask("tenIterations"), here));
});

testInBrowser("in a browser, a device that is lost is replaced", [], async (page) => {
  await compareLosses(page, ["pictures"]);
});
