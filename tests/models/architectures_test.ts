import assert from "node:assert/strict";
import { stateDict } from "../../models/module.ts";
import { createModel, MODELS } from "../../models/registry.ts";
import { openSafetensors } from "../../models/formats/open_safetensors.ts";
import { checkWeights, traceModel } from "../../models/trace.ts";
import { findModule } from "../../models/names.ts";
import { readSafetensors, sharedPath, testWithShared } from "../goldens.ts";

const GOLDEN = [
  ...["resnet18", "resnet50", "squeezenet1_0", "mobilenet_v2", "inception_v3"],
  ...["alexnet", "vgg11", "googlenet", "mnasnet1_0", "mobilenet_v3_large", "shufflenet_v2_x1_0"],
  ...["efficientnet_b0", "regnet_y_400mf", "convnext_tiny"],
];

for (const name of GOLDEN) {
  const path = `goldens/arch_${name}.safetensors`;

  testWithShared(`${name}: modules and weights are torchvision's`, [path], () => {
    const { metadata } = readSafetensors(sharedPath(path));
    const side = Number(metadata.input_side);
    const model = createModel(name);

    const expected: [string, string, (number[] | null)?][] = JSON.parse(metadata.modules!);
    const trace = traceModel(model, [1, 3, side, side]);
    assert.deepEqual(
      [...trace.modules].map(([path, { type }]) => [path, type]),
      expected.map(([path, type]) => [path, type]),
    );
    for (const [path, , shape] of expected) {
      if (shape === undefined) continue;
      const { output, leaf } = trace.modules.get(path)!;
      assert.ok(leaf, path);
      if (shape === null) {
        assert.equal(output, undefined, `${path} is never run`);
      } else {
        assert.ok(output, `${path} was not reached`);
        // torchvision flattens before its linear layers; here the four sizes stay. So do channels in
        // front, where ConvNeXt puts them behind.
        const found = shape.length === 4 ? output.shape : [1, output.shape.slice(1).reduce(times)];
        const behind = shape.length === 4 ? [0, 2, 3, 1].map((axis) => output.shape[axis]) : [];
        const behindToo = name.startsWith("convnext") && same(behind, shape);
        assert.ok(behindToo || same(found, shape), `${path}: ${found}, expected ${shape}`);
      }
    }

    const weights: [string, number[]][] = JSON.parse(metadata.state_dict!);
    assert.deepEqual([...stateDict(model.root)], weights);
  });
}

const same = (a: readonly unknown[], b: readonly unknown[]) => a.join() === b.join();
const times = (a: number, b: number) => a * b;

/** The layers up to which the shared weights go. */
const WEIGHTS: Record<string, string> = {
  squeezenet1_1: "classifier",
  mobilenet_v2: "features",
  resnet18: "layer3",
  inception_v3: "Mixed_7a",
  cifar10_resnet20: "linear",
};

for (const [name, last] of Object.entries(WEIGHTS)) {
  const path = `weights/${name}.safetensors`;

  testWithShared(`${name}: real weights fit up to ${last}`, [path], () => {
    using weights = openSafetensors(sharedPath(path));
    const model = createModel(name, {}, weights);
    const side = model.inputSize;
    const trace = traceModel(model, [1, 3, side, side], weights);
    checkWeights(trace, [findModule(trace, last).output]);
    const keys = stateDict(model.root);
    assert.deepEqual(weights.names.filter((key) => !keys.has(key)), []);
  });
}

Deno.test("every model runs to its end at its own size, and from its smallest size on", async (t) => {
  for (const [name, { inputSize, minSize, lastMap }] of Object.entries(MODELS)) {
    await t.step(name, () => {
      const model = createModel(name);
      const at = (side: number) => traceModel(model, [2, 3, side, side]);
      const { output, stopped } = at(inputSize);
      assert.equal(stopped, undefined);
      assert.equal(output!.shape[0], 2);
      assert.deepEqual(output!.shape.slice(2), [1, 1]);

      const mapAt = (side: number) => at(side).modules.get(lastMap)!.output;
      assert.ok(mapAt(minSize), `${lastMap} at ${minSize}`);
      if (minSize > 1) assert.ok(!mapAt(minSize - 1));
    });
  }
});

Deno.test("cifar10_resnet: depth counts the weighted layers", () => {
  for (const depth of [20, 32, 44, 56, 110]) {
    const { root } = createModel(`cifar10_resnet${depth}`);
    const layers = [...stateDict(root)].filter(([, shape]) => shape.length >= 2);
    assert.equal(layers.length, depth);
  }
});

Deno.test("cifar10_resnet20: the shortcut takes every second pixel of odd maps too", () => {
  const trace = traceModel(createModel("cifar10_resnet20"), [1, 3, 33, 35]);
  assert.deepEqual(trace.modules.get("layer2.0")!.output!.shape, [1, 32, 17, 18]);
  assert.deepEqual(trace.modules.get("layer2.0.shortcut")!.output!.shape, [1, 32, 17, 18]);
});

Deno.test("motifs: the weights that come along fit", async () => {
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  const trace = traceModel(model, [1, 3, model.inputSize, model.inputSize], weights);
  checkWeights(trace, [trace.output!]);
  assert.deepEqual(weights.names, [...stateDict(model.root).keys()]);
});
