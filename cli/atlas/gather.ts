/** `atlas gather`: the pages of an atlas. */
import { join } from "node:path";
import { Outcomes } from "../../atlas/ledger.ts";
import type { GrowJob } from "../../atlas/plan.ts";
import { LIKENESS } from "../../atlas/likeness.ts";
import { neighbours } from "../../atlas/neighbours.ts";
import {
  folderPage,
  type Labels,
  LIKES_TOGETHER,
  type LooksLike,
  piece,
  RUNS,
  type SiteIndex,
  type SitePicture,
  type SiteRun,
} from "../../atlas/site.ts";
import { writeWholeSync } from "../../base/atomic_file.ts";
import { isObject } from "../../vis/report/manifest.ts";
import { readManifest } from "../../vis/report/read_manifest.ts";
import { atlasHtml, atlasParts } from "../../web/atlas_site.ts";
import { builtPage } from "../shared/report_page.ts";
import { folderName } from "../shared/examine.ts";
import type { Arguments, Command } from "../shared/options.ts";
import { print, Progress } from "../shared/progress.ts";
import { type Atlas, readAtlas } from "./atlas_folder.ts";
import { picturesIn, type Small, smallPictures } from "./small_pictures.ts";

/** The command. */
export const atlasGatherCommand: Command = {
  summary:
    "Make pages of an atlas to look through: networks, layers, folders, facets and channels.",
  permissions: "--allow-read --allow-write=OUT",
  usage: "ATLAS",
  positionals: ["ATLAS, the folder of the atlas"],
  options: {},
  notes:
    `Leaves index.html in the atlas, and what it loads in site/ and small/. Open it, or serve the
folder: nothing else is needed. It shows what is done so far and what is not; gather again for more.`,

  async run(args: Arguments) {
    const [folder] = args.positionals as [string];
    const atlas = readAtlas(folder);
    await builtPage();
    const parts = await atlasParts();
    const put = (name: string, text: string) => writeWholeSync(join(folder, name), text);
    const { index, made } = await gather(atlas, (name, value) => {
      // A script, since pages that are opened as files may load no others.
      put(
        join("site", `${name}.js`),
        `atlasPiece(${JSON.stringify(name)},${JSON.stringify(value)})`,
      );
    });
    put(join("site", "atlas.js"), parts.script);
    put(join("site", "atlas.css"), parts.style);
    put("index.html", atlasHtml(index.title));
    const copies = made > 0 ? `, small copies made of ${made}` : "";
    print(`${join(folder, "index.html")}: ${index.pictures} pictures${copies}`);
  },
};

/** Reads all runs, and hands out the pieces of the pages. */
async function gather(
  { folder, plan, jobs }: Atlas,
  put: (name: string, value: unknown) => void,
): Promise<{ index: SiteIndex; made: number }> {
  const outcomes = new Outcomes(folder);
  outcomes.refresh();
  const progress = new Progress("runs");
  const grows = jobs.filter((job) => job.kind === "grow");
  const layers = plan.networks.map(({ layers }) => layers.map((): SiteRun[] => []));
  const folders = plan.folders.map(() => ({ done: 0, total: 0 }));
  const likes = new Likes();
  let [pictures, read, made] = [0, 0, 0];
  // Folder by folder: of no more than one all labels are held.
  const byFolder = Map.groupBy(grows, ({ folder = -1 }) => folder);
  for (const [at, some] of byFolder) {
    const runs: SiteRun[] = [];
    const labels: Labels[] = [];
    for (const job of some) {
      const layer = plan.networks[job.network]!.layers.findIndex(({ name }) => name === job.layer);
      const outcome = outcomes.known.get(job.name);
      const found = outcome?.failed === undefined && outcome ? readRun(folder, job) : undefined;
      const run: SiteRun = {
        name: job.name,
        network: job.network,
        layer,
        place: layers[job.network]![layer]!.length,
        ...(job.folder === undefined ? {} : { folder: job.folder }),
        objective: job.objective,
        preset: job.preset,
        status: found ? "done" : outcome ? "failed" : "to do",
        pictures: found?.pictures ?? [],
      };
      layers[job.network]![layer]!.push(run);
      pictures += run.pictures.length;
      if (found) {
        const folders = run.pictures.map((picture) => picture.folder);
        const small = await smallPictures(folder, job.name, folders);
        made += small.made;
        likes.add(run, small.copies);
      }
      if (at >= 0) {
        folders[at]!.total++;
        if (found) folders[at]!.done++;
      }
      if (found?.labels) {
        runs.push(run);
        labels.push(found.labels);
      }
      progress.update(++read, grows.length);
    }
    if (at >= 0) put(piece.folder(at), folderPage(runs, labels));
  }
  const index: SiteIndex = {
    title: folderName(folder),
    networks: plan.networks.map(({ name, layers: own }, n) => ({
      name,
      layers: own.map((layer, l) => {
        const runs = layers[n]![l]!;
        const done = runs.filter(({ status }) => status === "done").length;
        return { name: layer.name, channels: layer.channels, done, total: runs.length };
      }),
    })),
    folders: plan.folders.map(({ name }, i) => ({ name, ...folders[i]! })),
    objectives: plan.objectives.map(({ options }) =>
      Object.entries(options).map(([name, value]) => `${name} ${value}`).join(", ") || "facets"
    ),
    presets: plan.presets.map(({ name }) => name),
    pictures,
  };
  layers.forEach((own, n) => own.forEach((runs, l) => put(piece.layer(n, l), runs)));
  likes.hand(put);
  put(piece.index, index);
  return { index, made };
}

