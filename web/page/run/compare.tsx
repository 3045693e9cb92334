/// <reference lib="dom" />
/** Runs side by side: a row for each picture, a column for each run. */
import { showValue } from "../../../vis/parameters.ts";
import type { RunView } from "../../state/run_view.ts";
import { bestOf, factsOf, photosOf, statusOf, subjectOf, verdictOf } from "../words.ts";

/** More pictures than these are not put side by side. */
const MOST = 48;

/** Parameters that are not the same in all runs, as "name value". */
function differences(runs: readonly RunView[]): string[][] {
  const valuesOf = ({ head }: RunView) => {
    const octaves = head.octaves ?? [];
    const names = new Set(octaves.flatMap((octave) => Object.keys(octave)));
    return new Map<string, string>([
      ["seed", showValue(head.seed)],
      ["picture size", showValue(head.size)],
      ...[...names].map((name) => {
        const each = octaves.map((octave) => showValue(octave[name]));
        return [name, [...new Set(each)].join(", ")] as const;
      }),
    ]);
  };
  const all = runs.map(valuesOf);
  const names = new Set(all.flatMap((values) => [...values.keys()]));
  const differ = [...names].filter((name) => new Set(all.map((v) => v.get(name))).size > 1);
  return all.map((values) => differ.map((name) => `${name} ${values.get(name) ?? "–"}`));
}

/** Differences that are shown; the rest is in the parameters of each run. */
const SHOWN = 6;

/** The runs, and which of them is looked at. */
export function Compare({ runs, chosen, choose }: {
  readonly runs: readonly RunView[];
  readonly chosen: number;
  readonly choose: (run: number) => void;
}) {
  const names = [...new Set(runs.flatMap(({ pictures }) => pictures.map(({ name }) => name)))];
  const differ = differences(runs);
  return (
    <section aria-labelledby="runs">
      <h2 id="runs">{runs.length} runs side by side</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="The runs side by side">
        <table class="compare">
          <thead>
            <tr>
              <td />
              {runs.map((run, i) => (
                <th key={i} scope="col" class={i === chosen ? "chosen" : undefined}>
                  <button
                    type="button"
                    aria-pressed={i === chosen}
                    onClick={() =>
                      choose(i)}
                  >
                    <bdi>{run.head.title || `run ${i + 1}`}</bdi>
                  </button>
                  <p class="quiet">{subjectOf(run)}</p>
                  {differ[i]!.length > 0 && (
                    <p class="quiet">
                      {differ[i]!.slice(0, SHOWN).join(" · ")}
                      {differ[i]!.length > SHOWN && ` · and ${differ[i]!.length - SHOWN} more`}
                    </p>
                  )}
                  {run.judgement && <p>{verdictOf(run.judgement, run.facets!.sizes.length)}</p>}
                  {run.status !== "finished" && <p>{statusOf(run)}</p>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.slice(0, MOST).map((name) => (
              <tr key={name}>
                <th scope="row">
                  <bdi>{name}</bdi>
                </th>
                {runs.map((run, i) => {
                  const at = run.pictures.findIndex((picture) => picture.name === name);
                  if (at < 0) return <td key={i} class="quiet">–</td>;
                  const image = bestOf(run.pictures[at]!);
                  const [fact] = factsOf(run, at);
                  return (
                    <td key={i} class={i === chosen ? "chosen" : undefined}>
                      {image
                        ? <img src={image} alt={`${name} of ${run.head.title}`} decoding="async" />
                        : <span class="blank" />}
                      <p class="quiet">
                        {[photosOf(run, at), fact?.to && `${fact.name.toLowerCase()} ${fact.to}`]
                          .filter(Boolean).join(" · ")}
                      </p>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {names.length > MOST && (
        <p class="quiet">The first {MOST} of {names.length} pictures; all are with each run.</p>
      )}
      {runs.some(({ facets }) => facets) && (
        <p class="quiet">
          Facets are numbered in each run by itself: the same number need not be the same photos.
        </p>
      )}
    </section>
  );
}
