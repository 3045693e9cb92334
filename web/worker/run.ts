/** A run in a browser: from what a page asks for to its record, its pictures and its manifest. */
import { UserError } from "../../base/errors.ts";
import { VERSION } from "../../base/version.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { GpuKeeper } from "../../kernels/runtime/keeper.ts";
import type { Tensor } from "../../ops/mod.ts";
import { DRAWINGS, drawings } from "../../vis/drawings.ts";
import type { Grown, GrowState, Listener, PictureInfo, Visualization } from "../../vis/events.ts";
import { seenSide, usualSide } from "../../vis/loop/schedule.ts";
import type { Start } from "../../vis/loop/start.ts";
import { Network } from "../../vis/network.ts";
import { readWishes, WISHES, type WishName } from "../../vis/objectives/kinds.ts";
import { answersOf, canAnswer, type Objective } from "../../vis/objectives/objective.ts";
import type { Parameters } from "../../vis/parameters.ts";
import { Showing } from "../../vis/photos/activations.ts";
import { resizeSquare } from "../../vis/photos/area_resize.ts";
import { requireImages, type SourceImage } from "../../vis/photos/images.ts";
import { pictureToRgba } from "../../vis/photos/rgba.ts";
import { asSeen } from "../../vis/photos/seen.ts";
import { chooseOctaves, describeOctaves } from "../../vis/presets.ts";
import { findingsOf, foldersOf } from "../../vis/report/findings.ts";
import { howMade, RUN_FORMAT } from "../../vis/report/manifest.ts";
import { headOf, Recorder } from "../../vis/report/record.ts";
import { openTrunk, type Trunk } from "../../vis/trunk.ts";
import { visualize } from "../../vis/visualize.ts";
import { growWishes } from "../../vis/wishes.ts";
import { pngOf, smallCopy } from "./encode.ts";
import type { TabNetwork } from "./networks.ts";
import { picturesAmong, readPhotos, readSquare, type Skipped } from "./photos.ts";
import type { Ended, RunRequest } from "./protocol.ts";

/** Seconds after which a run's state is kept again. */
const STATE_EVERY = 30;

/** What was kept of a run, to go on from. */
export interface KeptState {
  /** What came of the batches that were done. */
  readonly batches: readonly Grown[];
  /** The last state, if there was one; of the batch after these. */
  readonly state: GrowState | undefined;
}

/** Who hears of a run. */
export interface Hearer {
  /** A line of its record. */
  line(line: string): void;
  /** From here it can be gone on with. */
  kept(state: KeptState): void;
}

/** What of a request is found out before the long work. */
interface Plan {
  readonly octaves: readonly Parameters[];
  readonly preset: string;
  readonly seed: number;
  readonly saveEvery: number;
  /** Side of the pictures, and at which the network sees the photos. */
  readonly size: number;
  readonly seen: number;
  readonly title: string;
  readonly start: Start;
  /** What is looked at, and what it is to be looked at for. */
  readonly network: Network;
  readonly goal: { readonly trunk: Trunk } | { readonly objective: Objective };
  /** What the manifest is to say of the goal, and a config besides what all say. */
  readonly said: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
}

/** The photos, and what the network answered to them: [n,…] or nothing where it was not asked. */
interface Looked {
  readonly images: readonly SourceImage[];
  readonly skipped: readonly Skipped[];
  readonly answers: Float32Array<ArrayBuffer> | undefined;
}

/** The run was ended while there was nothing to go on from yet. */
class EndedEarly extends Error {}

/** A run, which can be ended and gone on with. */
export class TabRun {
  readonly #network: TabNetwork;
  readonly #request: RunRequest;
  readonly #hearer: Hearer;
  #kept: KeptState;
  #plan: Plan | undefined;
  #looked: Looked | undefined;
  #hasPhotos = false;

  /**
   * Nothing is done yet.
   *
   * @param kept of an earlier go at it
   */
  constructor(
    network: TabNetwork,
    request: RunRequest,
    hearer: Hearer,
    kept: KeptState = { batches: [], state: undefined },
  ) {
    this.#network = network;
    this.#request = request;
    this.#hearer = hearer;
    this.#kept = kept;
  }

  /** What it is called. */
  get title(): string {
    return this.#plan?.title ?? "";
  }

