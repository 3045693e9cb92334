/** Does one job of an atlas: a run as `visualize` does it, or photos shown to layers. */
import { join } from "node:path";
import type { Claim, Ledger, Outcome } from "../../atlas/ledger.ts";
import { configOf, type GrowJob, type Job, type LookJob, withPaths } from "../../atlas/plan.ts";
import { RUNS } from "../../atlas/site.ts";
import { writeWholeSync } from "../../base/atomic_file.ts";
import { UserError } from "../../base/errors.ts";
import { Stopwatch } from "../../vis/grow.ts";
import { lookAtPhotos } from "../../vis/photos/look.ts";
import { listPhotos } from "../../vis/photos/photos.ts";
import { chooseOctaves } from "../../vis/presets.ts";
import { readManifest } from "../../vis/report/read_manifest.ts";
import { openTrunks } from "../../vis/trunk.ts";
import { parseConfig } from "../shared/config.ts";
import { preparation } from "../shared/examine.ts";
import { keepGpuFor } from "../shared/gpu.ts";
import { withHint } from "../shared/hints.ts";
import { Interrupted } from "../shared/interruption.ts";
import { openModelFor } from "../shared/model.ts";
import { Arguments } from "../shared/options.ts";
import { hush } from "../shared/progress.ts";
import type { Sharing } from "../shared/sharing.ts";
import { visualizeCommand } from "../visualize.ts";
import { type Atlas, fromHere } from "./atlas_folder.ts";
import { keepSeen, KeptFolder } from "./large_folder.ts";
import { picturesIn, smallPictures } from "./small_pictures.ts";

/** With what jobs are done. */
export interface Means {
  readonly atlas: Atlas;
  readonly ledger: Ledger;
  readonly sharing: Sharing;
  /** Options of the command line that are about the GPU. */
  readonly gpu: Readonly<Record<string, boolean>>;
}

/**
 * Does a job that is ours.
 *
 * @returns what came of it; nothing where it is somebody else's meanwhile
 * @throws {Interrupted} after a signal: all that was done is kept.
 */
export async function doJob(
  job: Job,
  claim: Claim,
  means: Means,
): Promise<Omit<Outcome, "job"> | undefined> {
  const clock = new Stopwatch();
  try {
    using _ = hush();
    const done = job.kind === "look" ? await look(job, means) : await grow(job, claim, means);
    return { ...done, adapter: means.sharing.gpu?.value.gpu.name };
  } catch (error) {
    if (error instanceof Interrupted || error instanceof Deno.errors.NotCapable) throw error;
    // Others took us for dead, and the folder with them.
    if (!means.ledger.holds(claim)) return undefined;
    const failed = error instanceof UserError
      ? withHint(error)
      : error instanceof Error
      ? error.stack ?? error.message
      : String(error);
    return { failed, seconds: clock.seconds };
  }
}

/** What a job cost. */
interface Done {
  /** Of the job itself, whoever does it. */
  readonly seconds: number;
  readonly bytes: number;
}

/** Shows photos to the layers, and keeps what these answer. */
async function look(job: LookJob, { atlas, gpu }: Means): Promise<Done> {
  const { plan, folder } = atlas;
  const options = withPaths(
    plan.networks[job.network]!.options,
    (path) => fromHere(folder, path),
  );
  const config = parseConfig(options, job.name, visualizeCommand);
  const args = new Arguments([], { ...config.options, ...gpu });
  const { model, weights } = await openModelFor(args);
  using _ = weights;
  using keeper = await keepGpuFor(args);
  const { name, octaves } = plan.presets[job.preset]!;
  const layers = openTrunks(model, weights, job.layers.map((layer) => ({ layer })), job.seen);
  const planned = plan.folders[job.folder]!;
  const photos = listPhotos(fromHere(folder, planned.path));
  if (Math.min(photos.length, planned.limit ?? Infinity) !== planned.photos) {
    throw new UserError(
      `${
        fromHere(folder, planned.path)
      } had ${planned.photos} photos when the atlas was planned and ` +
        `has ${photos.length} now: plan it again`,
    );
  }
  const store = join(folder, "activations", job.store);
  const clock = new Stopwatch();
  const { images, hashes } = await keeper.use((gpu) =>
    lookAtPhotos(gpu, layers, photos.slice(...job.photos), {
      size: job.seen,
      prepare: preparation(chooseOctaves(name, {}, octaves)[0]),
      cache: { folder: store, weights },
    })
  );
  const { seconds } = clock;
  keepSeen(store, images.map(({ name }) => name), hashes);
  return { seconds, bytes: bytesIn(store) };
}

