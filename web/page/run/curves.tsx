/// <reference lib="dom" />
/** A metric over the iterations, a curve for each picture. */
import { useState } from "preact/hooks";
import type { RunView } from "../../state/run_view.ts";
import { isHollow, SCREEN } from "../colours.ts";
import {
  type Curve,
  CurvesDrawing,
  CurvesSheet,
  scalesOf,
  valueAt,
} from "../drawings/curves_drawing.tsx";
import { useId, useWidth } from "../hooks.ts";
import { short, wordsOf } from "../words.ts";
import { Badge } from "./picture_card.tsx";
import { SaveButtons } from "./save_buttons.tsx";

/** More curves than these are summed up. */
const MANY = 24;

/** The points of a curve for each picture. */
function curvesOf(run: RunView, metric: string): Curve[] {
  const each = [...run.history].toSorted(([a], [b]) => a - b).map(([picture, history]) => ({
    name: run.pictures[picture]?.name ?? `picture ${picture + 1}`,
    picture,
    points: [...history].map(([iteration, metrics]) => [iteration, metrics[metric]!] as const)
      .filter(([, value]) => Number.isFinite(value)).toSorted(([a], [b]) => a - b),
    dashed: isHollow(picture),
  }));
  return each.length > MANY ? quantiles(each) : each;
}

/** The lowest, the middle and the highest of many curves. */
function quantiles(curves: readonly Curve[]): Curve[] {
  const values = new Map<number, number[]>();
  for (const [iteration, value] of curves.flatMap(({ points }) => points)) {
    const those = values.get(iteration) ?? [];
    those.push(value);
    values.set(iteration, those);
  }
  for (const those of values.values()) those.sort((a, b) => a - b);
  return ["lowest", "middle", "highest"].map((name, i) => ({
    name,
    picture: [5, 0, 1][i]!,
    points: [...values].toSorted(([a], [b]) => a - b).map((
      [iteration, those],
    ) => [iteration, those[Math.round((those.length - 1) * i / 2)]!] as const),
    dashed: false,
  }));
}

/** What is drawn. */
interface CurvesProps {
  readonly run: RunView;
  /** The picture that is looked at, if only one is. */
  readonly only: number | undefined;
}

/** The curves, once there are any. */
export function Curves({ run, only }: CurvesProps) {
  return run.history.size === 0 ? null : <Chart run={run} only={only} />;
}

/** The curves, with a choice of what they show. */
function Chart({ run, only }: CurvesProps) {
  const [chosen, choose] = useState("loss");
  const [read, setRead] = useState<number | undefined>();
  const [element, width] = useWidth<HTMLDivElement>();
  const id = useId();
  const names = [
    ...new Set([
      ...run.metrics,
      ...Object.keys(
        run.history.values().next().value
          ?.values().next().value ?? {},
      ),
    ]),
  ];
  const metric = names.includes(chosen) ? chosen : names[0]!;
  const { name, help } = wordsOf(metric);
  const curves = curvesOf(run, metric);
  const summed = run.history.size > MANY;
  const size = [width, Math.round(Math.max(240, Math.min(420, 0.6 * width)))] as const;
  const scales = scalesOf(curves, size);
  const iterations = [...new Set(curves.flatMap(({ points }) => points.map(([i]) => i)))]
    .toSorted((a, b) => a - b);
  const last = iterations.at(-1) ?? 0;
  const now = read ?? last;
  const known = ({ points }: Curve) =>
    points.find(([i]) => i === now)?.[1] ?? points.findLast(([i]) => i <= now)?.[1];
  const closest = (wanted: number) =>
    iterations.reduce((a, b) => Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a, last);
  return (
    <section aria-labelledby="curves">
      <div class="heading">
        <h2 id="curves">Curves</h2>
        <SaveButtons
          what="curves"
          title={`${run.head.title} ${name}`}
          draw={(ink) => <CurvesSheet {...{ curves, title: run.head.title, metric: name, ink }} />}
        />
      </div>
      <p class="row">
        <label for={`${id}-metric`}>Metric</label>
        <select
          id={`${id}-metric`}
          value={metric}
          onInput={(event) => choose(event.currentTarget.value)}
        >
          {names.map((each) => <option key={each} value={each}>{wordsOf(each).name}</option>)}
        </select>
        <span class="quiet">{help}</span>
      </p>
      <div class="curves">
        <div
          class="chart"
          ref={element}
          onPointerMove={(event) => {
            const left = event.currentTarget.getBoundingClientRect().left;
            setRead(closest(valueAt(scales.x, event.clientX - left)));
          }}
        >
          {width > 0 && (
            <svg
              width={size[0]}
              height={size[1]}
              role="img"
              aria-label={`${name} of each picture over ${last} iterations`}
            >
              <CurvesDrawing
                {...{ curves, size, scales, ink: SCREEN }}
                only={summed ? undefined : only}
                at={read}
              />
            </svg>
          )}
        </div>
        <div class="readout">
          <label for={`${id}-at`}>after iteration {now}</label>
          <input
            id={`${id}-at`}
            type="range"
            min="0"
            max={Math.max(0, iterations.length - 1)}
            value={iterations.indexOf(now)}
            aria-valuetext={`iteration ${now}: ` +
              curves.map((curve) => `${curve.name} ${short(known(curve) ?? NaN)}`).join(", ")}
            onInput={(event) => setRead(iterations[Number(event.currentTarget.value)])}
          />
          <table>
            <caption class="hidden">{name} after iteration {now}</caption>
            <thead class="hidden">
              <tr>
                <th scope="col">Picture</th>
                <th scope="col">{name}</th>
              </tr>
            </thead>
            <tbody>
              {curves.map((curve) => (
                <tr
                  key={curve.name}
                  class={summed || only === undefined || only === curve.picture ? "" : "faint"}
                >
                  <th scope="row">
                    {summed
                      ? <span class="swatch" style={{ background: SCREEN.colour(curve.picture) }} />
                      : <Badge run={run} picture={curve.picture} />} <bdi>{curve.name}</bdi>
                  </th>
                  <td>{known(curve) === undefined ? "–" : short(known(curve)!)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </section>
  );
}
