/** What `bench` measures, as data and as tables. */
import { availableParallelism } from "node:os";
import { type Ceiling, measureCopy, measurePeak } from "../../bench/ceiling.ts";
import { type GradientCost, gradientCost } from "../../bench/gradient_cost.ts";
import { kernelCases, kernelCost, rates } from "../../bench/kernel_cost.ts";
import { loopCost } from "../../bench/loop_cost.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import { randomWeights } from "../../models/random_weights.ts";
import { createModel, type Model } from "../../models/registry.ts";
import type { WeightSource } from "../../models/formats/weights.ts";
import {
  type Clock,
  clockOf,
  type Cost,
  type MeasureOptions,
  secondsOf,
} from "../../ops/tuning/measure.ts";
import { chooseParameters } from "../../vis/presets.ts";
import { openTrunk } from "../../vis/trunk.ts";
import { VERSION } from "../../base/version.ts";
import { isNetworkFile } from "../../models/open_model.ts";
import { openModel } from "./model.ts";

/** A network to measure, as the command line names it. */
export interface BenchModel {
  readonly name: string;
  /** Default: its last feature map. */
  readonly layer?: string | undefined;
  /** Its weights; random ones if there is no file. */
  readonly file?: string | undefined;
}

/** What to measure. */
export interface BenchOptions {
  /** Only rows whose name has this in it. */
  readonly filter: string;
  /** Networks whose gradient is measured. */
  readonly models: readonly BenchModel[];
  /** Presets whose loop is measured. */
  readonly presets: readonly string[];
  /** The loop's network. */
  readonly loopModel: BenchModel;
  /** Pictures of a step, and side of the pictures of steps and of the loop. */
  readonly pictures: number;
  readonly stepSize: number;
  readonly loopSize: number;
  /** Divides the sides of the kernels' pictures. */
  readonly shrink: number;
  /** How long each measurement takes. */
  readonly measure: MeasureOptions;
  /** Tens of iterations of each loop. */
  readonly tens: number;
}

/** Milliseconds by each clock; `gpu` is null where there are no timestamps. */
interface Milliseconds {
  readonly wall_ms: number;
  readonly processor_ms: number;
  readonly gpu_ms: number | null;
}

/** A row of the table of kernels. */
export interface KernelRow extends Milliseconds {
  readonly name: string;
  readonly shape: string;
  readonly variant: string;
  /** null for what is no convolution. */
  readonly gflops: number | null;
  readonly of_peak: number | null;
  readonly gb_per_s: number;
  readonly of_copy: number;
}

/** A row of the table of gradients. */
export interface StepRow extends Milliseconds {
  readonly model: string;
  readonly layer: string;
  readonly pictures: number;
  readonly size: number;
  readonly weights: "file" | "random";
  readonly gflops: number;
  readonly of_peak: number;
  /** Until the first gradient, compilation included, by the clock on the wall. */
  readonly first_ms: number;
  readonly plan_bytes: number;
  readonly constant_bytes: number;
}

/** A row of the table of loops; the times are those of an iteration. */
export interface LoopRow extends Milliseconds {
  readonly preset: string;
  readonly model: string;
  readonly layer: string;
  readonly facets: number;
  readonly size: number;
  readonly first_ms: number;
  readonly plan_bytes: number;
  readonly constant_bytes: number;
}

/** Everything measured, and on what. */
export interface BenchReport {
  readonly version: string;
  readonly adapter: {
    readonly name: string;
    readonly vendor: string;
    readonly driver: string;
    readonly software: boolean;
    readonly storage: string;
    readonly precise: boolean;
  };
  readonly machine: { readonly deno: string; readonly target: string; readonly cores: number };
  /** The seconds that gflops and gb_per_s are a second of. */
  readonly clock: Clock;
  readonly peak_gflops: number;
  readonly copy_gb_per_s: number;
  readonly kernels: KernelRow[];
  readonly steps: StepRow[];
  readonly loops: LoopRow[];
}

const round = (value: number, digits = 4) => Number(value.toPrecision(digits));

function milliseconds({ wall, processor, timestamps }: Cost): Milliseconds {
  return {
    wall_ms: round(1e3 * wall),
    processor_ms: round(1e3 * processor),
    gpu_ms: timestamps === undefined ? null : round(1e3 * timestamps),
  };
}

/** The network, the layer and the weights that a name means. */
export async function openBenchModel({ name, layer, file }: BenchModel): Promise<{
  model: Model;
  layer: string;
  weights: WeightSource & Partial<Disposable>;
}> {
  const inFiles = file !== undefined || isNetworkFile(name);
  const found = inFiles ? await openModel(name, { weights: file }) : undefined;
  const model = found?.model ?? createModel(name);
  return {
    model,
    layer: layer ?? model.lastMap,
    weights: found?.weights ?? randomWeights(model),
  };
}

