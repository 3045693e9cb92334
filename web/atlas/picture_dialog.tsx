/** One picture as large as it is, where it is from, and what is like it. */
/// <reference lib="dom" />
import { useEffect, useRef } from "preact/hooks";
import { pictureAt, RUNS, type SiteIndex, type SiteRun } from "../../atlas/site.ts";
import { Neighbours } from "./neighbours.tsx";
import { runTitle } from "./run_title.ts";

/** The picture that is open. */
export interface OpenedPicture {
  readonly run: SiteRun;
  readonly picture: number;
}

/** Over the page, while a picture is open. */
export function PictureDialog({ index, opened: { run, picture }, close }: {
  index: SiteIndex;
  opened: OpenedPicture;
  close: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  // From a neighbour to its own neighbours: the picture comes first again.
  useEffect(() => dialog.current!.scrollTo(0, 0), [run, picture]);
  const { title, folder } = run.pictures[picture]!;
  const where = runTitle(index, run, "both");
  return (
    <dialog ref={dialog} class="atlas-dialog" aria-label="One picture" onClose={close}>
      <div class="atlas-opened">
        <img
          class="atlas-large"
          src={pictureAt.full(run.name, folder)}
          key={`${run.name} ${folder}`}
          alt={`${title}, ${where}`}
        />
        <div>
          <h2>{title}</h2>
          <p class="quiet">{where}</p>
          <ul class="atlas-list">
            <li>
              <a href={`${RUNS}/${encodeURIComponent(run.name)}/report.html`}>Report of its run</a>
            </li>
            <li>
              <a href={`#/layer/${run.network}/${run.layer}`}>Its layer</a>
            </li>
            {run.folder !== undefined && (
              <li>
                <a href={`#/folder/${run.folder}`}>Its folder</a>
              </li>
            )}
          </ul>
          <p>
            <button type="button" onClick={() => dialog.current!.close()}>Close</button>
          </p>
        </div>
      </div>
      <Neighbours index={index} run={run} picture={picture} />
    </dialog>
  );
}
