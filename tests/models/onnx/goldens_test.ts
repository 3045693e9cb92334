/** Trained and exported networks in ONNX files, forwards and backwards, against float64. */
import assert from "node:assert/strict";
import { openGpu } from "../../../kernels/runtime/device.ts";
import { openOnnx } from "../../../models/formats/onnx/open_onnx.ts";
import { onnxModel } from "../../../models/onnx/onnx_model.ts";
import { traceModel } from "../../../models/trace.ts";
import { compile, type Shape, Variable } from "../../../ops/mod.ts";
import { largest } from "../../distance.ts";
import { golden, readSafetensors, sharedPath, testWithShared } from "../../goldens.ts";
import { compareOnnx } from "./compare_onnx.ts";

/** Networks of `exports/` with the other files of the same. */
const EXPORTS: Readonly<Record<string, readonly string[]>> = {
  convnext_small: ["", "_nofold"],
  densenet_small: ["", "_initin", "_op11"],
  efficientnet_small: [""],
  hand_zoo: [""],
  mnasnet_small: [""],
  mobilenet_v2: ["", "_op9"],
  mobilenet_v3_small: [""],
  regnet_x_small: [""],
  resnet_basic: ["", "_bn", "_external"],
  resnet_bottleneck: [""],
  shufflenet_v2_small: ["", "_nofold"],
  squeezenet1_1: [""],
  vgg_bn_small: [""],
};

/** Files and their goldens. */
const FILES: readonly (readonly [onnx: string, golden: string])[] = [
  ...Object.entries(EXPORTS).flatMap(([name, kinds]) =>
    kinds.map((kind) =>
      [`exports/${name}${kind}.onnx`, `exports/${name}.golden.safetensors`] as const
    )
  ),
  ["onnx/inat_bird.onnx", "onnx/inat_bird.golden.safetensors"],
  ["onnx/tf_mobilenet_v2.onnx", "onnx/tf_mobilenet_v2.golden.safetensors"],
  ["real/facenet_pnet.onnx", "real/goldens/facenet_pnet.onnx.safetensors"],
  ["real/facenet_rnet.onnx", "real/goldens/facenet_rnet.onnx.safetensors"],
  ["real/mlperf_resnet.onnx", "real/goldens/mlperf_resnet.safetensors"],
  ["real/mlperf_resnet_autopad.onnx", "real/goldens/mlperf_resnet_autopad.safetensors"],
  ["real/mlperf_resnet_padnode.onnx", "real/goldens/mlperf_resnet_padnode.safetensors"],
  ["real/version-slim-320.onnx", "real/goldens/version-slim-320.safetensors"],
];

testWithShared("ONNX networks compute what PyTorch computes", ["networks/README.md"], async (t) => {
  using gpu = await openGpu();
  for (const [onnx, file] of FILES) {
    await t.step(onnx, async () => {
      const error = await compareOnnx(gpu, onnx, file);
      // deno-lint-ignore no-console
      if (error > 2e-5) console.log(`${onnx}: off by ${error}`);
    });
  }
});

const HALF = "networks/exports/resnet_basic_f16.onnx";
testWithShared("half precision weights are read as they are", [HALF], async () => {
  const goldens = readSafetensors(sharedPath("networks/exports/resnet_basic.golden.safetensors"));
  using gpu = await openGpu();
  using file = openOnnx(sharedPath(HALF));
  const input = goldens.get("input")!;
  using x = new Variable(gpu, input.shape as unknown as Shape);
  x.write(Float32Array.from(input.data));
  const { output } = traceModel(onnxModel(file), x.tensor, file);
  using program = await compile(gpu, { outputs: [output!] });
  program.run();
  const reference = golden(goldens, "output:logits");
  const logits = await program.read(output!);
  assert.ok(largest(logits.map((v, i) => v - reference[i]!)) <= 0.01);
});

