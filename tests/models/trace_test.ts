import assert from "node:assert/strict";
import { UserError } from "../../base/errors.ts";
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Flatten,
  Identity,
  Linear,
  ReLU,
} from "../../models/layers.ts";
import { Sequential } from "../../models/layers.ts";
import { Module, namedModules, type Scope, stateDict } from "../../models/module.ts";
import { defaultPenalty, findModule, resolveModule } from "../../models/names.ts";
import { nearest } from "../../base/nearest.ts";
import { createModel } from "../../models/registry.ts";
import { openSafetensors } from "../../models/formats/open_safetensors.ts";
import { encodeSafetensors, parseSafetensors } from "../../models/formats/safetensors.ts";
import { checkWeights, type Trace, traceModel } from "../../models/trace.ts";
import type { WeightSource } from "../../models/formats/weights.ts";
import { add, ancestors, constant, type Tensor } from "../../ops/mod.ts";
import { sharedPath, testWithShared } from "../goldens.ts";

/** A block with a shortcut whose relu runs twice, before a linear layer over a 2x2 map. */
class Tiny extends Module {
  readonly type = "Tiny";
  readonly conv = new Conv2d(3, 4, 3, { padding: 1 });
  readonly bn = new BatchNorm2d(4);
  readonly relu = new ReLU();
  readonly tail = new Sequential([new Identity(), new AvgPool2d(2)]);
  readonly unused: Module | undefined;
  readonly flatten = new Flatten();
  readonly fc = new Linear(16, 5);

  forward(x: Tensor, scope: Scope): Tensor {
    const y = scope.run(x, this.conv, this.bn, this.relu);
    return scope.run(scope.run(add(y, y), this.relu), this.tail, this.flatten, this.fc);
  }
}

const tiny = () => ({ name: "tiny", root: new Tiny() });

/** Complete weights for a network, from zeros; some replaced or, if undefined, left out. */
function weightsFor(root: Module, replaced: Record<string, number[] | undefined> = {}) {
  const shapes = { ...Object.fromEntries(stateDict(root)), ...replaced };
  const tensors = Object.entries(shapes).flatMap(([name, shape]) =>
    shape ? [[name, { shape, values: new Float32Array(shape.reduce((a, b) => a * b)) }]] : []
  );
  return parseSafetensors(encodeSafetensors(Object.fromEntries(tensors)), "w.safetensors");
}

/** Weights that count what is read of them. */
function counting(weights: WeightSource): WeightSource & { reads: string[] } {
  const reads: string[] = [];
  return {
    reads,
    name: weights.name,
    has: (key) => weights.has(key),
    shape: (key) => weights.shape(key),
    read: (key) => (reads.push(key), weights.read(key)),
  };
}

/** Loads every constant that the tensors depend on, as compiling does. */
function loadConstants(trace: Trace, ...targets: Tensor[]): void {
  for (const tensor of ancestors(targets)) {
    if (tensor.op === "constant" && tensor !== trace.input) {
      (tensor as Tensor<"constant">).attributes.load();
    }
  }
}

Deno.test("modules: children are the fields that hold modules, in order", () => {
  assert.deepEqual(
    [...namedModules(new Tiny())].map(([path, { type }]) => `${path}:${type}`),
    [
      ":Tiny",
      "conv:Conv2d",
      "bn:BatchNorm2d",
      "relu:ReLU",
      "tail:Sequential",
      "tail.0:Identity",
      "tail.1:AvgPool2d",
      "flatten:Flatten",
      "fc:Linear",
    ],
  );
  assert.deepEqual(Object.fromEntries(stateDict(new Tiny())), {
    "conv.weight": [4, 3, 3, 3],
    "conv.bias": [4],
    "bn.weight": [4],
    "bn.bias": [4],
    "bn.running_mean": [4],
    "bn.running_var": [4],
    "fc.weight": [5, 16],
    "fc.bias": [5],
  });
});

Deno.test("trace: a module used twice is known by its last call", () => {
  const { modules, output } = traceModel(tiny(), [2, 3, 4, 4]);
  const relu = modules.get("relu")!;
  assert.equal(modules.get("tail")!.input, relu.output);
  assert.notEqual(relu.input, modules.get("bn")!.output);
  assert.equal(modules.get("")!.output, output);
  assert.deepEqual(output!.shape, [2, 5, 1, 1]);
});

Deno.test("trace: a given tensor is the input, with what it depends on", () => {
  const picture = constant([1, 3, 4, 4], () => new Float32Array(48));
  const x = add(picture, picture);
  const trace = traceModel(tiny(), x);
  assert.equal(trace.input, x);
  assert.equal(trace.modules.get("conv")!.input, x);
  assert.ok(ancestors([trace.output!]).includes(picture));
});

