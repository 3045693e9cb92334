/** Weights in every format: as PyTorch reads them, by other names, and what is refused. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fit } from "../../../models/fit.ts";
import type { CheckpointFile } from "../../../models/formats/checkpoint.ts";
import { openWeights } from "../../../models/formats/open_weights.ts";
import { fromTimm } from "../../../models/formats/timm_names.ts";
import { encodeSafetensors, parseSafetensors } from "../../../models/formats/safetensors.ts";
import type { WeightsFile } from "../../../models/formats/weights.ts";
import { openModel } from "../../../models/open_model.ts";
import { randomWeights } from "../../../models/random_weights.ts";
import { recognise, recognised } from "../../../models/recognise.ts";
import { BatchNorm2d } from "../../../models/layers.ts";
import { namedModules, stateDict } from "../../../models/module.ts";
import { createModel } from "../../../models/registry.ts";
import { hasShared, sharedPath, testWithShared } from "../../goldens.ts";
import { findPython, readFloats, runReference, WANTED_PYTHON } from "../../python.ts";

const NETWORKS = sharedPath("networks");

/** Whether two tensors are the same numbers, NaN and all. */
function assertSame(found: Float32Array, expected: ArrayLike<number>, what: string): void {
  assert.equal(found.length, expected.length, what);
  for (let i = 0; i < found.length; i++) {
    assert.ok(Object.is(found[i], expected[i]), `${what}: ${found[i]}, expected ${expected[i]}`);
  }
}

const CHECKPOINTS = !hasShared("networks") ? [] : [
  ...readdirSync(join(NETWORKS, "exports")).filter((name) => name.endsWith(".pth"))
    .map((name) => join("exports", name)),
  ...readdirSync(join(NETWORKS, "pth")).filter((name) => /\.(pth|pt|pth\.tar)$/.test(name))
    .map((name) => join("pth", name)),
  ...readdirSync(join(NETWORKS, "real")).filter((name) => /\.(pth|pt)$/.test(name))
    .map((name) => join("real", name)),
];
const python = findPython();
// deno-lint-ignore no-console
if (!python) console.warn(`SKIPPED checkpoints beside PyTorch: no ${WANTED_PYTHON}`);

testWithShared("checkpoints are read as PyTorch reads them", ["networks/README.md"], async (t) => {
  if (!python) return;
  const files = CHECKPOINTS.map((name) => join(NETWORKS, name));
  const read = await runReference(
    python,
    "models/formats/checkpoints.py",
    files,
    (folder) => {
      // What stands beside the weights is known by name, or the file would be refused.
      const dump = (i: number, path: string) => {
        using file = openWeights(path) as CheckpointFile;
        assert.equal(file.key, "model");
        const numbers = readFloats(join(folder, `${i}.bin`));
        const all = file.names.flatMap((key) => [...file.read(key)]);
        assertSame(Float32Array.from(all), numbers, path);
      };
      dump(files.length, join(folder, "training.pth"));
      dump(files.length + 1, join(folder, "training_legacy.pth"));
      return files.map((_, i) => ({
        names: JSON.parse(readFileSync(join(folder, `${i}.json`), "utf8")) as [string, number[]][],
        numbers: readFloats(join(folder, `${i}.bin`)),
      }));
    },
  );
  for (const [i, name] of CHECKPOINTS.entries()) {
    await t.step(name, () => {
      using file = openWeights(files[i]!);
      const { names, numbers } = read[i]!;
      assert.deepEqual(file.names, names.map(([key]) => key));
      let at = 0;
      for (const [key, shape] of names) {
        assert.deepEqual(file.shape(key), shape, key);
        const size = shape.reduce((a, b) => a * b, 1);
        assertSame(file.read(key), numbers.subarray(at, at + size), key);
        at += size;
      }
    });
  }
});

/** Files of the same numbers, up to how they are rounded. */
const SAFETENSORS: Readonly<Record<string, (value: number) => number>> = {
  "densenet_small.F16": (value) => new Float16Array([value])[0]!,
  "densenet_small.F64": (value) => value,
  "sharded/resnet_basic": (value) => value,
};

for (const [name, round] of Object.entries(SAFETENSORS)) {
  testWithShared(`safetensors of other kinds: ${name}`, ["networks/pth"], () => {
    const path = join(NETWORKS, "pth", name.includes("/") ? name : `${name}.safetensors`);
    const of = name.includes("resnet") ? "resnet_basic" : "densenet_small";
    using expected = openWeights(join(NETWORKS, "pth", `${of}.expected.safetensors`));
    using file = openWeights(path);
    assert.deepEqual(file.names.toSorted(), expected.names.toSorted());
    for (const key of file.names) {
      assertSame(file.read(key), expected.read(key).map(round), key);
    }
  });
}

