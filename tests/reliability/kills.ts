/**
 * Runs that are killed at random moments, some again while they are resumed: each must end in the bytes
 * of a run that nobody disturbed.
 *
 *     deno task reliability:kills [--count 100] [--first 0]
 */
// deno-lint-ignore-file no-console
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Random } from "../../base/random.ts";
import { drawPhotos } from "../draw_photos.ts";
import { begin, mindseye, outcomeOf } from "../cli/mindseye.ts";
import { exists, filesOf, inFolder } from "../cli/run_files.ts";

/** Side of the drawings. */
const SIZE = 64;

/** Photos, facets, two octaves, saved pictures: everything a run has. */
const runOf = (images: string, out: string) => [
  ...["visualize", images, "--model", "motifs", "--layer", "features.20", "--size", "64"],
  ...["--facets", "2", "--preset", "soft", "--save-every", "20", "--distance", "adaptive"],
  ...["--octave", "size=48,iterations=60", "--octave", "iterations=60", "--out", out],
];

/** What came of some runs. */
export interface Kills {
  /** Runs. */
  runs: number;
  /** Times one was killed before it had ended. */
  kills: number;
  /** Of these, before there was anything to resume. */
  early: number;
  /** What went wrong. */
  readonly findings: string[];
}

/** Kills `count` runs, the moments of which are those of the numbers from `first`. */
export async function killRuns(
  first: number,
  count: number,
  say: (text: string) => void = () => {},
): Promise<Kills> {
  const result: Kills = { runs: 0, kills: 0, early: 0, findings: [] };
  await inFolder(async (folder) => {
    const images = join(folder, "drawings");
    await drawPhotos(images, { count: 12, size: SIZE });
    const whole = join(folder, "whole");
    const start = performance.now();
    const { code, err } = await mindseye(runOf(images, whole));
    if (code !== 0) throw new Error(err);
    const took = performance.now() - start;
    const expected = filesOf(whole);
    for (let number = first; number < first + count; number++) {
      const random = new Random(number);
      const out = join(folder, `run-${number}`);
      const manifest = join(out, "manifest.json");
      const next = () => exists(manifest) ? ["resume", out] : runOf(images, out);
      for (let kills = 1 + random.integer(3); kills > 0; kills--) {
        const child = begin(next());
        const timer = setTimeout(() => child.kill("SIGKILL"), random.uniform(0, took));
        const { code, err } = await outcomeOf(child);
        clearTimeout(timer);
        if (code === 137) {
          result.kills++;
          if (!exists(manifest)) result.early++;
        } else if (code !== 0) result.findings.push(`run ${number}: ${err}`);
      }
      const { code, err } = await mindseye(next());
      if (code !== 0) result.findings.push(`run ${number}: ${err}`);
      else {
        const files = filesOf(out);
        const others = [...new Set([...files.keys(), ...expected.keys()])]
          .filter((name) => files.get(name) !== expected.get(name));
        if (others.length > 0) result.findings.push(`run ${number}: other bytes: ${others}`);
      }
      result.runs++;
      await Deno.remove(out, { recursive: true });
      say(`${result.runs} runs, ${result.kills} kills, ${result.findings.length} findings`);
    }
  });
  return result;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "100" },
      first: { type: "string", default: "0" },
    },
  });
  const { runs, kills, early, findings } = await killRuns(
    Number(values.first),
    Number(values.count),
    console.error,
  );
  for (const finding of findings) console.log(finding);
  console.log(
    `kills: ${runs} runs, ${kills} kills (${early} before there was anything to resume), ` +
      `${findings.length} findings`,
  );
  Deno.exit(findings.length > 0 ? 1 : 0);
}
