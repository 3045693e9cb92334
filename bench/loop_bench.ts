/** `deno bench`: ten iterations of the loop with each preset, on the built-in network. */
import { openGpu } from "../kernels/runtime/device.ts";
import { createModel } from "../models/registry.ts";
import { openLoop, tenIterations } from "./loop_cost.ts";
import type { Loop } from "../vis/loop/loop.ts";
import { PRESETS } from "../vis/presets.ts";
import { openTrunk } from "../vis/trunk.ts";

const SIZE = 96;
const gpu = await openGpu();
const model = createModel("motifs");
const trunk = openTrunk(model, await model.builtInWeights!(), { layer: "features.20" }, SIZE);
const loops = new Map<string, Loop>();

for (const [name, parameters] of Object.entries(PRESETS)) {
  Deno.bench(`ten iterations, preset ${name}`, { group: "loop" }, async (b) => {
    let loop = loops.get(name);
    if (!loop) {
      loop = await openLoop(gpu, { trunk, parameters, facets: 3, size: SIZE });
      loops.set(name, loop);
    }
    b.start();
    await tenIterations(loop);
    b.end();
  });
}
