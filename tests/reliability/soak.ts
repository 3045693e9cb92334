/**
 * What goes on for long: a loop of 20,000 iterations twice, a folder of 2,000 photos, 50 runs in one
 * process. Nothing may grow, become slower or come out otherwise.
 *
 *     deno task reliability:soak [--iterations 20000] [--photos 2000] [--runs 50]
 */
// deno-lint-ignore-file no-console
import { join } from "node:path";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { planar } from "../../vis/drawings.ts";
import { type Gpu, openGpu } from "../../kernels/runtime/device.ts";
import { drawClass } from "../../models/motifs/draw.ts";
import { createModel } from "../../models/registry.ts";
import { openLoop } from "../../bench/loop_cost.ts";
import { chooseParameters } from "../../vis/presets.ts";
import { openTrunk } from "../../vis/trunk.ts";
import { visualize } from "../../vis/visualize.ts";
import { mindseye } from "../cli/mindseye.ts";
import { inFolder } from "../cli/run_files.ts";
import { drawPhotos } from "../draw_photos.ts";
import { allocations } from "./device_memory.ts";

const SIZE = 32;
const MB = 2 ** 20;

/** Bytes that memory may grow by once it is warm: what collecting garbage leaves for later. */
const SLACK = 32 * MB;

/** What must not be. */
const findings: string[] = [];

function expect(fine: boolean, what: string): void {
  if (!fine) findings.push(what);
}

const model = createModel("motifs");
using weights = await model.builtInWeights!();
const trunk = openTrunk(model, weights, { layer: "features.12" }, SIZE);
const resident = () => Deno.memoryUsage().rss;
const inMB = (bytes: number) => `${(bytes / MB).toFixed(1)} MB`;

/** A loop of so many iterations; its pictures. */
async function longLoop(gpu: Gpu, iterations: number): Promise<Float32Array> {
  const parameters = chooseParameters("soft", { iterations });
  using loop = await openLoop(gpu, { trunk, parameters, facets: 1, size: SIZE });
  const thousand = Math.min(1000, iterations / 4);
  const seconds: number[] = [];
  const memory: number[] = [];
  const held: number[] = [];
  await allocations(gpu, async (count) => {
    let [done, start] = [0, performance.now()];
    for await (const results of loop.iterate()) {
      done += results.length;
      if (done < thousand * (seconds.length + 1)) continue;
      seconds.push((performance.now() - start) / 1000);
      start = performance.now();
      memory.push(resident());
      held.push(count.bytes);
    }
  });
  // The first thousand warms up.
  const [second, last] = [seconds[1]!, seconds.at(-1)!];
  const grown = memory.at(-1)! - memory[1]!;
  console.log(
    `${iterations} iterations: ${second.toFixed(2)} s for the second ${thousand}, ` +
      `${last.toFixed(2)} s for the last; ${inMB(memory[1]!)} resident after the second, ` +
      `${inMB(memory.at(-1)!)} at the end; ${held.at(-1)! - held[1]!} more bytes on the GPU`,
  );
  expect(
    last < 1.1 * second,
    `the last ${thousand} iterations took ${(last / second).toFixed(2)} times as long`,
  );
  expect(grown < SLACK, `resident memory grew by ${inMB(grown)}`);
  expect(held.at(-1) === held[1], "memory on the GPU grew");
  return await loop.pictures();
}

async function manyPhotos(photos: number): Promise<void> {
  await inFolder(async (folder) => {
    const images = join(folder, "images");
    await drawPhotos(images, { count: photos, size: SIZE });
    const start = performance.now();
    const { code, err } = await mindseye([
      ...["facets", images, "--model", "motifs", "--layer", "features.20", "--size", `${SIZE}`],
      ...["--facets", "4", "--out", join(folder, "facets")],
    ]);
    expect(code === 0, err);
    console.log(`${photos} photos: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  });
}

async function manyRuns(gpu: Gpu, runs: number): Promise<void> {
  const images = drawClass({ count: 8, size: SIZE })
    .map(({ name, pixels }) => ({ name, pixels: planar(pixels, SIZE * SIZE) }));
  const memory: number[] = [];
  const first: Float32Array[] = [];
  const { left, bytes } = await allocations(gpu, async () => {
    for (let run = 0; run < runs; run++) {
      const { pictures } = await visualize(gpu, {
        ...{ trunk, images, size: SIZE, facets: 2, seed: 1 },
        parameters: chooseParameters("default", { iterations: 4 }),
      });
      first.push(pictures);
      if (first.length > 2) first.pop();
      expect(isDeepStrictEqual(first.at(-1), first[0]), `run ${run} came out otherwise`);
      memory.push(resident());
    }
  });
  const grown = memory.at(-1)! - memory[Math.floor(runs / 5)]!;
  console.log(`${runs} runs: ${left} buffers left (${bytes} bytes); resident ${inMB(grown)} more`);
  expect(left === 0, `${left} buffers or textures of ${bytes} bytes are left`);
  expect(grown < SLACK, `resident memory grew by ${inMB(grown)} over the runs`);
}

const { values } = parseArgs({
  options: {
    iterations: { type: "string", default: "20000" },
    photos: { type: "string", default: "2000" },
    runs: { type: "string", default: "50" },
  },
});
using gpu = await openGpu();
const pictures = await longLoop(gpu, Number(values.iterations));
const again = await longLoop(gpu, Number(values.iterations));
expect(isDeepStrictEqual(again, pictures), "the second loop came out otherwise");
await manyPhotos(Number(values.photos));
await manyRuns(gpu, Number(values.runs));
for (const finding of findings) console.log(finding);
console.log(`soak: ${findings.length} findings`);
Deno.exit(findings.length > 0 ? 1 : 0);
