/** `atlas gather`: the pages of an atlas. */
import { join } from "node:path";
import { Outcomes } from "../../atlas/ledger.ts";
import type { GrowJob } from "../../atlas/plan.ts";
import {
  folderPage,
  type Labels,
  piece,
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
import { type Atlas, readAtlas, RUNS } from "./atlas_folder.ts";

/** The command. */
export const atlasGatherCommand: Command = {
  summary:
    "Make pages of an atlas to look through: networks, layers, folders, facets and channels.",
  permissions: "--allow-read --allow-write=OUT",
  usage: "ATLAS",
  positionals: ["ATLAS, the folder of the atlas"],
  options: {},
  notes:
    `Leaves index.html in the atlas, and what it loads in site/. Open it, or serve the folder: nothing
else is needed. It shows what is done so far and what is not; gather again for more.`,

  async run(args: Arguments) {
    const [folder] = args.positionals as [string];
    const atlas = readAtlas(folder);
    await builtPage();
    const parts = await atlasParts();
    const put = (name: string, text: string) => writeWholeSync(join(folder, name), text);
    const index = gather(atlas, (name, value) => {
      // A script, since pages that are opened as files may load no others.
      put(
        join("site", `${name}.js`),
        `atlasPiece(${JSON.stringify(name)},${JSON.stringify(value)})`,
      );
    });
    put(join("site", "atlas.js"), parts.script);
    put(join("site", "atlas.css"), parts.style);
    put("index.html", atlasHtml(index.title));
    print(`${join(folder, "index.html")}: ${index.pictures} pictures`);
  },
};

/** Reads all runs, and hands out the pieces of the pages. */
function gather(
  { folder, plan, jobs }: Atlas,
  put: (name: string, value: unknown) => void,
): SiteIndex {
  const outcomes = new Outcomes(folder);
  outcomes.refresh();
  const progress = new Progress("runs");
  const grows = jobs.filter((job) => job.kind === "grow");
  const layers = plan.networks.map(({ layers }) => layers.map((): SiteRun[] => []));
  const folders = plan.folders.map(() => ({ done: 0, total: 0 }));
  let [pictures, read] = [0, 0];
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
        ...(job.folder === undefined ? {} : { folder: job.folder }),
        objective: job.objective,
        preset: job.preset,
        status: found ? "done" : outcome ? "failed" : "to do",
        pictures: found?.pictures ?? [],
      };
      layers[job.network]![layer]!.push(run);
      pictures += run.pictures.length;
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
  put(piece.index, index);
  return index;
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
  const list = [manifest.facets ?? manifest.pictures].flat().filter(isObject);
  const pictures = list.map((picture, i): SitePicture => ({
    title: typeof picture.name === "string" ? picture.name : `facet ${i + 1}`,
    file: [RUNS, name, String(picture.folder), "final.png"].map(encodeURIComponent).join("/"),
    ...(manifest.facets ? { images: counts.get(i) ?? 0 } : {}),
  }));
  return { pictures, labels: manifest.facets ? labels : undefined };
}
