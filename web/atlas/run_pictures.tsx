/** The pictures of one run. */
import { useContext } from "preact/hooks";
import { SCREEN } from "../page/colours.ts";
import { pictureAt, type SiteIndex, type SiteRun } from "../../atlas/site.ts";
import { OpenPicture } from "./neighbours.tsx";
import { runTitle } from "./run_title.ts";

/** A row of pictures, small; each opens large. */
export function RunPictures({ index, run, of, fits = () => true }: {
  index: SiteIndex;
  run: SiteRun;
  of: "folder" | "layer";
  fits?: (title: string) => boolean;
}) {
  const open = useContext(OpenPicture);
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
                <button
                  type="button"
                  class="atlas-picture"
                  key={picture.folder}
                  onClick={() => open(run, i)}
                >
                  <figure>
                    <img
                      src={pictureAt.small(run.name, picture.folder)}
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
                </button>
              )
            )}
          </div>
        )
        : <p class="quiet">{run.status === "failed" ? "could not be done" : "not done yet"}</p>}
    </section>
  );
}
