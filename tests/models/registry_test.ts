import assert from "node:assert/strict";
import { stateDict } from "../../models/module.ts";
import { createModel } from "../../models/registry.ts";
import { openSafetensors } from "../../models/formats/open_safetensors.ts";
import { encodeSafetensors, parseSafetensors } from "../../models/formats/safetensors.ts";
import { traceModel } from "../../models/trace.ts";
import type { Tensor } from "../../ops/mod.ts";
import { sharedPath, testWithShared } from "../goldens.ts";

Deno.test("models: an unknown name lists the nearest", () => {
  assert.throws(() => createModel("resnet52"), {
    name: "UserError",
    message: /^no model "resnet52"; nearest: resnet50, resnet\d+, [^;]*$/,
  });
  assert.throws(() => createModel("constructor"), { name: "UserError" });
});

Deno.test("models: options are checked", () => {
  const cases: [model: string, options: Record<string, string>, message: RegExp][] = [
    ["resnet18", { colour: "red" }, /^resnet18 has no option "colour"; it has: num_classes$/],
    ["motifs", { num_classes: "3" }, /^motifs has no option "num_classes"; it has none$/],
    ["resnet18", { num_classes: "0" }, /num_classes expects a whole number from 1, got "0"/],
    ["resnet18", { num_classes: "many" }, /got "many"/],
    ["inception_v3", { variant: "goggle" }, /variant expects torchvision or google, got "goggle"/],
    ["inception_v3", { aux_logits: "no" }, /aux_logits expects true or false, got "no"/],
  ];
  for (const [model, options, message] of cases) {
    assert.throws(() => createModel(model, options), { name: "UserError", message });
  }
  const { root, options } = createModel("resnet18", { num_classes: "2" });
  assert.deepEqual(stateDict(root).get("fc.weight"), [2, 512]);
  assert.deepEqual(options, { num_classes: "2" });
});

Deno.test("models: ImageNet's normalisation, the size they were made for", () => {
  const model = createModel("cifar10_resnet56");
  assert.deepEqual(model.normalisation, {
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  });
  assert.equal(model.inputSize, 32);
  assert.deepEqual(model.options, { num_classes: "10" });
});

/** Weights with only these tensors. */
function weights(tensors: Record<string, { shape: number[]; fill: (index: number) => number }>) {
  const filled = Object.entries(tensors).map(([name, { shape, fill }]) => {
    const size = shape.reduce((a, b) => a * b);
    return [name, { shape, values: Float32Array.from({ length: size }, (_, i) => fill(i)) }];
  });
  return parseSafetensors(encodeSafetensors(Object.fromEntries(filled)), "w.safetensors");
}

const TORCHVISION = { variant: "torchvision", aux_logits: "true", num_classes: "1000" };
const GOOGLE = { variant: "google", aux_logits: "false", num_classes: "1008" };

Deno.test("inception_v3: the variant is seen in the weights, or chosen", () => {
  const vector = (fill: (index: number) => number) => ({ shape: [32], fill });
  const mean = "Conv2d_1a_3x3.bn.running_mean";
  const variance = "Conv2d_1a_3x3.bn.running_var";
  const folded = { [mean]: vector(() => 0), [variance]: vector(() => 0.999) };
  const trained = { [mean]: vector((i) => i / 10), [variance]: vector((i) => 1 + i) };
  const head = (classes: number) => ({ "fc.weight": { shape: [classes, 1], fill: () => 0 } });
  const variantOf = (tensors: Parameters<typeof weights>[0], options = {}) =>
    createModel("inception_v3", options, weights(tensors)).options;

  assert.deepEqual(createModel("inception_v3").options, TORCHVISION);
  assert.deepEqual(variantOf({}), TORCHVISION);
  assert.deepEqual(variantOf(trained), TORCHVISION);
  assert.deepEqual(variantOf(folded), GOOGLE);
  assert.deepEqual(variantOf({ ...trained, ...head(1008) }), GOOGLE);
  assert.deepEqual(variantOf({ ...folded, ...head(1000) }), TORCHVISION);
  assert.deepEqual(variantOf(folded, { variant: "torchvision" }), TORCHVISION);
  assert.deepEqual(variantOf(trained, { variant: "google", num_classes: "3" }), {
    ...GOOGLE,
    num_classes: "3",
  });
});

Deno.test("inception_v3: the variants differ in pooling, head and input", () => {
  const google = createModel("inception_v3", { variant: "google" });
  const own = createModel("inception_v3");
  assert.deepEqual(own.normalisation, { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
  const [mean] = google.normalisation.mean;
  const [std] = google.normalisation.std;
  for (const pixel of [0, 100, 255]) {
    assert.ok(Math.abs((pixel / 255 - mean) / std - (pixel - 128) / 128) < 1e-12);
  }
  const pooling = (model: typeof own, block: string) => {
    const trace = traceModel(model, [1, 3, 96, 96]);
    const { op, attributes } = trace.modules.get(`${block}.branch_pool`)!.input!;
    if (op !== "averagePool2d") return op;
    return (attributes as Tensor<"averagePool2d">["attributes"]).countIncludePad;
  };
  for (const block of ["Mixed_5b", "Mixed_6e", "Mixed_7b"]) {
    assert.equal(pooling(own, block), true);
    assert.equal(pooling(google, block), false);
  }
  assert.equal(pooling(own, "Mixed_7c"), true);
  assert.equal(pooling(google, "Mixed_7c"), "maxPool2d");
  assert.ok(own.root.children().some(([name]) => name === "AuxLogits"));
  assert.ok(!google.root.children().some(([name]) => name === "AuxLogits"));
});

testWithShared("inception_v3: Google's file is recognised", [
  "weights/inception_v3.safetensors",
], () => {
  using file = openSafetensors(sharedPath("weights", "inception_v3.safetensors"));
  assert.deepEqual(createModel("inception_v3", {}, file).options, GOOGLE);
});
