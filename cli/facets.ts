/** `facets`: which images of a folder belong together in a layer, without growing any picture. */
import { join } from "node:path";
import { analyseFacets } from "../vis/facets/facets.ts";
import { findTargets } from "../vis/facets/targets.ts";
import { pixelsAt } from "../vis/photos/images.ts";
import type { RunEvent } from "../vis/events.ts";
import { writeFacetReport } from "../vis/report/facet_report.ts";
import { facetName } from "../vis/report/map.ts";
import {
  describeFacets,
  EMBEDDING_OPTIONS,
  embeddingOption,
  examine,
  facetsOption,
  LOOK_OPTIONS,
} from "./shared/examine.ts";
import { type Arguments, type Command, SEEDS } from "./shared/options.ts";
import { provenance } from "./shared/run.ts";
import { announce, print, stages } from "./shared/progress.ts";
import { beginRecord, leaveReport } from "./shared/report_page.ts";

/** Images of a facet that are named on the terminal. */
const NAMED = 3;

/** The command. */
export const facetsCommand: Command = {
  summary: "Find the facets of a folder of images in a layer, and say whether there are any.",
  permissions: "--allow-read --allow-write=OUT,CACHE",
  usage: "IMAGES --model NAME --layer LAYER [options]",
  tells: true,
  positionals: ["IMAGES, the folder of images"],
  options: {
    ...LOOK_OPTIONS,
    facets: {
      type: "string",
      short: "k",
      value: "K",
      help: "Number of facets (default auto: by silhouette)",
    },
    ...EMBEDDING_OPTIONS,
  },
  notes: `Writes facets.svg (a map of the folder), contact.svg (the images nearest to each facet's
centre), facets.json, and report.html, a page with all of it. What the layers answered is kept in
the folder activations, so that another run on the same images is quick; it may be deleted at
any time.

Example:
  mindseye facets photos/ants --model squeezenet1_1 --weights squeezenet1_1.safetensors \\
      --layer features.7 --layer features.12 --size 224 --out generated/ants`,

  async run(args: Arguments) {
    const facets = facetsOption(args, "auto");
    const embedding = embeddingOption(args);
    const seed = args.integer("seed", SEEDS) ?? 0;
    using examined = await examine("facets", args, facets);
    const { keeper, trunks, look, size, weightsName, folders, titles } = examined;
    const { images, skipped } = look;
    for (const [i, trunk] of trunks.entries()) {
      const analysis = await analyseFacets(look.pooled[i]!, {
        ...embedding,
        n: images.length,
        channels: trunk.channels,
        facets,
        seed,
        onProgress: stages(),
      });
      const folder = folders[i]!.path;
      const title = titles[i]!;
      const found = {
        ...provenance(keeper.gpu, { model: trunk.model, size, weightsName }),
        layer: trunk.target,
        seed,
        embedding,
        facets_wanted: facets,
        skipped,
      };
      const chosen = await writeFacetReport(analysis, { folder, images, title }, found);
      const targets = await findTargets(
        analysis.facets,
        look.pooled[i]!,
        (image) => pixelsAt(images[image]!, size),
        { channels: trunk.channels },
      );
      const event: RunEvent = { kind: "facets", facets: analysis.facets, targets, analysis };
      announce(event);
      using record = beginRecord(folders[i]!, images, { title, ...found });
      await record.take(event);
      const page = await leaveReport(folder, title);
      folders[i]!.finish();
      const lines = [
        title,
        ...chosen.map((some, facet) =>
          `${facetName(facet, analysis.facets.sizes[facet]!)}: ` +
          some.slice(0, NAMED).map(({ image }) => image).join(", ")
        ),
        describeFacets(analysis),
        page ?? join(folder, "facets.svg"),
      ];
      print(lines.join("\n") + (i + 1 < trunks.length ? "\n" : ""));
    }
  },
};