  /** Whether there is something to go on from. */
  get resumable(): boolean {
    return this.#kept.state !== undefined || this.#kept.batches.length > 0 ||
      this.#looked !== undefined;
  }

  /**
   * Checks all that can be wrong before the long work.
   *
   * @throws {UserError} saying what is.
   */
  async prepare(): Promise<void> {
    this.#plan ??= await planOf(this.#network, this.#request);
  }

  /**
   * Begins, or goes on.
   *
   * @throws {UserError} when something cannot be done.
   */
  async go(keeper: GpuKeeper, signal: AbortSignal): Promise<Ended> {
    await this.prepare();
    const plan = this.#plan!;
    const notes = new Set<string>();
    let pictures: readonly PictureInfo[] = [];
    const manifest = () => this.#manifest(keeper.gpu, plan);
    this.#recorder().begin(VERSION, headOf(manifest()));

    const work = async (gpu: Gpu): Promise<Grown | Visualization> => {
      this.#looked ??= await this.#look(gpu, plan, signal);
      const recorder = this.#recorder();
      if (this.#looked.skipped.length > 0) recorder.begin(VERSION, headOf(manifest()));
      const tell: Listener = async (event) => {
        if (event.kind === "started") pictures = event.pictures;
        if (event.kind === "ready") this.#hasPhotos = true;
        if (event.kind === "note") notes.add(event.text);
        await recorder.take(event);
        if (event.kind === "state") this.#keep({ ...this.#kept, state: event.state });
        if (event.kind === "batch" && !event.grown.aborted) {
          this.#keep({ batches: [...this.#kept.batches, event.grown], state: undefined });
        }
      };
      return await this.#grow(gpu, plan, this.#looked, signal, tell);
    };
    let result: Grown | Visualization;
    try {
      result = await keeper.use(work);
    } catch (error) {
      if (!(error instanceof EndedEarly)) throw error;
      return { kind: "ended", aborted: true, pictures: [], manifest: undefined };
    }
    const { images } = this.#looked!;
    const whole = {
      format: RUN_FORMAT,
      status: result.aborted ? "interrupted" : "finished",
      ...manifest(),
      ...findingsOf(result, { images, pictures, notes: [...notes] }),
    };
    return {
      kind: "ended",
      aborted: result.aborted,
      pictures: await picturesOf(result, foldersOf(pictures.map(({ name }) => name))),
      manifest: JSON.stringify(whole, null, 2) + "\n",
    };
  }

  #keep(kept: KeptState): void {
    this.#kept = kept;
    this.#hearer.kept(kept);
  }