function stepRow(gpu: Gpu, ceiling: Ceiling, result: GradientCost) {
  const rate = result.operations / secondsOf(gpu, result.cost);
  return {
    ...milliseconds(result.cost),
    gflops: round(rate / 1e9),
    of_peak: round(rate / ceiling.operations),
    first_ms: round(1e3 * result.first),
    plan_bytes: result.planBytes,
    constant_bytes: result.constantBytes,
  };
}

/** Measures the gradient of a network. */
export async function measureStep(
  gpu: Gpu,
  ceiling: Ceiling,
  wanted: BenchModel,
  { pictures, size }: { pictures: number; size: number },
  options?: MeasureOptions,
): Promise<StepRow> {
  const { model, layer, weights } = await openBenchModel(wanted);
  try {
    const result = await gradientCost(gpu, { model, weights, layer, pictures, size }, options);
    const source = wanted.file === undefined ? "random" : "file";
    const row = { model: model.name, layer, pictures, size, weights: source } as const;
    return { ...row, ...stepRow(gpu, ceiling, result) };
  } finally {
    weights[Symbol.dispose]?.();
  }
}

/** Measures the loop. */
export async function measureLoop(
  gpu: Gpu,
  wanted: BenchModel,
  { preset, facets, size, tens }: { preset: string; facets: number; size: number; tens: number },
): Promise<LoopRow> {
  const { model, layer, weights } = await openBenchModel(wanted);
  try {
    const trunk = openTrunk(model, weights, { layer }, size);
    const parameters = chooseParameters(preset);
    const result = await loopCost(gpu, { trunk, parameters, facets, size }, tens);
    return {
      preset,
      model: model.name,
      layer: trunk.target,
      facets,
      size,
      ...milliseconds(result.cost),
      first_ms: round(1e3 * result.first),
      plan_bytes: result.planBytes,
      constant_bytes: result.constantBytes,
    };
  } finally {
    weights[Symbol.dispose]?.();
  }
}

/** What the adapter can do at most. */
export async function measureCeiling(gpu: Gpu, options?: MeasureOptions): Promise<Ceiling> {
  return {
    operations: await measurePeak(gpu, options),
    bytes: await measureCopy(gpu, options),
  };
}

/** A report without rows: what was measured on. */
export function emptyReport(gpu: Gpu, ceiling: Ceiling): BenchReport {
  const { info } = gpu.adapter;
  return {
    version: VERSION,
    adapter: {
      name: gpu.name,
      vendor: info.vendor,
      driver: info.architecture,
      software: gpu.software,
      storage: gpu.storage,
      precise: gpu.precise,
    },
    machine: {
      deno: Deno.version.deno,
      target: Deno.build.target,
      cores: availableParallelism(),
    },
    clock: clockOf(gpu),
    peak_gflops: round(ceiling.operations / 1e9),
    copy_gb_per_s: round(ceiling.bytes / 1e9),
    kernels: [],
    steps: [],
    loops: [],
  };
}

/** Facets of the loops measured. */
const LOOP_FACETS = 3;

/** Measures all that is asked for; `onRow` hears of each row before it is measured. */
export async function runBench(
  gpu: Gpu,
  options: BenchOptions,
  onRow: (name: string) => void = () => {},
): Promise<BenchReport> {
  const wanted = (name: string) => {
    const found = name.toLowerCase().includes(options.filter.toLowerCase());
    if (found) onRow(name);
    return found;
  };
  const ceiling = await measureCeiling(gpu, options.measure);
  const report = emptyReport(gpu, ceiling);
  for (const kernelCase of kernelCases(options.shrink)) {
    if (!wanted(`kernel ${kernelCase.name} ${kernelCase.shape}`)) continue;
    const result = await kernelCost(gpu, kernelCase, options.measure);
    const { gflops, ofPeak, gbs, ofCopy } = rates(gpu, result, ceiling);
    const computes = result.operations > 0;
    report.kernels.push({
      name: result.name,
      shape: result.shape,
      variant: result.variant,
      ...milliseconds(result.cost),
      gflops: computes ? round(gflops) : null,
      of_peak: computes ? round(ofPeak) : null,
      gb_per_s: round(gbs),
      of_copy: round(ofCopy),
    });
  }
  const { pictures, stepSize, loopSize, measure } = options;
  for (const model of options.models) {
    if (!wanted(`step ${model.name}`)) continue;
    report.steps.push(
      await measureStep(gpu, ceiling, model, { pictures, size: stepSize }, measure),
    );
  }
  for (const preset of options.presets) {
    const { loopModel, tens } = options;
    if (!wanted(`loop ${preset} ${loopModel.name}`)) continue;
    report.loops.push(
      await measureLoop(gpu, loopModel, { preset, facets: LOOP_FACETS, size: loopSize, tens }),
    );
  }
  return report;
}

