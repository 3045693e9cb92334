/** `deno bench`: the gradient of whole networks, random weights, at 224 px. */
import { openGpu } from "../kernels/runtime/device.ts";
import { runTimes } from "../ops/tuning/measure.ts";
import { type OpenStep, openStep } from "./benchmark.ts";
import { randomWeights } from "./random_weights.ts";
import { createModel } from "./registry.ts";

const gpu = await openGpu();
const steps = new Map<string, OpenStep>();

for (const name of ["squeezenet1_1", "resnet18", "mobilenet_v2"]) {
  Deno.bench(`gradient of ${name}`, { group: "gradients" }, async (b) => {
    let step = steps.get(name);
    if (!step) {
      const model = createModel(name);
      const weights = randomWeights(model);
      const stepCase = { model, weights, layer: model.lastMap, pictures: 1, size: 224 };
      step = await openStep(gpu, stepCase);
      steps.set(name, step);
    }
    b.start();
    const { program } = step;
    await runTimes(gpu, (pass) => program.encode(pass), 1);
    b.end();
  });
}
