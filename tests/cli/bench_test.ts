/** `mindseye bench`: that it runs and that its numbers are what they are called; no time is judged. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { measureCopy, measurePeak } from "../../bench/ceiling.ts";
import { gradientCost } from "../../bench/gradient_cost.ts";
import {
  convolutionOperations,
  kernelCases,
  kernelCost,
  openKernel,
  rates,
} from "../../bench/kernel_cost.ts";
import { openLoop, tenIterations } from "../../bench/loop_cost.ts";
import {
  type BenchReport,
  formatReport,
  openBenchModel,
  table,
} from "../../cli/shared/bench_report.ts";
import { randomWeights } from "../../models/random_weights.ts";
import { findModule } from "../../models/names.ts";
import { createModel, MODELS } from "../../models/registry.ts";
import { traceModel } from "../../models/trace.ts";
import { clockOf, measureCost, secondsOf } from "../../ops/tuning/measure.ts";
import { compile, constant, conv2d, gradients, mul } from "../../ops/mod.ts";
import { Gpu } from "../../kernels/runtime/device.ts";
import { chooseParameters, PRESETS } from "../../vis/presets.ts";
import { openTrunk } from "../../vis/trunk.ts";
import { gpuForTests } from "../compare.ts";

const ROOT = join(import.meta.dirname!, "..", "..");
const gpu = await gpuForTests();
const other = await gpuForTests(gpu.storage === "texture" ? "buffer" : "texture");
const QUICK = { enough: 0.001, tries: 1 };

async function bench(...args: string[]) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", join(ROOT, "cli", "main.ts"), "bench", "--quick", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("bench writes JSON: the machine, and for each row times and what they make", async () => {
  const { code, out, err } = await bench("--json", "--filter", "1×1 convolution");
  assert.equal(code, 0, err);
  const report = JSON.parse(out) as BenchReport;
  assert.equal(report.adapter.name, gpu.name);
  assert.equal(report.adapter.storage, gpu.storage);
  assert.equal(report.clock, clockOf(gpu));
  assert.ok(report.peak_gflops > 0 && report.copy_gb_per_s > 0);
  assert.equal(report.kernels.length, 6);
  assert.deepEqual(report.steps, []);
  for (const row of report.kernels) {
    assert.match(row.name, /^1×1 convolution/);
    assert.match(row.variant, /^(gemm|direct) \d+×\d+\/\d+$/);
    const [, inputs, outputs, size] = /^(\d+)→(\d+) @(\d+)²$/.exec(row.shape)!.map(Number);
    const stride = row.name.includes("stride 2") ? 2 : 1;
    const operations = 2 * inputs! * outputs! * Math.ceil(size! / stride) ** 2;
    const seconds = {
      processor: row.processor_ms,
      timestamps: row.gpu_ms,
      wall: row.wall_ms,
    }[report.clock]! / 1e3;
    const near = (a: number, b: number) => assert.ok(Math.abs(a / b - 1) < 0.01, `${a}, not ${b}`);
    near(row.gflops!, operations / seconds / 1e9);
    near(row.of_peak!, row.gflops! / report.peak_gflops);
    near(row.of_copy, row.gb_per_s / report.copy_gb_per_s);
  }
});

Deno.test("bench measures a network's gradient and the loop, and prints tables", async () => {
  const { code, out, err } = await bench(
    "--filter",
    "motifs",
    "--storage",
    "buffer",
    "--size",
    "48",
  );
  assert.equal(code, 0, err);
  assert.match(out, /tensors in buffers/);
  assert.match(out, /^\| motifs features\.20 +\| +1 × 48² \|/m);
  assert.match(out, /^\| default, motifs features\.20 +\| +3 × 48² \|/m);
  assert.match(err, /step motifs\nloop default motifs/);
});

Deno.test("bench refuses what it cannot do", async () => {
  for (
    const [args, code, pattern] of [
      [["--storage", "disk"], 2, /--storage: expected buffer or texture, got "disk"/],
      [["--filter", "nothing like it"], 2, /--filter: no row has "nothing like it"/],
      [["--filter", "step", "--models", "resnet81"], 1, /no model "resnet81"/],
    ] as const
  ) {
    const outcome = await bench(...args);
    assert.equal(outcome.code, code, outcome.err);
    assert.match(outcome.err.trimEnd().split("\n").at(-1)!, pattern);
  }
});

Deno.test("bench finds the last feature map of every network that it is given no layer of", async () => {
  for (const name of Object.keys(MODELS)) {
    const { model, layer } = await openBenchModel({ name });
    const { inputSize } = model;
    const { shape } = findModule(traceModel(model, [1, 3, inputSize, inputSize]), layer).output;
    assert.ok(shape[2] > 1 && shape[3] > 1, `${name} ${layer}`);
  }
});

Deno.test("every kernel of the benchmark runs, on both storages, and gives finite numbers", async () => {
  for (const device of [gpu, other]) {
    for (const kernelCase of kernelCases(16)) {
      using kernel = await openKernel(device, kernelCase);
      kernel.program.run();
      const values = await kernel.program.read(kernel.y);
      assert.ok(values.every(Number.isFinite), kernelCase.name);
      assert.ok(values.some((value) => value !== 0), kernelCase.name);
    }
  }
});

Deno.test("the loop of every preset can be measured", async () => {
  const model = createModel("motifs");
  const trunk = openTrunk(model, randomWeights(model), { layer: "features.20" }, 32);
  for (const preset of Object.keys(PRESETS)) {
    const parameters = chooseParameters(preset);
    using loop = await openLoop(gpu, { trunk, parameters, facets: 2, size: 32 });
    await tenIterations(loop);
    assert.ok((await loop.pictures()).every(Number.isFinite), preset);
  }
});

Deno.test("rates are amounts over the seconds that count", async () => {
  const [first] = kernelCases(8);
  const result = await kernelCost(gpu, first!, QUICK);
  const ceiling = {
    operations: await measurePeak(gpu, QUICK),
    bytes: await measureCopy(gpu, QUICK),
  };
  assert.ok(ceiling.operations > 0 && ceiling.bytes > 0);
  const seconds = secondsOf(gpu, result.cost);
  const { gflops, ofPeak, gbs, ofCopy } = rates(gpu, result, ceiling);
  assert.equal(result.operations, 2 * 49 * 64 * 64 * 9);
  assert.equal(result.bytes, 4 * (2 * 49 * 64 + 64 * 64 * 9));
  assert.equal(gflops, result.operations / seconds / 1e9);
  assert.equal(ofPeak, result.operations / seconds / ceiling.operations);
  assert.equal(gbs, result.bytes / seconds / 1e9);
  assert.equal(ofCopy, result.bytes / seconds / ceiling.bytes);
});

Deno.test("a cost is that of one run, however many were measured", async () => {
  const x = constant([1, 64, 64, 64], () => new Float32Array(64 ** 3).fill(1));
  using program = await compile(gpu, { outputs: [mul(x, x)] });
  const runs: number[] = [];
  const encode = (pass: GPUComputePassEncoder) => {
    runs.push(1);
    program.encode(pass);
  };
  const cost = await measureCost(gpu, encode, { enough: 0.02, tries: 2 });
  assert.ok(runs.length > 3);
  // All runs together took longer than the best of them, and less than a minute.
  assert.ok(cost.wall > 0 && cost.wall * runs.length < 60);
  assert.equal(cost.timestamps === undefined, gpu.software || clockOf(gpu) === "wall");
});

Deno.test("a GPU's seconds are those between its timestamps", async () => {
  // The same device, taken for a GPU.
  const real = new Gpu(gpu.adapter, gpu.device, gpu.storage, false);
  if (!gpu.device.features.has("timestamp-query")) {
    assert.equal(clockOf(real), "wall");
    return;
  }
  assert.equal(clockOf(real), "timestamps");
  const [first] = kernelCases(4);
  using kernel = await openKernel(real, first!);
  const cost = await measureCost(real, (pass) => kernel.program.encode(pass), QUICK);
  assert.ok(cost.timestamps! > 0);
  assert.equal(secondsOf(real, cost), cost.timestamps);
  // What the GPU is busy with lies inside what the host waits for.
  assert.ok(cost.timestamps! <= cost.wall, `${cost.timestamps} s, waited ${cost.wall} s`);
});

Deno.test("the operations of a graph are those of its convolutions, both ways", () => {
  const x = constant([2, 4, 9, 9], () => new Float32Array(648));
  const w = constant([6, 2, 3, 3], () => new Float32Array(108));
  const y = conv2d(x, w, undefined, { stride: 2, groups: 2 });
  const forward = 2 * (2 * 6 * 4 * 4) * (2 * 3 * 3);
  assert.equal(convolutionOperations([y]), forward);
  assert.equal(convolutionOperations(gradients(mul(y, y), [x])), 2 * forward);
});

Deno.test("random weights have every tensor a network needs and keep its activations in bounds", async () => {
  const model = createModel("resnet18");
  const weights = randomWeights(model);
  const again = randomWeights(createModel("resnet18"));
  const key = "layer1.0.conv1.weight";
  assert.deepEqual(weights.read(key), again.read(key));
  assert.notDeepEqual(weights.read(key), weights.read("layer1.0.conv2.weight"));
  assert.throws(() => weights.read("layer9.weight"), /resnet18 has no weight "layer9\.weight"/);
  const x = constant([1, 3, 64, 64], () => new Float32Array(3 * 64 * 64).fill(0.5));
  const y = traceModel(model, x, weights).modules.get("layer4")!.output!;
  using program = await compile(gpu, { outputs: [y] });
  program.run();
  const values = await program.read(y);
  const rms = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
  assert.ok(rms > 1e-3 && rms < 1e3, `rms ${rms}`);
});

Deno.test("a step is measured with its memory", async () => {
  const model = createModel("motifs");
  const weights = randomWeights(model);
  const one = { model, weights, layer: "features.20", pictures: 1, size: 32 };
  const [small, large] = [
    await gradientCost(gpu, one, QUICK),
    await gradientCost(gpu, { ...one, pictures: 4 }, QUICK),
  ];
  assert.equal(large.operations, 4 * small.operations);
  assert.ok(large.planBytes > small.planBytes);
  assert.ok(small.first > 0);
});

Deno.test("tables are Markdown with their columns aligned", () => {
  assert.equal(
    table(["what", "ms"], [["a", "1.0"], ["longer", "12.0"]], 1),
    ["| what   |   ms |", "| ------ | ---: |", "| a      |  1.0 |", "| longer | 12.0 |"].join("\n"),
  );
});

Deno.test("a report says what the seconds of its rates are", () => {
  const report: BenchReport = {
    version: "0",
    adapter: {
      name: "some GPU",
      vendor: "",
      driver: "550.1",
      software: false,
      storage: "buffer",
      precise: false,
    },
    machine: { deno: "2", target: "x", cores: 8 },
    clock: "timestamps",
    peak_gflops: 100,
    copy_gb_per_s: 10,
    kernels: [{
      name: "k",
      shape: "s",
      variant: "v",
      wall_ms: 3,
      processor_ms: 1,
      gpu_ms: 2,
      gflops: null,
      of_peak: null,
      gb_per_s: 5,
      of_copy: 0.5,
    }],
    steps: [],
    loops: [],
  };
  const text = formatReport(report);
  assert.match(text, /some GPU, driver 550\.1; tensors in buffers/);
  assert.match(text, /per second between the GPU's timestamps/);
  assert.match(text, /\| wall ms \| GPU ms \|/);
  assert.match(text, /\| k +\| s +\| v +\| +3\.00 \| +2\.00 \| +\| +\| +5\.0 \| +50 % \|/);
});
