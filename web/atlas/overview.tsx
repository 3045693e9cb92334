/** What there is, and how much of it is done. */
import type { Done, SiteIndex } from "../../atlas/site.ts";

/** The first page. */
export function Overview({ index }: { index: SiteIndex }) {
  return (
    <>
      <p class="quiet">{index.pictures} pictures</p>
      <div class="atlas-columns">
        {index.networks.map(({ name, layers }, n) => (
          <section key={name}>
            <h2>{name}</h2>
            <ul class="atlas-list">
              {layers.map((layer, l) => (
                <li key={layer.name}>
                  <a href={`#/layer/${n}/${l}`}>{layer.name}</a> <Share {...layer} />
                </li>
              ))}
            </ul>
          </section>
        ))}
        {index.folders.length > 0 && (
          <section>
            <h2>Folders</h2>
            <ul class="atlas-list">
              {index.folders.map((folder, i) => (
                <li key={i}>
                  <a href={`#/folder/${i}`}>{folder.name}</a> <Share {...folder} />
                </li>
              ))}
            </ul>
          </section>
        )}
      </div>
    </>
  );
}

/** How much is done, where that is not all. */
function Share({ done, total }: Done) {
  return done === total ? null : <span class="quiet">{done} of {total} done</span>;
}