  #recorder(): Recorder {
    return new Recorder({
      images: this.#looked?.images ?? [],
      hasPhotos: this.#hasPhotos,
      encode: smallCopy,
      write: (line) => this.#hearer.line(line),
    });
  }

  async #grow(
    gpu: Gpu,
    plan: Plan,
    { images, answers }: Looked,
    signal: AbortSignal,
    tell: Listener,
  ): Promise<Grown | Visualization> {
    const { octaves, size, seed, saveEvery, start, network, goal } = plan;
    const { facets = 3, embedding, wishes } = this.#request;
    const { batches, state } = this.#kept;
    const how = { size, seed, saveEvery, start, parameters: octaves, images };
    const keeping = { signal, stateEvery: STATE_EVERY };
    if ("trunk" in goal) {
      const { trunk } = goal;
      return await visualize(gpu, {
        ...{ ...how, ...keeping, trunk, pooled: answers, facets, resume: state },
        ...(embedding ? { embedding } : {}),
      }, tell);
    }
    return await growWishes(gpu, {
      ...{ ...how, ...keeping, network, answers, objective: goal.objective },
      set: wishes?.diverse === undefined ? undefined : Number(wishes.diverse),
      resume: { done: batches, state },
    }, tell);
  }

  /** Shows the photos to the network. */
  async #look(gpu: Gpu, plan: Plan, signal: AbortSignal): Promise<Looked> {
    const { size, seen, octaves: [first], goal, network } = plan;
    const { photos, facets = 3 } = this.#request;
    if (!photos) return { images: [], skipped: [], answers: undefined };
    const ask = "trunk" in goal
      ? (pictures: Tensor) => goal.trunk.observe(pictures).pooled
      : canAnswer(goal.objective)
      ? (pictures: Tensor) => answersOf(goal.objective, network.see(pictures))!
      : undefined;
    const images: SourceImage[] = [];
    const skipped: Skipped[] = [];
    const rows: Float32Array[] = [];
    const files = photos.kind === "files" ? picturesAmong(photos.files) : [];
    const drawn = photos.kind === "drawings" ? drawings(size) : [];
    const total = files.length + drawn.length;
    const recorder = this.#recorder();
    using showing = ask &&
      await Showing.open<number>(
        gpu,
        { ask: (pictures) => [ask(pictures)], size: seen, most: total },
        (items, [answers]) => items.forEach((image, i) => rows[image] = answers![i]!),
      );
    const show = async (image: SourceImage, pixels: Float32Array) => {
      await showing?.add(images.length, pixels);
      images.push(image);
    };
    const told = async () => {
      if (signal.aborted) throw new EndedEarly();
      await recorder.take({ kind: "activations", done: images.length + skipped.length, total });
    };
    const prepared = (pixels: Float32Array) => asSeen(pixels, first!, network.model.normalisation);
    for (const image of drawn) {
      await show(image, resizeSquare(prepared(image.pixels), size, seen));
      await told();
    }
    for await (const photo of readPhotos(files, seen)) {
      if ("skipped" in photo) skipped.push(photo.skipped);
      else await show(photo.image, prepared(photo.pixels));
      await told();
    }
    await showing?.finish();
    if (images.length === 0) {
      const [one] = skipped;
      throw new UserError(
        one
          ? `none of ${skipped.length} photos could be read; the first, ${one.file}: ${one.reason}`
          : "no photos among these files; choose JPEG, PNG, WebP, AVIF or GIF files",
      );
    }
    if ("trunk" in goal) requireImages(images.length, facets);
    const length = rows[0]?.length ?? 0;
    const answers = new Float32Array(images.length * length);
    rows.forEach((row, i) => answers.set(row, i * length));
    return { images, skipped, answers: ask ? answers : undefined };
  }

  /** What is known of the run beforehand, and what makes it again. */
  #manifest(gpu: Gpu, plan: Plan): Record<string, unknown> {
    const { octaves, preset, seed, saveEvery, size, title, start, said } = plan;
    const { photos, start: asked } = this.#request;
    const { model, weights, config } = this.#network;
    const init = asked instanceof File ? asked.name : typeof start === "string" ? start : undefined;
    return {
      title,
      versions: { browser: navigator.userAgent },
      ...howMade(gpu, { model, size, weightsName: weights.name }),
      config: {
        ...(photos ? { images: photos.kind === "drawings" ? DRAWINGS : photos.folder } : {}),
        ...config,
        ...plan.config,
        ...{ preset, size, seed, "save-every": saveEvery },
        ...(init === undefined ? {} : { init }),
        octaves: describeOctaves(octaves),
      },
      ...said,
      ...{ seed, preset, init: init ?? "mean", octaves: describeOctaves(octaves) },
      skipped: this.#looked?.skipped ?? [],
    };
  }
}

/** The pictures as files. */
async function picturesOf(
  { pictures, size, names }: Grown,
  folders: readonly string[],
): Promise<Ended["pictures"]> {
  const plane = 3 * size * size;
  return await Promise.all(names.map(async (name, i) => {
    const rgba = pictureToRgba(pictures.subarray(i * plane, (i + 1) * plane), size, size);
    const png = await pngOf({ width: size, height: size, rgba });
    return { name, path: `${folders[i]}/final.png`, png };
  }));
}

/** A whole number in a range, or what stands for it. */
function whole(
  what: string,
  value: number | undefined,
  [least, most]: readonly [number, number],
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UserError(`${what}: expected a whole number from ${least} to ${most}, got ${value}`);
}

/** A network's name without the ending of its file. */
const shortName = (name: string) => name.replace(/\.onnx$/i, "");

