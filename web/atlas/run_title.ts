/** What runs are called. */
import type { SiteIndex, SiteRun } from "../../atlas/site.ts";

/** What a run is called by its folder, where its layer is known, by its layer, or by both. */
export function runTitle(index: SiteIndex, run: SiteRun, of: "folder" | "layer" | "both"): string {
  const { name, layers } = index.networks[run.network]!;
  const layer = `${name} ${layers[run.layer]!.name}`;
  const folder = run.folder === undefined ? "without photos" : index.folders[run.folder]!.name;
  const isKnown = of === "layer" || (of === "both" && run.folder === undefined);
  const where = isKnown ? layer : of === "folder" ? folder : `${layer}, ${folder}`;
  const objective = index.objectives.length > 1 ? `, ${index.objectives[run.objective]}` : "";
  const preset = index.presets.length > 1 ? `, ${index.presets[run.preset]}` : "";
  return where + objective + preset;
}
