/** The facets of a folder from layer to layer: how they split and merge, and which are alike. */
import { useState } from "preact/hooks";
import { piece, type SiteFolder, type SiteIndex } from "../../atlas/site.ts";
import { SCREEN } from "../page/colours.ts";
import { usePiece } from "./pieces.ts";
import { RunPictures, runTitle } from "./run_pictures.tsx";

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
          <AlikeFacets index={index} found={found} run={i} />
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

/** Facets of other layers and networks that share photos with one's. */
function AlikeFacets({ index, found, run }: { index: SiteIndex; found: SiteFolder; run: number }) {
  const [open, setOpen] = useState(false);
  const alike = found.alike[run]!;
  if (alike.every((list) => list.length === 0)) return null;
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Facets like these elsewhere</summary>
      {open && alike.map((list, facet) => (
        <div class="atlas-alike" key={facet}>
          <span>facet {facet + 1}</span>
          {list.map((other) => {
            const where = found.runs[other.run]!;
            const picture = where.pictures[other.facet]!;
            return (
              <a
                href={`#/layer/${where.network}/${where.layer}`}
                key={`${other.run} ${other.facet}`}
              >
                <figure>
                  <img src={picture.file} loading="lazy" decoding="async" alt="" />
                  <figcaption>
                    {runTitle(index, where, "layer")}, {picture.title}
                    <span class="quiet">
                      {Math.round(100 * other.share)} % of the photos shared
                    </span>
                  </figcaption>
                </figure>
              </a>
            );
          })}
        </div>
      ))}
    </details>
  );
}