async function planOf({ model, weights }: TabNetwork, request: RunRequest): Promise<Plan> {
  const { photos, layer, penalty, facets = 3, embedding, start: asked } = request;
  const wishes = Object.entries(request.wishes ?? {}).filter(([, text]) => text !== undefined);
  if (facets !== "auto") whole("facets", facets, [1, 100], 3);
  const preset = request.preset ??
    (wishes.length > 0 && (!photos || asked === "noise") ? "noise" : "default");
  const octaves = chooseOctaves(preset, request.parameters, request.octaves);
  const [first] = octaves as [Parameters];
  const size = whole("size", request.size, [8, 4096], usualSide(first, model.inputSize));
  const sideOf = (octave: Parameters) => seenSide(octave, octave.size || size, model.inputSize);
  const seen = seenSide(first, size, model.inputSize);
  const common = {
    octaves,
    preset,
    size,
    seen,
    seed: whole("seed", request.seed, [0, 2 ** 32 - 1], 0),
    saveEvery: whole("save-every", request.saveEvery, [1, 1e6], 200),
  };
  const source = photos && (photos.kind === "drawings" ? "built-in drawings" : photos.folder);
  const startOf = async (start: RunRequest["start"], otherwise: Start): Promise<Start> => {
    if (!(start instanceof File)) return start ?? otherwise;
    try {
      return await readSquare(start, size);
    } catch (error) {
      throw new UserError(`${start.name}: ${(error as Error).message}; start from another picture`);
    }
  };
  const where = (target: string) => `${shortName(model.name)} ${target}`.trimEnd();

  if (wishes.length === 0) {
    if (!photos) throw new UserError("choose photos, or what pictures are to be grown for");
    if (layer === "") throw new UserError("choose a layer");
    const trunk = openTrunk(model, weights, { layer, penalty }, seen);
    for (const octave of octaves) openTrunk(model, weights, { layer, penalty }, sideOf(octave));
    if (photos.kind === "files" && facets !== "auto") {
      requireImages(picturesAmong(photos.files).length, facets);
    }
    const { perplexity, iterations } = embedding ?? {};
    return {
      ...common,
      title: `${source} in ${where(trunk.target)}`,
      start: await startOf(asked, "mean"),
      network: trunk.network,
      goal: { trunk },
      said: { layer: trunk.target, penalty: trunk.penalty, embedding: embedding ?? {} },
      config: {
        layer: [trunk.target],
        facets: String(facets),
        ...(penalty ? { penalty } : {}),
        ...(embedding?.embedding ? { embedding: embedding.embedding } : {}),
        ...(perplexity === undefined ? {} : { perplexity }),
        ...(iterations === undefined ? {} : { "embedding-iterations": iterations }),
      },
    };
  }

  const texts = Object.fromEntries(wishes) as Partial<Record<WishName, string>>;
  const given = Object.keys(texts) as WishName[];
  const layered = given.find((wish) => WISHES[wish].layered);
  if (layered !== undefined && layer === "") throw new UserError(`${layered}: choose a layer`);
  const network = new Network(model, weights);
  const target = layer === "" ? "" : network.resolve(layer);
  const [shape] = target === "" ? [] : network.check([{ module: target, of: "output" }], seen);
  const photo = async (name: string) => ({ name, pixels: await photoNamed(request, name, size) });
  const objective = await readWishes(texts, {
    layer: target,
    channels: shape?.[1] ?? 0,
    vectors: (path) => {
      throw new UserError(`directions: ${path} is read by the command line only`);
    },
    photo,
  });
  // Accentuation begins with the photo; to be like it and nothing else is asked of something else.
  const accentuated = given.some((wish) => wish !== "like" && WISHES[wish].alone)
    ? texts.like
    : undefined;
  const otherwise = accentuated === undefined
    ? photos ? "mean" : "noise"
    : (await photo(accentuated)).pixels;
  const wish = given.map((each) => `${each}-${texts[each]}`).join("-");
  return {
    ...common,
    title: `${wish} in ${where(target)}`,
    start: await startOf(asked, otherwise),
    network,
    goal: { objective },
    said: { layer: target, wishes: texts },
    config: { ...(target === "" ? {} : { layer: [target] }), ...texts },
  };
}

/** A photo of the run by its name. */
async function photoNamed({ photos }: RunRequest, name: string, size: number) {
  const files = photos?.kind === "files" ? photos.files : [];
  const file = files.find((each) => each.name === name);
  const drawn = photos?.kind === "drawings" ? drawings(size) : [];
  const pixels = drawn.find((each) => each.name === name)?.pixels;
  if (pixels) return pixels;
  if (file) return await readSquare(file, size);
  throw new UserError(`like: there is no photo "${name}" among those chosen`);
}