testWithShared("names that JavaScript knows are names", ["networks/pth/bad"], () => {
  using file = openWeights(join(NETWORKS, "pth/bad/proto_key.safetensors"));
  assert.deepEqual([...file.read("__proto__"), ...file.read("constructor")], [1, 2]);
});

/** What is said of files that are broken or try to run something. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  "bitflip_zip.pth": /is damaged: its CRC-32/,
  "deep_nesting.pth": /without weights/,
  "duplicate_key.safetensors": /a name stands twice/,
  "evil_build.pth": /asks for "os.system"/,
  "evil_eval_protocol4.pth": /asks for "builtins.eval"/,
  "evil_ext.pth": /instruction 0x82 is not known/,
  "evil_inst.pth": /instruction 0x69 is not known/,
  "evil_os_system.pth": /asks for "posix.system"/,
  "evil_os_system_legacy.pth": /asks for "posix.system"/,
  "evil_raw.pkl": /asks for "posix.system"/,
  "header_too_long.safetensors": /announce a header/,
  "html.pth": /a web page/,
  "memo_missing.pth": /nothing was remembered/,
  "negative_shape.safetensors": /no valid shape/,
  "past_end.safetensors": /lies at bytes 0 to 16/,
  "pickle_named.safetensors": /asks for "posix.system"/,
  "shape_size_mismatch.safetensors": /needs 12 bytes/,
  "sharded_missing_file": /model-00002-of-00002.safetensors: no such file/,
  "sharded_missing_tensor": /"features.norm0.weight" is not in/,
  "stack_underflow.pth": /no mark/,
  "storage_huge.pth": /it is \[2147483647,2147483647\]/,
  "storage_missing.pth": /storage "0" is not in the file/,
  "storage_offset_outside.pth": /reaches to element 1004 of a storage of 4/,
  "storage_short.pth": /has 8 bytes and should have 16/,
  "storage_stride_outside.pth": /reaches to element/,
  "tar.pth": /a tar archive/,
  "torchscript.pt": /a TorchScript program/,
  "truncated_zip.pth": /cut off/,
  "unknown_dtype.safetensors": /dtype "Q7_K"/,
  "whole_module.pth": /asks for "my_models.Net", which is no part of a state dict/,
  "whole_module_torch_classes.pth": /asks for "torch.nn.modules.container.Sequential"/,
  "zip_bomb_64MB.pth": /without weights/,
};

testWithShared("bad files are refused in one line, and run nothing", ["networks/pth/bad"], () => {
  const here = readdirSync(join(NETWORKS, "pth/bad")).filter((name) => !name.startsWith("proto"));
  assert.deepEqual(Object.keys(REFUSED), here.sort());
  for (const [name, message] of Object.entries(REFUSED)) {
    const readAll = () => {
      using file = openWeights(join(NETWORKS, "pth/bad", name));
      for (const key of file.names) file.read(key);
    };
    assert.throws(readAll, (error: Error) => {
      assert.equal(error.name, "UserError", `${name}: ${error.stack}`);
      assert.match(error.message, message);
      return !error.message.includes("\n");
    });
  }
  assert.ok(!existsSync(join(tmpdir(), "pwned")));
});

/** A file of a network's weights in memory, its tensors by other names. */
function fileOf(
  name: string,
  rename: (key: string) => string,
  options: Record<string, string> = {},
): WeightsFile {
  const model = createModel(name, options);
  const random = randomWeights(model);
  return parseSafetensors(
    encodeSafetensors(Object.fromEntries(
      [...stateDict(model.root)].map(([key, shape]) =>
        [rename(key), { shape, values: random.read(key) }] as const
      ),
    )),
    `${name} by other names`,
  );
}

Deno.test("tensors are found behind whatever stands before their names", async () => {
  for (const prefix of ["", "module.", "model.", "_orig_mod.backbone.", "encoder.net.0."]) {
    const file = fileOf("squeezenet1_1", (key) => prefix + key, { num_classes: "7" });
    const candidates = recognise(file);
    assert.equal(recognised(candidates)?.name, "squeezenet1_1");
    assert.equal(candidates[0]!.fit.classes, 7);
    const { model, weights } = await openModel(undefined, { weights: file });
    assert.deepEqual([model.name, model.options.num_classes], ["squeezenet1_1", "7"]);
    const key = "features.3.squeeze.weight";
    assertSame(weights.read(key) as Float32Array, randomWeights(model).read(key), key);
  }
});

Deno.test("a file of another network is told so, by its name", async () => {
  const file = fileOf("squeezenet1_0", (key) => key);
  await assert.rejects(() => openModel("resnet18", { weights: file }), {
    name: "UserError",
    message: /only 0 of the 102 tensors of resnet18 are there; they are those of squeezenet1_0/,
  });
});

