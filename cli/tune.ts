/** `tune`: measures on this machine which kernels are fastest for a network. */
import { channelsOf } from "../models/normalisation.ts";
import type { Model } from "../models/registry.ts";
import { openNetwork } from "./shared/model.ts";
import { findModule, resolveModule } from "../models/names.ts";
import { traceModel } from "../models/trace.ts";
import {
  constant,
  type Geometry,
  globalAveragePool,
  gradients,
  type Tensor,
  type Variant,
} from "../ops/mod.ts";
import { tuned } from "../ops/tuning/tune.ts";
import { mergedKeyValues } from "./shared/config.ts";
import { GPU_OPTIONS } from "./shared/gpu.ts";
import { type Command, FACETS, SIDES, UsageError } from "./shared/options.ts";
import { keepGpuFor } from "./shared/gpu.ts";
import { print, say } from "./shared/progress.ts";

/** The command. */
export const tuneCommand: Command = {
  summary: "Measure which kernels are fastest here for a network's convolutions, and remember it.",
  permissions: "--allow-read --allow-write=CACHE",
  usage: "--model NAME --layer LAYER [options] | --clear",
  positionals: [],
  options: {
    model: { type: "string", short: "m", value: "NAME", help: "Network (see: layers)" },
    layer: { type: "string", short: "l", value: "LAYER", help: "Module up to which it is tuned" },
    size: {
      type: "string",
      value: "PIXELS",
      help: "Side of the pictures (default: the network's)",
    },
    facets: { type: "string", short: "k", value: "K", help: "Pictures at once (default 3)" },
    "model-option": {
      type: "string",
      multiple: true,
      value: "NAME=VALUE,...",
      help: "Options of the network",
    },
    clear: { type: "boolean", help: "Forget what was measured on this adapter" },
    precise: GPU_OPTIONS.precise!,
  },
  notes: `Needs no weights and no photos. Other commands use what was measured, unless they are
called with --no-tune. On a GPU they measure what they do not know, for two seconds at most; on a
software adapter only this command does.

Times are of the processor on a software adapter, of the GPU else.`,
  async run(args) {
    const name = args.text("model");
    const layer = args.text("layer");
    const clear = args.flag("clear");
    if (!clear && name === undefined) {
      throw new UsageError("tune: missing --model; list the networks with: models");
    }
    if (!clear && layer === undefined) {
      throw new UsageError(
        `tune: missing --layer; list the layers with: layers --model ${name}`,
      );
    }
    const facets = args.integer("facets", FACETS) ?? 3;
    const wanted = args.integer("size", SIDES);
    const options = mergedKeyValues("model-option", args.list("model-option"));
    using opened = new DisposableStack();
    const network = name === undefined ? undefined : await openNetwork(name, options);
    if (network) opened.defer(network.close);
    const model = network?.model;
    const graph = model && layer !== undefined
      ? loopOf(model, layer, facets, wanted ?? model.inputSize)
      : undefined;

    using keeper = await keepGpuFor(args);
    await keeper.use(async (gpu) => {
      const tuning = tuned(gpu, { note: (text) => say(`note: ${text}`) });
      const path = tuning.file.path ?? "nowhere: the system names no folder for it";
      if (clear) {
        const done = tuning.file.clear() ? "deleted" : "nothing to delete:";
        print(`${done} ${path}`);
      }
      if (!graph) return;
      say(`${gpu.name}${gpu.software ? " (software)" : ""}`);
      printRow(["convolution", "usual", "ms", "fastest", "ms"]);
      for await (const { geometry, usual, best } of tuning.tuneAll({ outputs: graph })) {
        printRow([
          describeGeometry(geometry),
          describeVariant(usual.variant),
          usual.ms.toFixed(2),
          best === usual ? "the same" : describeVariant(best.variant),
          best.ms.toFixed(2),
        ]);
      }
      print(`kept in ${path}`);
    });
  },
};

/** A layer's mean activation and its gradient: all convolutions of the loop. */
function loopOf(model: Model, layer: string, facets: number, size: number): Tensor[] {
  const channels = channelsOf(model.normalisation);
  const shape = [facets, channels, size, size] as const;
  const pictures = constant(shape, () => new Float32Array(channels * facets * size * size));
  const trace = traceModel(model, pictures);
  const { output } = findModule(trace, resolveModule(trace, layer));
  const mean = globalAveragePool(output);
  return [mean, ...gradients(mean, [pictures])];
}

/** Such as `3 × 64→64 @56×56, 3×3`. */
function describeGeometry(g: Geometry): string {
  const by = ([y, x]: readonly [number, number]) => `${y}×${x}`;
  return `${g.pictures} × ${g.inputs}→${g.outputs} @${by(g.size)}, ${by(g.kernel)}` +
    (g.stride[0] * g.stride[1] > 1 ? `, stride ${by(g.stride)}` : "") +
    (g.dilation[0] * g.dilation[1] > 1 ? `, dilation ${by(g.dilation)}` : "") +
    (g.groups > 1 ? `, ${g.groups} groups` : "");
}

/** Such as `winograd4 16×14, 16`: channels × pixels of an invocation, invocations of a workgroup. */
function describeVariant(variant: Variant): string {
  const { algorithm, tile: { quads, pixels, workgroup, staged } } = variant;
  return `${algorithm} ${4 * quads}×${pixels}, ${workgroup}` +
    (staged ? ` staged ${staged.blocks}×${staged.step}` : "") +
    (variant.algorithm === "direct" && variant.rolled ? " rolled" : "");
}

function printRow(cells: readonly string[]): void {
  const widths = [38, 28, 8, 28, 8];
  const line = cells.map((cell, i) =>
    i % 2 === 0 && i > 0 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
  );
  print(line.join(" ").trimEnd());
}
