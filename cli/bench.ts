/** `bench`: what each part costs here, beside the most this adapter can do. */
import type { Storage } from "../kernels/runtime/device.ts";
import { PRESETS } from "../vis/presets.ts";
import {
  type BenchModel,
  type BenchOptions,
  formatReport,
  runBench,
} from "./shared/bench_report.ts";
import { GPU_OPTIONS, openGpuFor } from "./shared/gpu.ts";
import { type Arguments, type Command, UsageError } from "./shared/options.ts";
import { print, say } from "./shared/progress.ts";

/** What is measured when nothing else is asked for. */
export const BENCH_OPTIONS: BenchOptions = {
  filter: "",
  models: ["squeezenet1_1", "resnet18", "mobilenet_v2", "inception_v3"].map((name) => ({ name })),
  presets: Object.keys(PRESETS),
  loopModel: { name: "squeezenet1_1" },
  pictures: 1,
  stepSize: 224,
  loopSize: 512,
  shrink: 1,
  measure: {},
  tens: 3,
};

/** The same with `--quick`. */
const QUICK_OPTIONS: BenchOptions = {
  ...BENCH_OPTIONS,
  models: [{ name: "motifs" }],
  presets: ["default"],
  loopModel: { name: "motifs" },
  stepSize: 32,
  loopSize: 32,
  shrink: 8,
  measure: { enough: 0.001, tries: 1 },
  tens: 1,
};

/** `NAME`, `NAME:LAYER` or `NAME:LAYER:FILE`. */
function parseModel(text: string): BenchModel {
  const [name, layer, ...file] = text.split(":");
  if (!name) throw new UsageError(`--models: expected NAME[:LAYER[:FILE]], got "${text}"`);
  return {
    name,
    layer: layer || undefined,
    file: file.length > 0 ? file.join(":") : undefined,
  };
}

function storageOf(args: Arguments): Storage | undefined {
  const storage = args.text("storage");
  if (storage === undefined || storage === "buffer" || storage === "texture") return storage;
  throw new UsageError(`--storage: expected buffer or texture, got "${storage}"`);
}

function benchOptions(args: Arguments): BenchOptions {
  const usual = args.flag("quick") ? QUICK_OPTIONS : BENCH_OPTIONS;
  const models = args.list("models").flatMap((list) => list.split(",")).map(parseModel);
  const size = args.integer("size", { min: 16, max: 8192 });
  return {
    ...usual,
    filter: args.text("filter") ?? usual.filter,
    models: models.length > 0 ? models : usual.models,
    loopModel: models[0] ?? usual.loopModel,
    pictures: args.integer("pictures", { min: 1, max: 1000 }) ?? usual.pictures,
    stepSize: size ?? usual.stepSize,
    loopSize: size ?? usual.loopSize,
  };
}

/** The command. */
export const benchCommand: Command = {
  summary: "Measure kernels, whole gradients and the loop beside the adapter's peak.",
  permissions: "--allow-read --allow-write=CACHE",
  usage: "[options]",
  positionals: [],
  options: {
    filter: {
      type: "string",
      short: "f",
      value: "TEXT",
      help: 'Only rows with this in "kernel NAME SHAPE", "step MODEL" or "loop PRESET MODEL"',
    },
    models: {
      type: "string",
      short: "m",
      multiple: true,
      value: "NAME[:LAYER[:FILE]],...",
      help:
        "Networks whose gradient is measured; the loop takes the first. No FILE: random weights",
    },
    pictures: { type: "string", value: "N", help: "Pictures of a gradient (default 1)" },
    size: {
      type: "string",
      value: "PIXELS",
      help: "Side of the pictures (default: gradients 224, loop 512)",
    },
    storage: {
      type: "string",
      value: "buffer|texture",
      help: "Where tensors live (default: textures on software adapters, buffers on GPUs)",
    },
    quick: { type: "boolean", help: "Tiny shapes, measured once: only to see that it works" },
    json: { type: "boolean", help: "Write JSON instead of tables" },
    ...GPU_OPTIONS,
  },
  notes: `Convolutions count the operations of their definition, whichever variant computes them.
GB/s count every operand and result once. The peak (fused multiply-adds) and the copy, larger than
any cache, are measured in the same run; what fits a cache may well be faster than the copy.

On a software adapter rates are per second of processor time, which other programs disturb little:
rates of one core, beside a peak of one core. On a GPU they are per second of its timestamps.`,

  async run(args) {
    const options = benchOptions(args);
    using gpu = await openGpuFor(args, storageOf(args));
    const report = await runBench(gpu, options, say);
    if (report.kernels.length + report.steps.length + report.loops.length === 0) {
      throw new UsageError(`--filter: no row has "${options.filter}" in its name`);
    }
    print(args.flag("json") ? JSON.stringify(report, null, 2) : formatReport(report));
  },
};