Deno.test("what is missing and what is too much is listed", () => {
  const file = fileOf("resnet18", (key) => key.startsWith("fc.") ? `other.${key}` : key);
  const { missing, unexpected, fitting } = fit(createModel("resnet18", {}), file);
  assert.deepEqual([missing, unexpected], [["fc.weight", "fc.bias"], [
    "other.fc.weight",
    "other.fc.bias",
  ]]);
  assert.equal(fitting, 100);
});

/** Of networks in `timm/`, the architecture whose names they have. */
const TIMM: Readonly<Record<string, string>> = {
  efficientnet_small: "efficientnet_b0",
  mobilenet_v3_small: "mobilenet_v3_small",
  vgg_bn_small: "vgg11_bn",
};

for (const [name, model] of Object.entries(TIMM)) {
  const file = `networks/timm/${name}.timm.safetensors`;
  testWithShared(`timm's names are torchvision's in other words: ${name}`, [file], () => {
    using own = openWeights(join(NETWORKS, `exports/${name}.pth`));
    using timm = openWeights(sharedPath(file));
    const names = fromTimm(model, timm.names.map((key) => key))!;
    for (const key of own.names) {
      assertSame(timm.read(names.get(key) ?? key), own.read(key), key);
    }
  });
}

/** Names of a network's tensors in timm, from how many blocks its stages have. */
function timmBlocks(
  stages: readonly number[],
  parts: (stage: number) => readonly string[],
): string[] {
  const modules = [
    ...["conv_stem", "bn1", "conv_head", "bn2", "classifier"],
    ...stages.flatMap((count, stage) =>
      Array.from(
        { length: count },
        (_, block) => parts(stage).map((part) => `blocks.${stage}.${block}.${part}`),
      ).flat()
    ),
  ];
  return modules.flatMap((module) =>
    /bn\d$/.test(module)
      ? ["weight", "bias", "running_mean", "running_var"].map((end) => `${module}.${end}`)
      : [`${module}.weight`, ...(module === "classifier" ? [`${module}.bias`] : [])]
  );
}

const DEPTHWISE = ["conv_dw", "bn1", "conv_pw", "bn2"];
const INVERTED = ["conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"];

/** timm's names of whole networks, after its own documentation of them. */
const TIMM_NAMES: Readonly<Record<string, readonly string[]>> = {
  mobilenet_v2: timmBlocks([1, 2, 3, 4, 3, 3, 1], (stage) => stage ? INVERTED : DEPTHWISE),
  mnasnet1_0: timmBlocks([1, 3, 3, 3, 2, 4, 1], (stage) => stage ? INVERTED : DEPTHWISE),
  convnext_tiny: [
    ...["stem.0", "stem.1", "head.norm", "head.fc"],
    ...[1, 2, 3].flatMap((stage) => [0, 1].map((i) => `stages.${stage}.downsample.${i}`)),
    ...[3, 3, 9, 3].flatMap((count, stage) =>
      Array.from(
        { length: count },
        (_, block) =>
          ["conv_dw", "norm", "mlp.fc1", "mlp.fc2"].map((part) =>
            `stages.${stage}.blocks.${block}.${part}`
          ),
      ).flat()
    ),
  ].flatMap((module) => [`${module}.weight`, `${module}.bias`]).concat(
    [3, 3, 9, 3].flatMap((count, stage) =>
      Array.from({ length: count }, (_, block) => `stages.${stage}.blocks.${block}.gamma`)
    ),
  ),
};

for (const [model, names] of Object.entries(TIMM_NAMES)) {
  Deno.test(`timm's names of ${model} are all of torchvision's`, () => {
    const found = fromTimm(model, names.map((name) => `module.${name}`))!;
    const keys = [...stateDict(createModel(model, {}).root).keys()];
    assert.deepEqual([...found.keys()].sort(), keys.sort());
  });
}

Deno.test("networks with timm's names add what timm adds to variances", async () => {
  const invert = new Map<string, string>();
  const reference = createModel("mobilenet_v3_small", {});
  // The names of the file in ../shared are those of the whole network.
  if (!hasShared("networks", "timm")) return;
  using small = openWeights(join(NETWORKS, "timm/mobilenet_v3_small.timm.safetensors"));
  for (const [key, name] of fromTimm("mobilenet_v3_small", small.names)!) invert.set(key, name);
  const file = fileOf("mobilenet_v3_small", (key) => invert.get(key)!);
  const { model, weights } = await openModel("mobilenet_v3_small", { weights: file });
  const epsilons = (root: typeof model.root) =>
    new Set(
      [...namedModules(root).values()].flatMap((module) =>
        module instanceof BatchNorm2d ? [module.epsilon] : []
      ),
    );
  assert.deepEqual([...epsilons(model.root)], [1e-5]);
  assert.deepEqual([...epsilons(reference.root)], [1e-3]);
  assert.equal(weights.has("features.0.0.weight"), true);
});