/** A table in Markdown, its columns aligned. The first `words` columns are words, the rest numbers. */
export function table(head: readonly string[], rows: readonly string[][], words: number): string {
  const widths = head.map((cell, i) =>
    Math.max(3, ...[cell, ...rows.map((row) => row[i]!)].map((c) => c.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, i) => i < words ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
        .join(" | ")
    } |`;
  const rule = widths.map((width, i) =>
    i < words ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

const fixed = (value: number | null, digits: number) => value === null ? "" : value.toFixed(digits);
const ms = (value: number | null) => fixed(value, value !== null && value < 100 ? 2 : 0);
const percent = (share: number | null) => share === null ? "" : `${(100 * share).toFixed(0)} %`;
const mb = (bytes: number) => (bytes / 1e6).toFixed(0);

/** The column of the clock that counts beside that of the wall. */
function clockColumn({ clock }: BenchReport) {
  const show = (row: Milliseconds) =>
    clock === "timestamps" ? ms(row.gpu_ms) : ms(row.processor_ms);
  return { title: clock === "timestamps" ? "GPU ms" : "CPU ms", show };
}

/** The table of kernels. */
export function kernelTable(report: BenchReport): string {
  const { title, show } = clockColumn(report);
  return table(
    ["kernel", "shape", "variant", "wall ms", title, "GF/s", "of peak", "GB/s", "of copy"],
    report.kernels.map((row) => [
      row.name,
      row.shape,
      row.variant,
      ms(row.wall_ms),
      show(row),
      fixed(row.gflops, 1),
      percent(row.of_peak),
      fixed(row.gb_per_s, 1),
      percent(row.of_copy),
    ]),
    3,
  );
}

/** The table of gradients. */
export function stepTable(report: BenchReport): string {
  const { title, show } = clockColumn(report);
  return table(
    [
      "gradient of",
      "pictures",
      "wall ms",
      title,
      "GF/s",
      "of peak",
      "first ms",
      "plan MB",
      "weights MB",
    ],
    report.steps.map((row) => [
      `${row.model} ${row.layer}`,
      `${row.pictures} × ${row.size}²`,
      ms(row.wall_ms),
      show(row),
      fixed(row.gflops, 1),
      percent(row.of_peak),
      ms(row.first_ms),
      mb(row.plan_bytes),
      mb(row.constant_bytes),
    ]),
    1,
  );
}

/** The table of loops. */
export function loopTable(report: BenchReport): string {
  return table(
    ["iteration of", "pictures", "wall ms", "CPU ms", "first ten ms", "plan MB", "weights MB"],
    report.loops.map((row) => [
      `${row.preset}, ${row.model} ${row.layer}`,
      `${row.facets} × ${row.size}²`,
      ms(row.wall_ms),
      ms(row.processor_ms),
      ms(row.first_ms),
      mb(row.plan_bytes),
      mb(row.constant_bytes),
    ]),
    1,
  );
}

const CLOCKS: Readonly<Record<Clock, string>> = {
  processor: "a second of processor time, so of one core (the CPU ms); peak and copy likewise",
  timestamps: "a second between the GPU's timestamps (the GPU ms)",
  wall: "a second of the clock on the wall: this adapter has no timestamps",
};

/** What it was measured on, in a few lines. */
export function describeMachine(report: BenchReport): string {
  const { adapter, machine } = report;
  const driver = adapter.driver ? `, driver ${adapter.driver}` : "";
  return [
    `${adapter.name}${driver}; tensors in ${adapter.storage}s${adapter.precise ? ", precise" : ""}`,
    `${machine.cores} cores, ${machine.target}, deno ${machine.deno}, mindseye ${report.version}`,
    `peak ${report.peak_gflops.toFixed(1)} GF/s, copy ${report.copy_gb_per_s.toFixed(2)} GB/s`,
    `GF/s and GB/s: per ${CLOCKS[report.clock].replace(/^a /, "")}`,
  ].join("\n");
}

/** All of it, for people. */
export function formatReport(report: BenchReport): string {
  return [
    describeMachine(report),
    ...(report.kernels.length > 0 ? [kernelTable(report)] : []),
    ...(report.steps.length > 0 ? [stepTable(report)] : []),
    ...(report.loops.length > 0 ? [loopTable(report)] : []),
  ].join("\n\n");
}