Deno.test("trace: a network that cannot run to its end is usable up to there", () => {
  const trace = traceModel(tiny(), [1, 3, 8, 8]);
  assert.equal(
    trace.stopped,
    "tiny stops at fc (Linear) with an input of 8x8 pixels: Linear expects 16 inputs, got 4x4x4",
  );
  assert.equal(trace.output, undefined);
  assert.deepEqual(findModule(trace, "tail").output.shape, [1, 4, 4, 4]);
  assert.throws(() => findModule(trace, "fc"), {
    name: "UserError",
    message: `module "fc" of tiny has no output: ${trace.stopped}; use larger pictures or an ` +
      "earlier layer",
  });

  const small = traceModel(createModel("alexnet"), [1, 3, 20, 20]);
  assert.match(small.stopped!, /^alexnet stops at features\.5 \(MaxPool2d\) .* smaller than/);
  assert.ok(findModule(small, "features.4"));
});

Deno.test("trace: errors that are not about the input are not swallowed", () => {
  class Bug extends Module {
    readonly type = "Bug";
    forward(): Tensor {
      throw new TypeError("a bug");
    }
  }
  assert.throws(() => traceModel({ name: "bug", root: new Bug() }, [1, 3, 4, 4]), TypeError);
});

Deno.test("trace: the second head of Inception is listed but has no output", () => {
  const trace = traceModel(createModel("inception_v3"), [1, 3, 96, 96]);
  assert.ok(trace.modules.has("AuxLogits.conv0.bn"));
  assert.throws(() => findModule(trace, "AuxLogits"), {
    name: "UserError",
    message: 'module "AuxLogits" of inception_v3 has no output: it is not part of the forward pass',
  });
});

Deno.test("weights: only what a layer depends on is checked and read, and once", () => {
  const model = tiny();
  const weights = counting(weightsFor(model.root, { "fc.weight": undefined, "fc.bias": [9] }));
  const trace = traceModel(model, [1, 3, 4, 4], weights);
  const conv = findModule(trace, "conv").output;
  const relu = findModule(trace, "relu").output;
  checkWeights(trace, [conv]);
  checkWeights(trace, [conv, relu]);
  assert.deepEqual(weights.reads, []);

  loadConstants(trace, conv);
  assert.deepEqual(weights.reads, ["conv.weight", "conv.bias"]);
  loadConstants(trace, relu);
  assert.deepEqual(
    [...weights.reads].sort(),
    [...stateDict(model.root).keys()].filter((key) => !key.startsWith("fc")).sort(),
  );
});

Deno.test("weights: a wrong shape names file, tensor, and both shapes", () => {
  const model = tiny();
  // The batch norm's own tensors reach the graph only as scale and shift.
  for (const key of ["conv.bias", "bn.running_var", "fc.weight"]) {
    const weights = weightsFor(model.root, { [key]: [7] });
    const trace = traceModel(model, [1, 3, 4, 4], weights);
    const expected = stateDict(model.root).get(key)!.join(",");
    const message = `w.safetensors: tensor "${key}" is [7], tiny expects [${expected}]`;
    assert.throws(() => checkWeights(trace, [trace.output!]), { name: "UserError", message });
    assert.throws(() => loadConstants(trace, trace.output!), { name: "UserError", message });
  }
});

Deno.test("weights: missing tensors are named, or counted", () => {
  const model = tiny();
  const check = (missing: string[]) => {
    const replaced = Object.fromEntries(missing.map((key) => [key, undefined]));
    const trace = traceModel(model, [1, 3, 4, 4], weightsFor(model.root, replaced));
    checkWeights(trace, [trace.output!]);
  };
  assert.throws(() => check(["bn.bias"]), {
    name: "UserError",
    message: 'w.safetensors: no tensor "bn.bias", which tiny expects as [4]',
  });
  assert.throws(() => check(["bn.bias", "fc.weight"]), {
    name: "UserError",
    message: "w.safetensors: 2 of the 8 tensors that tiny needs here are missing, the first is " +
      '"bn.bias" [4]; use the weights of tiny, or a layer that comes before',
  });
});

Deno.test("weights: what is no finite number is named, unless it is allowed", () => {
  const model = tiny();
  for (const [key, value] of [["conv.weight", NaN], ["bn.running_var", Infinity]] as const) {
    const sound = weightsFor(model.root);
    const read = (name: string) => {
      const values = Float32Array.from(sound.read(name));
      if (name === key) values[2] = value;
      return values;
    };
    const spoilt = { ...counting(sound), read };
    const trace = traceModel(model, [1, 3, 4, 4], spoilt);
    checkWeights(trace, [trace.output!]);
    assert.throws(() => loadConstants(trace, trace.output!), {
      name: "UserError",
      message: new RegExp(`^w.safetensors: tensor "${key}" .* holds ${value} \\(number 2\\)`),
    });
    const allowed = traceModel(model, [1, 3, 4, 4], { ...spoilt, allowNonfinite: true });
    loadConstants(allowed, allowed.output!);
  }
});

