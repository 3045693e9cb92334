/** One run on the command line: progress on stderr, files in a folder, a summary on stdout. */
import { megabytes } from "../../base/megabytes.ts";
import { shellCommand } from "../../base/shell_command.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { GpuKeeper } from "../../kernels/runtime/keeper.ts";
import type { EmbeddingOptions } from "../../vis/facets/embedding.ts";
import type { SourceImage } from "../../vis/photos/images.ts";
import type { Parameters } from "../../vis/parameters.ts";
import { describeOctaves } from "../../vis/presets.ts";
import type { Start } from "../../vis/loop/start.ts";
import { filmSide } from "../../vis/report/film.ts";
import { summarise } from "../../vis/report/findings.ts";
import { howMade, type Made } from "../../vis/report/manifest.ts";
import { facetName } from "../../vis/report/map.ts";
import type { Trunk } from "../../vis/trunk.ts";
import type { Listener, Visualization } from "../../vis/events.ts";
import { type FoundFacets, visualize } from "../../vis/visualize.ts";
import type { RunFolder } from "../../vis/report/run_folder.ts";
import { describeFacets } from "./examine.ts";
import { keptRun } from "./kept_run.ts";
import { announce, print, Progress, say, stages } from "./progress.ts";

/** What to run. */
export interface RunOptions {
  readonly trunk: Trunk;
  readonly images: readonly SourceImage[];
  readonly pooled?: Float32Array<ArrayBuffer> | undefined;
  readonly found?: FoundFacets | undefined;
  readonly skipped: readonly { file: string; reason: string }[];
  readonly size: number;
  readonly facets: number | "auto";
  readonly embedding?: EmbeddingOptions;
  readonly parameters: readonly Parameters[];
  readonly start?: Start;
  /** What the start was called on the command line, for the manifest. */
  readonly init?: string;
  readonly preset: string;
  readonly seed: number;
  readonly saveEvery: number;
  /** Whether to leave films. */
  readonly film?: boolean;
  /** Where to write. */
  readonly folder: RunFolder;
  /** The options that make the same run again. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  readonly weightsName: string;
  readonly title: string;
}

/** The command line as typed, for the manifest. */
function commandLine(): string {
  return shellCommand(["mindseye", ...Deno.args]);
}

/** How results came about: command, versions, adapter, network, size. */
export function provenance(
  gpu: Gpu,
  made: Made,
): Record<string, unknown> {
  return {
    command: commandLine(),
    versions: { deno: Deno.version.deno, v8: Deno.version.v8, os: Deno.build.target },
    ...howMade(gpu, made),
  };
}

/** What of a manifest makes the same run again; of a run that is gone on with, what it was begun with. */
export function again(
  { manifest }: RunFolder,
  config: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> {
  if (manifest) {
    const { command, cwd, config } = manifest;
    return { command, cwd, config };
  }
  return config ? { cwd: Deno.cwd(), config } : {};
}

/**
 * Shows on stderr how a run goes on, and tells its events to programs that listen.
 *
 * @param shown the metric beside the progress
 */
export function follow(octaves: number, shown: string): Listener {
  const looking = new Progress("activations");
  const showStage = stages();
  let growing: Progress | undefined;
  let pictures = 0;
  return (event) => {
    announce(event);
    if (event.kind === "activations") looking.update(event.done, event.total);
    if (event.kind === "stage") {
      if (event.stage !== "compiling") showStage(event);
      // It cannot be told how far a compiler is.
      else new Progress("compiling").update(event.done, event.total);
    }
    if (event.kind === "started") pictures = event.pictures.length;
    if (event.kind === "ready") {
      growing ??= new Progress("iterations");
      const { plan, constants } = event.memory;
      const which = octaves > 1
        ? `octave ${event.octave + 1} of ${octaves}, ${event.size} px`
        : "loop";
      say(
        `${which} compiled: ${megabytes(plan)} for activations, ${
          megabytes(constants)
        } for weights`,
      );
    }
    if (event.kind === "iterations") {
      const { iteration, metrics } = event.results.at(-1)!;
      const mean = metrics.reduce((total, m) => total + (m[shown] ?? NaN), 0) / metrics.length;
      growing?.update(iteration, event.total, `${shown} ${mean.toPrecision(3)}`);
    }
    if (event.kind === "note") say(`note: ${event.text}`);
    if (event.kind === "batch" && event.grown.names.length < pictures) {
      const done = event.first + event.grown.names.length;
      say(`${done} of ${pictures} pictures done`);
      growing = undefined;
    }
  };
}

/** Runs the method, writes the report, prints what came of it. */
export async function runAndReport(
  keeper: GpuKeeper,
  options: RunOptions,
): Promise<Visualization> {
  const { parameters: octaves, folder, images, size, trunk, title } = options;
  const film = options.film ? filmSide(octaves.at(-1)!.size || size) : undefined;
  const started = performance.now();
  const { result: run, shown, end } = await keptRun({
    keeper,
    folder,
    title,
    images,
    size,
    film,
    show: follow(octaves.length, "own"),
    manifest: {
      ...provenance(keeper.gpu, { ...options, model: trunk.model }),
      ...again(folder, options.config),
      layer: trunk.target,
      penalty: trunk.penalty,
      seed: options.seed,
      embedding: options.embedding ?? {},
      preset: options.preset,
      init: options.init ?? "mean",
      octaves: describeOctaves(octaves),
      skipped: options.skipped,
    },
    run: (gpu, { tell, signal, stateEvery, kept }) =>
      visualize(gpu, { ...options, signal, stateEvery, resume: kept.state }, tell),
  });

  const seconds = (performance.now() - started) / 1000;
  for (const { facet, images: count, own, distance } of summarise(run)) {
    const ratio = distance[1] / distance[0];
    print(
      `${facetName(facet - 1, count)}: own channels ${own[0].toFixed(2)} → ` +
        `${own[1].toFixed(2)} of the photos', distance of the others ` +
        `${distance[0].toPrecision(2)} → ${distance[1].toPrecision(2)}` +
        (Number.isFinite(ratio) ? `, ${ratio.toFixed(2)} of the start's` : ""),
    );
  }
  print(describeFacets(run.analysis));
  print(`${shown} (${seconds.toFixed(0)} s)`);
  end();
  return run;
}
