/** `deno bench`: the gradient of whole networks, random weights, at 224 px. */
import { openGpu } from "../kernels/runtime/device.ts";
import { runTimes } from "../ops/tuning/measure.ts";
import { type OpenGradient, openGradient } from "./gradient_cost.ts";
import { randomWeights } from "../models/random_weights.ts";
import { createModel } from "../models/registry.ts";

const gpu = await openGpu();
const opened = new Map<string, OpenGradient>();

for (const name of ["squeezenet1_1", "resnet18", "mobilenet_v2"]) {
  Deno.bench(`gradient of ${name}`, { group: "gradients" }, async (b) => {
    let gradient = opened.get(name);
    if (!gradient) {
      const model = createModel(name);
      const weights = randomWeights(model);
      const gradientCase = { model, weights, layer: model.lastMap, pictures: 1, size: 224 };
      gradient = await openGradient(gpu, gradientCase);
      opened.set(name, gradient);
    }
    b.start();
    const { program } = gradient;
    await runTimes(gpu, (pass) => program.encode(pass), 1);
    b.end();
  });
}