/** Files that are broken, and what is said of them at once. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  empty: /not an ONNX file \(it is empty\)/,
  external_absolute: /in "\/etc\/passwd", which is not in its folder/,
  external_missing: /"no_such.data", but there is no such file/,
  git_lfs_pointer: /Git LFS pointer: fetch the file itself/,
  huge_dims: /tensor "w" \[2147483648,2147483648,1,1\] of FLOAT needs/,
  missing_input: /Add "a" needs "nowhere", which nothing in the graph gives/,
  not_onnx: /not an ONNX file/,
  truncated: /broken or cut off/,
};

/** Files that can be opened, up to a node. */
const STOPPED: Readonly<Record<string, RegExp>> = {
  if_node: /If \(node "y"\) is an operator that is not supported/,
  quantised_qdq: /QuantizeLinear \(node "q"\) is an operator that is not supported/,
  shape_mismatch: /Conv \(node "wrong"\): .*expects 5 input channels/,
  unknown_op: /NonMaxSuppression \(node "nms"\) is an operator that is not supported/,
};

for (const [name, message] of Object.entries({ ...REFUSED, ...STOPPED })) {
  const path = `networks/exports/bad/${name}.onnx`;
  testWithShared(`a bad ONNX file is told so: ${name}`, [path], () => {
    const look = () => {
      using file = openOnnx(sharedPath(path));
      const { stopped } = traceModel(onnxModel(file), [1, 3, 8, 8]);
      return stopped;
    };
    if (Object.hasOwn(STOPPED, name)) assert.match(look() ?? "", message);
    else assert.throws(look, { name: "UserError", message });
  });
}

testWithShared(
  "nodes out of order are put in order",
  ["networks/exports/bad/unsorted.onnx"],
  () => {
    using file = openOnnx(sharedPath("networks/exports/bad/unsorted.onnx"));
    assert.equal(traceModel(onnxModel(file), [1, 3, 8, 8]).stopped, undefined);
  },
);

testWithShared(
  "what comes before an unknown operator can be looked at",
  ["networks/exports/bad/unknown_op.onnx"],
  () => {
    using file = openOnnx(sharedPath("networks/exports/bad/unknown_op.onnx"));
    const { modules } = traceModel(onnxModel(file), [1, 3, 8, 8]);
    assert.deepEqual(modules.get("h")!.output!.shape, [1, 3, 8, 8]);
  },
);

testWithShared(
  "layers go by the names of nodes, of what they give, of parts and of PyTorch's modules",
  ["networks/exports/resnet_basic.onnx"],
  () => {
    using file = openOnnx(sharedPath("networks/exports/resnet_basic.onnx"));
    const { modules, aliases } = traceModel(onnxModel(file), [1, 3, 64, 64]);
    const shapeOf = (name: string) => modules.get(aliases.get(name) ?? name)?.output?.shape;
    for (
      const name of [
        "/layer2/layer2.1/relu_1/Relu",
        "/layer2/layer2.1/relu_1/Relu_output_0",
        "/layer2/layer2.1",
        "layer2.1",
        "layer2",
      ]
    ) assert.deepEqual(shapeOf(name), [1, 16, 8, 8], name);
    assert.deepEqual(shapeOf("layer1.0.conv1"), [1, 8, 16, 16]);
  },
);

/** How networks want their pictures, as far as their files say. */
const NORMALISED: Readonly<Record<string, readonly [size: number, mean: number, std: number]>> = {
  "onnx/tf_mobilenet_v2.onnx": [224, 0.5, 0.5],
  "exports/resnet_basic.onnx": [64, 0.485, 0.229],
  "real/mlperf_resnet.onnx": [32, 0.485, 0.229],
};
for (const [name, expected] of Object.entries(NORMALISED)) {
  testWithShared(`size and normalisation of ${name}`, [`networks/${name}`], () => {
    using file = openOnnx(sharedPath("networks", name));
    const { inputSize, normalisation: { mean: [mean], std: [std] } } = onnxModel(file);
    assert.deepEqual([inputSize, mean, std], expected);
  });
}