/** Which pictures look alike, whatever they are of. */
class Likes {
  readonly #runs: SiteRun[] = [];
  /** Of all pictures of all runs one after the other; nothing where a picture is not there. */
  readonly #numbers: Uint8Array[] = [];
  /** Place among the runs here, and in the run, of each. */
  readonly #owners: (readonly [run: number, picture: number])[] = [];

  add(run: SiteRun, copies: readonly (Small | undefined)[]): void {
    copies.forEach((copy, picture) => {
      if (copy === undefined) return;
      this.#numbers.push(Uint8Array.fromBase64(copy.likeness));
      this.#owners.push([this.#runs.length, picture]);
    });
    this.#runs.push(run);
  }

  /** Finds them, and hands out the pieces that say so. */
  hand(put: (name: string, value: unknown) => void): void {
    const numbers = new Int8Array(this.#numbers.length * LIKENESS);
    this.#numbers.forEach((some, i) => numbers.set(new Int8Array(some.buffer), i * LIKENESS));
    this.#numbers.length = 0;
    const layers = new Map<string, number>();
    const layerOf = this.#runs.map(({ network, layer }) => {
      const name = `${network} ${layer}`;
      if (!layers.has(name)) layers.set(name, layers.size);
      return layers.get(name)!;
    });
    const progress = new Progress("pictures compared");
    const found = this.#runs.map(({ pictures }) => pictures.map((): LooksLike[] => []));
    let compared = 0;
    for (
      const { picture, found: alike } of neighbours(numbers, {
        dimensions: LIKENESS,
        runOf: this.#owners.map(([run]) => run),
        layerOf: this.#owners.map(([run]) => layerOf[run]!),
      })
    ) {
      const [run, own] = this.#owners[picture]!;
      found[run]![own] = alike.map(({ picture, like }) => {
        const [other, place] = this.#owners[picture]!;
        const { network, layer, place: at } = this.#runs[other]!;
        return [network, layer, at, place, Math.round(100 * like)];
      });
      progress.update(++compared, this.#owners.length);
    }
    const pieces = new Map<string, LooksLike[][][]>();
    this.#runs.forEach(({ network, layer, place }, i) => {
      const name = piece.likes(network, layer, place);
      const runs = pieces.get(name) ?? [];
      // A run that is not done has no pictures.
      while (runs.length < place % LIKES_TOGETHER) runs.push([]);
      runs[place % LIKES_TOGETHER] = found[i]!;
      pieces.set(name, runs);
    });
    for (const [name, runs] of pieces) put(name, runs);
  }
}

/** What a run's manifest says of its pictures, and of facets which photo is in which. */
function readRun(
  folder: string,
  { name }: GrowJob,
): { pictures: SitePicture[]; labels: Labels | undefined } | undefined {
  const manifest = readManifest(join(folder, RUNS, name, "manifest.json"));
  if (!manifest) return undefined;
  const labels = new Map<string, number>();
  for (const image of [manifest.images].flat()) {
    if (!isObject(image) || typeof image.facet !== "number") continue;
    labels.set(String(image.image), image.facet - 1);
  }
  const counts = new Map<number, number>();
  for (const facet of labels.values()) counts.set(facet, (counts.get(facet) ?? 0) + 1);
  const pictures = picturesIn(manifest).map((picture, i): SitePicture => ({
    title: typeof picture.name === "string" ? picture.name : `facet ${i + 1}`,
    folder: String(picture.folder),
    ...(manifest.facets ? { images: counts.get(i) ?? 0 } : {}),
  }));
  return { pictures, labels: manifest.facets ? labels : undefined };
}
