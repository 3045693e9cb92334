/** The loop as other adapters than this one compute it. */
import { type Gpu, openGpu } from "../../kernels/runtime/device.ts";
import { createModel } from "../../models/registry.ts";
import { asGpu, VENDORS } from "../as_gpu.ts";
import { note } from "../compare.ts";
import { compareIterations, tenIterations } from "../ten_iterations.ts";

const ADAPTERS: Readonly<Record<string, () => Promise<Gpu>>> = {
  "default limits": () => openGpu({ limits: "default" }),
  ...Object.fromEntries(
    VENDORS.map((vendor) =>
      [
        `a GPU of ${vendor}`,
        async () => asGpu(await openGpu({ limits: "default" }), vendor),
      ] as const
    ),
  ),
};

Deno.test("ten iterations are the same as on other adapters", async (t) => {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  using gpu = await openGpu();
  const here = await tenIterations(gpu, model, weights);
  for (const [name, open] of Object.entries(ADAPTERS)) {
    await t.step(name, async () => {
      using other = await open();
      note(name, compareIterations(await tenIterations(other, model, weights), here));
    });
  }
});
