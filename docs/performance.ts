/**
 * Measures everything that docs/performance.md shows and puts it into its tables: what lies between
 * `<!-- NAME -->` and `<!-- end -->`. With --peers the other libraries too. Ten minutes on two cores;
 * times are only right on a machine that does nothing else.
 *
 *     deno task docs:performance [--peers] [--only NAME,...]
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BENCH_OPTIONS } from "../cli/bench.ts";
import {
  type BenchModel,
  type BenchReport,
  describeMachine,
  emptyReport,
  kernelTable,
  loopTable,
  measureCeiling,
  measureStep,
  runBench,
  stepTable,
} from "../cli/shared/bench_report.ts";
import { say } from "../cli/shared/progress.ts";
import { fillPlace } from "./fill_place.ts";
import { openGpu } from "../kernels/runtime/device.ts";

const PAGE = join(import.meta.dirname!, "performance.md");

const { values: args } = parseArgs({
  options: { peers: { type: "boolean" }, only: { type: "string" } },
});

using gpu = await openGpu();

/** Gradients of one network after the other. */
async function steps(
  cases: readonly (BenchModel & { pictures?: number; size?: number })[],
): Promise<BenchReport> {
  const ceiling = await measureCeiling(gpu);
  const report = emptyReport(gpu, ceiling);
  for (const { pictures = 1, size = 224, ...model } of cases) {
    say(`${model.name} ${model.layer ?? ""} ${pictures} × ${size}²`);
    report.steps.push(await measureStep(gpu, ceiling, model, { pictures, size }));
  }
  return report;
}

const layers = (name: string) => [1, 2, 3, 4].map((i) => ({ name, layer: `layer${i}` }));

async function bench(filter: string): Promise<BenchReport> {
  return await runBench(gpu, { ...BENCH_OPTIONS, filter }, say);
}

async function peers(): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", join(import.meta.dirname!, "../bench/peers/main.ts")],
    stderr: "inherit",
  });
  const { success, stdout } = await command.output();
  if (!success) throw new Error("bench:peers failed");
  return new TextDecoder().decode(stdout);
}

/** What each place of the page is filled with. */
const SECTIONS: Readonly<Record<string, () => Promise<string>>> = {
  kernels: async () => {
    const report = await bench("kernel ");
    return "```text\n" + describeMachine(report) + "\n```\n\n" + kernelTable(report);
  },
  gradients: async () => stepTable(await bench("step ")),
  loop: async () => loopTable(await bench("loop ")),
  facets: async () =>
    stepTable(await steps([1, 2, 4, 8].map((pictures) => ({ name: "squeezenet1_1", pictures })))),
  pixels: async () =>
    stepTable(await steps([112, 224, 448].map((size) => ({ name: "squeezenet1_1", size })))),
  depth: async () => stepTable(await steps([...layers("resnet18"), ...layers("resnet50")])),
  ...(args.peers ? { peers } : {}),
};

const only = args.only?.split(",");
for (const [name, make] of Object.entries(SECTIONS)) {
  if (only && !only.includes(name)) continue;
  // After each table: what is known so far survives an interruption.
  await fillPlace(PAGE, name, await make());
}