/** Grows pictures in a folder of our own, which takes its place when all is done. */
async function grow(job: GrowJob, { generation }: Claim, means: Means): Promise<Done> {
  const { atlas: { folder, plan, jobs }, ledger, sharing, gpu } = means;
  const done = join(folder, RUNS, job.name);
  const own = (number: number) => join(folder, "work", `${job.name}.${number}`);
  const left = (number: number) => `${own(number)}.left`;
  const mine = own(generation);
  // Who had it before us may have died after the last step.
  if (readManifest(join(done, "manifest.json"))?.status === "finished") {
    await copyPictures(folder, job);
    return { seconds: 0, bytes: bytesIn(done) };
  }
  for (let before = generation - 1; before > 0; before--) {
    try {
      Deno.renameSync(own(before), mine);
      break;
    } catch { /* nothing was begun there, or somebody else went on with it */ }
  }
  // Whoever is still at work there, suspended perhaps, finds it gone; nothing is shared with that.
  if (isLocked(mine)) Deno.renameSync(mine, left(generation));
  const config = join(folder, "workers", `${ledger.worker}.config`);
  writeWholeSync(config, JSON.stringify(configOf(plan, job, (path) => fromHere(folder, path))));
  const stores = jobs.flatMap((each) =>
    each.kind === "look" && job.needs?.includes(each.name)
      ? [join(folder, "activations", each.store)]
      : []
  );
  const photos = job.folder === undefined ? undefined : plan.folders[job.folder]!.path;
  sharing.activations = stores[0];
  sharing.large = photos !== undefined && stores.length > 1
    ? new KeptFolder(fromHere(folder, photos), stores)
    : undefined;
  const clock = new Stopwatch();
  await visualizeCommand.run(new Arguments([], { ...gpu, config, out: mine, resume: true }));
  const { seconds } = clock;
  Deno.mkdirSync(join(folder, RUNS), { recursive: true });
  try {
    Deno.renameSync(mine, done);
  } catch (error) {
    // Somebody else was faster: the same is there.
    if (readManifest(join(done, "manifest.json"))?.status !== "finished") throw error;
    Deno.removeSync(mine, { recursive: true });
  }
  for (let each = 1; each <= generation; each++) discard(left(each));
  await copyPictures(folder, job);
  return { seconds, bytes: bytesIn(done) };
}

/** Makes small copies of what was grown: little of each job, but `gather` would have all to make. */
async function copyPictures(folder: string, { name }: GrowJob): Promise<void> {
  const manifest = readManifest(join(folder, RUNS, name, "manifest.json"));
  if (!manifest) return;
  await smallPictures(folder, name, picturesIn(manifest).map((each) => String(each.folder)));
}

/** Removes a folder that may not be there. */
function discard(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch { /* it is not there, or somebody is at it */ }
}

/** Whether another process has the lock of a run's folder. */
function isLocked(path: string): boolean {
  try {
    using file = Deno.openSync(join(path, ".run", "lock"), { read: true, write: true });
    return !file.tryLockSync(true);
  } catch {
    return false;
  }
}

/** Bytes of all files in a folder. */
function bytesIn(folder: string): number {
  let bytes = 0;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    bytes += isDirectory ? bytesIn(path) : Deno.statSync(path).size;
  }
  return bytes;
}
