/** Whether the facets are real, in plain words. */
import type { RunView } from "../../state/run_view.ts";
import { short, SILHOUETTE, stabilityOf, verdictOf } from "../words.ts";

/** The verdict on the facets of a run. */
export function Verdict({ run }: { readonly run: RunView }) {
  const { judgement } = run;
  if (!judgement) return null;
  const { structure, silhouette, chance, images } = judgement;
  const facets = run.facets!;
  return (
    <section class="verdict" aria-labelledby="verdict" data-structure={structure ?? "unknown"}>
      <h2 id="verdict">{verdictOf(judgement, facets.sizes.length)}</h2>
      {chance && (
        <p>
          Silhouette <strong>{silhouette.toFixed(2)}</strong>; one cloud gives{" "}
          {chance.mean.toFixed(2)} ± {chance.deviation.toFixed(2)}.{" "}
          <span class="quiet">{SILHOUETTE}</span>
        </p>
      )}
      {facets.sizes.length > 1 && <p>{stabilityOf(judgement)}</p>}
      {images !== undefined && images < facets.labels.length && (
        <p class="quiet">Judged on {images} of {facets.labels.length} photos.</p>
      )}
      {facets.candidates.length > 1 && (
        <details>
          <summary>Other numbers of facets</summary>
          <table>
            <thead>
              <tr>
                <th scope="col">Facets</th>
                <th scope="col">Silhouette</th>
              </tr>
            </thead>
            <tbody>
              {facets.candidates.map((each) => (
                <tr key={each.facets}>
                  <th scope="row">{each.facets}</th>
                  <td>{short(each.silhouette)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </section>
  );
}
