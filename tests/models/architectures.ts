/**
 * Every network that torchvision has, beside torchvision: modules, weights, activations, gradient.
 *
 *     deno task test:architectures [NAMES]
 *
 * Needs a python3 with torch and torchvision. Takes a quarter of an hour and, for the largest, 6 GB.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openGpu } from "../../kernels/runtime/device.ts";
import { namedModules, stateDict } from "../../models/module.ts";
import { createModel, MODELS } from "../../models/registry.ts";
import { compareArchitecture } from "./architecture.ts";
import { readSafetensors } from "../goldens.ts";

/** Of the weights of each family, so that activations neither fade nor grow out of range. */
const GAINS: readonly (readonly [RegExp, number])[] = [
  [/^(alexnet|resnet(18|34)|squeezenet|vgg\d+$)/, Math.SQRT2],
  [/^(resnet|resnext)/, 1.2],
  [/^(wide_resnet|regnet_x)/, 1.25],
  [/^(mobilenet_v2)/, 1.5],
  [/^mobilenet_v3_large/, 1.45],
  [/^mnasnet/, 1.35],
  [/^efficientnet_v2_[sm]/, 1.3],
  [/^efficientnet_b0/, 1.85],
  [/^efficientnet_b[1-3]/, 1.5],
  [/^efficientnet/, 1.2],
  [/^convnext/, 1],
  [/./, 1.6],
];

const OURS = /^(motifs|cifar)/;

/**
 * Pictures to try: in a deep network one of millions of rectifiers may take another decision for a
 * difference of rounding, in PyTorch's float32 as in ours. What is wrong is so for every picture.
 */
const INPUTS = ["input", "another input", "a third input"];

async function compare(
  name: string,
  input: string,
): Promise<{ values: number; gradient: number }> {
  const options = {};
  const model = createModel(name, options);
  const side = Math.max(64, model.minSize + model.minSize % 2);
  const gain = GAINS.find(([pattern]) => pattern.test(name))![1];
  const folder = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command("/usr/bin/python3", {
      args: [
        join(import.meta.dirname!, "architecture_goldens.py"),
        ...[name, String(side), String(gain), model.lastMap, input, folder],
      ],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const goldens = readSafetensors(join(folder, `${name}.safetensors`));
    const modules = [...namedModules(model.root)].map(([path, { type }]) => [path, type]);
    assert.deepEqual(modules, JSON.parse(goldens.metadata.modules!));
    assert.deepEqual([...stateDict(model.root)], JSON.parse(goldens.metadata.state_dict!));
    using gpu = await openGpu();
    return await compareArchitecture(gpu, model, goldens);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));
const names = Deno.args.length > 0
  ? Deno.args
  : Object.keys(MODELS).filter((name) => !OURS.test(name));
let failed = 0;
for (const name of names) {
  let reason = "";
  for (const input of INPUTS) {
    try {
      const { values, gradient } = await compare(name, input);
      const errors = `values ${values.toExponential(1)}  gradient ${gradient.toExponential(1)}`;
      print(`${name.padEnd(20)} ${errors}${input === INPUTS[0] ? "" : `  (${input})`}\n`);
      reason = "";
      break;
    } catch (error) {
      reason = (error as Error).message;
    }
  }
  if (reason === "") continue;
  failed++;
  print(`${name.padEnd(20)} FAILED ${reason.slice(0, 400)}\n`);
}
print(`${names.length - failed} passed, ${failed} failed\n`);
if (failed > 0) Deno.exit(1);
