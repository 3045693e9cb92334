/** The pictures most like one, and why: they share photos, or they look alike. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import {
  LIKES_TOGETHER,
  pictureAt,
  piece,
  type SiteFolder,
  type SiteIndex,
  type SiteLikes,
  type SiteRun,
} from "../../atlas/site.ts";
import { usePiece } from "./pieces.ts";
import { runTitle } from "./run_title.ts";

/** Shows a picture large. */
export const OpenPicture = createContext<(run: SiteRun, picture: number) => void>(() => {});

/** The neighbours of a picture of a run. */
export function Neighbours({ index, run, picture }: {
  index: SiteIndex;
  run: SiteRun;
  picture: number;
}) {
  const likes = usePiece<SiteLikes>(piece.likes(run.network, run.layer, run.place))
    ?.[run.place % LIKES_TOGETHER]?.[picture];
  const folder = usePiece<SiteFolder>(
    run.folder === undefined ? undefined : piece.folder(run.folder),
  );
  const own = folder?.runs.findIndex(({ name }) => name === run.name) ?? -1;
  const sharing = folder?.alike[own]?.[picture] ?? [];
  return (
    <>
      {sharing.length > 0 && (
        <>
          <h3>Shares photos with</h3>
          <div class="atlas-alike">
            {sharing.map(({ run, facet, share }) => (
              <Neighbour
                key={`${run} ${facet}`}
                index={index}
                run={folder!.runs[run]}
                picture={facet}
                how={`${Math.round(100 * share)} % of the photos shared`}
              />
            ))}
          </div>
        </>
      )}
      {likes && likes.length > 0 && (
        <>
          <h3>Looks like</h3>
          <div class="atlas-alike">
            {likes.map(([network, layer, place, other, like]) => (
              <LookingLike
                key={`${network} ${layer} ${place} ${other}`}
                index={index}
                at={[network, layer, place]}
                picture={other}
                how={`${like} % alike`}
              />
            ))}
          </div>
        </>
      )}
      {likes?.length === 0 && sharing.length === 0 && <p class="quiet">Nothing is like it.</p>}
    </>
  );
}

/** A picture of a run that is known by its place in its layer. */
function LookingLike({ at: [network, layer, place], ...others }: {
  index: SiteIndex;
  at: readonly [network: number, layer: number, place: number];
  picture: number;
  how: string;
}) {
  const runs = usePiece<readonly SiteRun[]>(piece.layer(network, layer));
  return <Neighbour {...others} run={runs?.[place]} />;
}

function Neighbour({ index, run, picture, how }: {
  index: SiteIndex;
  run: SiteRun | undefined;
  picture: number;
  how: string;
}) {
  const open = useContext(OpenPicture);
  const found = run?.pictures[picture];
  if (!run || !found) return <figure />;
  return (
    <button type="button" class="atlas-picture" onClick={() => open(run, picture)}>
      <figure>
        <img
          src={pictureAt.small(run.name, found.folder)}
          loading="lazy"
          decoding="async"
          alt=""
        />
        <figcaption>
          {runTitle(index, run, "both")}, {found.title}
          <span class="quiet">{how}</span>
        </figcaption>
      </figure>
    </button>
  );
}
