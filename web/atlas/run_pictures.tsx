/** The pictures of one run. */
import { SCREEN } from "../page/colours.ts";
import type { SiteIndex, SiteRun } from "../../atlas/site.ts";

/** What a run is called among those of its layer or of its folder. */
export function runTitle(index: SiteIndex, run: SiteRun, of: "folder" | "layer"): string {
  const { name, layers } = index.networks[run.network]!;
  const where = of === "layer"
    ? `${name} ${layers[run.layer]!.name}`
    : run.folder === undefined
    ? "without photos"
    : index.folders[run.folder]!.name;
  const objective = index.objectives.length > 1 ? `, ${index.objectives[run.objective]}` : "";
  const preset = index.presets.length > 1 ? `, ${index.presets[run.preset]}` : "";
  return where + objective + preset;
}

/** A row of pictures; each leads to the run's own report. */
export function RunPictures({ index, run, of, fits = () => true }: {
  index: SiteIndex;
  run: SiteRun;
  of: "folder" | "layer";
  fits?: (title: string) => boolean;
}) {
  const report = `runs/${encodeURIComponent(run.name)}/report.html`;
  const place = of === "layer"
    ? `#/layer/${run.network}/${run.layer}`
    : run.folder === undefined
    ? undefined
    : `#/folder/${run.folder}`;
  const title = runTitle(index, run, of);
  return (
    <section class="atlas-run">
      <h2>{place ? <a href={place}>{title}</a> : title}</h2>
      {run.status === "done"
        ? (
          <div class="atlas-row">
            {run.pictures.map((picture, i) =>
              fits(picture.title) && (
                <a href={report} key={picture.file}>
                  <figure>
                    <img
                      src={picture.file}
                      loading="lazy"
                      decoding="async"
                      alt={`${picture.title}, ${title}`}
                    />
                    <figcaption>
                      <span>
                        {picture.images !== undefined && (
                          <span class="atlas-dot" style={`background: ${SCREEN.colour(i)}`} />
                        )}
                        {picture.title}
                      </span>
                      {picture.images !== undefined && (
                        <span class="quiet">{picture.images} photos</span>
                      )}
                    </figcaption>
                  </figure>
                </a>
              )
            )}
          </div>
        )
        : <p class="quiet">{run.status === "failed" ? "could not be done" : "not done yet"}</p>}
    </section>
  );
}