Deno.test("weights: a network without any says so when they are needed", () => {
  const trace = traceModel(tiny(), [1, 3, 4, 4]);
  const error = { name: "UserError", message: /^tiny needs weights/ };
  assert.throws(() => checkWeights(trace, [trace.output!]), error);
  assert.throws(() => loadConstants(trace, findModule(trace, "conv").output), error);
  checkWeights(trace, [trace.input]);
});

testWithShared("weights: a partial file works up to its last layer", [
  "weights/resnet18.safetensors",
], () => {
  using file = openSafetensors(sharedPath("weights", "resnet18.safetensors"));
  const weights = counting(file);
  const trace = traceModel(createModel("resnet18"), [1, 3, 64, 64], weights);
  checkWeights(trace, [findModule(trace, "layer3").output]);
  assert.throws(
    () => checkWeights(trace, [findModule(trace, "layer4").output]),
    (error) =>
      error instanceof UserError && /the first is "layer4\.0\.conv1\.weight"/.test(error.message),
  );
  loadConstants(trace, findModule(trace, "layer1").output);
  assert.deepEqual(
    [...weights.reads].sort(),
    file.names.filter((key) => /^(conv1|bn1|layer1)\./.test(key)).sort(),
  );
});

Deno.test("names: exact, or in vis.py's numbering", () => {
  const resolve = (model: string, name: string) =>
    resolveModule(traceModel(createModel(model), [1, 3, 96, 96]), name);
  assert.equal(resolve("resnet18", "layer3.1.relu"), "layer3.1.relu");
  assert.equal(resolve("resnet152", "7.2.relu"), "layer4.2.relu");
  assert.equal(resolve("resnet152", "7.2.conv3"), "layer4.2.conv3");
  assert.equal(resolve("resnet18", "0"), "conv1");
  assert.equal(resolve("resnet18", "9"), "fc");
  assert.equal(resolve("squeezenet1_1", "12.expand3x3"), "features.12.expand3x3");
  assert.equal(resolve("vgg11", "0"), "features.0");
  assert.equal(resolve("inception_v3", "3"), "maxpool1");
});

Deno.test("names: an unknown one lists the nearest", () => {
  const trace = traceModel(createModel("resnet18"), [1, 3, 96, 96]);
  assert.throws(() => resolveModule(trace, "layer5"), {
    name: "UserError",
    message: 'no module "layer5" in resnet18; nearest: layer4, layer3, layer2, layer1',
  });
  assert.throws(() => resolveModule(trace, "7.2.relu"), /nearest: layer4\.1\.relu, /);
  assert.throws(() => resolveModule(trace, ""), /no module ""/);
  assert.throws(() => resolveModule(trace, "toString"), UserError);
});

Deno.test("names: nearness counts edits, ignores case, and knows digits", () => {
  assert.deepEqual(nearest("RESNET81", ["vgg11", "resnet18", "resnet101"], 2), [
    "resnet18",
    "resnet101",
  ]);
  assert.deepEqual(nearest("a3", ["a9", "b3", "a2"], 2), ["a2", "a9"]);
  assert.deepEqual(nearest("x", [], 3), []);
});

Deno.test("penalty: the last convolution the target depends on", () => {
  const cases: [model: string, target: string, penalty: string][] = [
    ["resnet18", "layer3", "layer3.1.conv2"],
    ["resnet18", "layer2.0", "layer2.0.downsample.0"],
    ["resnet18", "maxpool", "conv1"],
    ["resnet152", "layer4.2.relu", "layer4.2.conv3"],
    ["resnet152", "7.2.relu", "layer4.2.conv3"],
    ["resnet18", "layer1.0.conv2", "layer1.0.conv2"],
    ["squeezenet1_1", "features.12", "features.12.expand3x3"],
    ["squeezenet1_1", "features.12.expand1x1_activation", "features.12.expand1x1"],
    ["mobilenet_v2", "features.18", "features.18.0"],
    ["inception_v3", "Mixed_7a", "Mixed_7a.branch7x7x3_4.conv"],
    ["inception_v3", "Mixed_6e", "Mixed_6e.branch_pool.conv"],
    ["cifar10_resnet20", "layer3", "layer3.2.conv2"],
    ["motifs", "features", "features.18"],
  ];
  for (const [model, target, penalty] of cases) {
    const trace = traceModel(createModel(model), [1, 3, 96, 96]);
    assert.equal(defaultPenalty(trace, target), penalty, `${model} ${target}`);
  }
  const linear = { name: "linear", root: new Sequential([new Linear(3, 2)]) };
  assert.throws(() => defaultPenalty(traceModel(linear, [1, 3, 1, 1]), "0"), {
    name: "UserError",
    message: /^no convolution before "0" in linear/,
  });
});
