/** The facets of a folder from layer to layer: how they split and merge, and which are alike. */
import { useState } from "preact/hooks";
import { piece, type SiteFolder, type SiteIndex, type SiteRun } from "../../atlas/site.ts";
import { SCREEN } from "../page/colours.ts";
import { Neighbours } from "./neighbours.tsx";
import { usePiece } from "./pieces.ts";
import { RunPictures } from "./run_pictures.tsx";
import { runTitle } from "./run_title.ts";

/** A folder. */
export function FolderPage({ index, folder }: { index: SiteIndex; folder: number }) {
  const found = usePiece<SiteFolder>(piece.folder(folder));
  const { name } = index.folders[folder]!;
  return (
    <>
      <h1>{name}</h1>
      {found && found.runs.length === 0 && <p class="quiet">No facets of it are done yet.</p>}
      {found?.runs.map((run, i) => (
        <div key={run.name}>
          <RunPictures index={index} run={run} of="layer" />
          <AlikeFacets index={index} run={run} />
          {found.flows.filter(({ from }) => from === i).map(({ to, photos }) => (
            <Flow key={to} photos={photos} to={runTitle(index, found.runs[to]!, "layer")} />
          ))}
        </div>
      ))}
    </>
  );
}

const [WIDTH, HEIGHT, GAP] = [600, 90, 4];

/** Where the photos of each facet go in the next layer: bands as wide as they are many. */
function Flow({ photos, to }: { photos: number[][]; to: string }) {
  const total = photos.flat().reduce((a, b) => a + b, 0);
  if (total === 0) return null;
  const columns = photos[0]!.map((_, j) => photos.reduce((sum, row) => sum + row[j]!, 0));
  const rows = photos.map((row) => row.reduce((a, b) => a + b, 0));
  const scale = (WIDTH - GAP * (Math.max(rows.length, columns.length) - 1)) / total;
  const starts = (sizes: readonly number[]) =>
    sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size * scale + GAP, 0));
  const [top, bottom] = [starts(rows), starts(columns)];
  const bands = photos.flatMap((row, i) =>
    row.flatMap((count, j) => {
      if (count === 0) return [];
      const [a, b, width] = [top[i]!, bottom[j]!, count * scale];
      top[i]! += width;
      bottom[j]! += width;
      const middle = HEIGHT / 2;
      const path = `M${a} 0C${a} ${middle} ${b} ${middle} ${b} ${HEIGHT}H${b + width}` +
        `C${b + width} ${middle} ${a + width} ${middle} ${a + width} 0Z`;
      return [{ i, j, count, path }];
    })
  );
  return (
    <figure class="atlas-flow">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`Where the photos go in ${to}`}
      >
        {bands.map(({ i, j, count, path }) => (
          <path key={`${i} ${j}`} d={path} fill={SCREEN.colour(i)} fill-opacity="0.6">
            <title>{`${count} photos of facet ${i + 1} are in facet ${j + 1} of ${to}`}</title>
          </path>
        ))}
      </svg>
      <figcaption class="quiet">where the photos of each facet go in {to}</figcaption>
    </figure>
  );
}

/** What is like each of the facets in other layers and networks. */
function AlikeFacets({ index, run }: { index: SiteIndex; run: SiteRun }) {
  const [open, setOpen] = useState(false);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Facets like these elsewhere</summary>
      {open &&
        run.pictures.map(({ title, folder }, facet) => (
          <div class="atlas-neighbours" key={folder}>
            <span>
              <span class="atlas-dot" style={`background: ${SCREEN.colour(facet)}`} />
              {title}
            </span>
            <Neighbours index={index} run={run} picture={facet} />
          </div>
        ))}
    </details>
  );
}
