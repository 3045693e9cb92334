/** The map of a folder as SVG: every photo a dot, those that have room a small photo. */
import { Component } from "preact";
import type { RunView } from "../../state/run_view.ts";
import { fit } from "../../../vis/report/map.ts";
import { type Ink, isHollow } from "../colours.ts";
import { bestOf, photosOf } from "../words.ts";
import { type Point, roomFor, seen, type View } from "./plane.ts";

/** Side of a photo on the map, with its edge. */
export const PHOTO = 44;

const MARGIN = 36;

/** Photos' and facets' places on a sheet of some size, as it is unmoved. */
export interface Places {
  readonly photos: readonly Point[];
  readonly centres: readonly Point[];
}

/** Places on a sheet. */
export function placesOf(run: RunView, [width, height]: Point): Places {
  const { embedding, centres } = run.facets!;
  const box = { left: MARGIN, top: MARGIN, right: width - MARGIN, bottom: height - MARGIN };
  const place = fit([...embedding, ...centres].flat(), box);
  return {
    photos: embedding.map(([x, y]) => place(x, y)),
    centres: centres.map(([x, y]) => place(x, y)),
  };
}

/** What is drawn. */
export interface MapDrawingProps {
  readonly run: RunView;
  readonly places: Places;
  readonly size: Point;
  readonly view: View;
  readonly ink: Ink;
  /** The facet that is looked at, if only one is. */
  readonly only?: number | undefined;
  /** The photo that is pointed at. */
  readonly at?: number | undefined;
  /** Whether photos are drawn where there is room. */
  readonly withPhotos: boolean;
  /** For a file, which any program may draw: no line whose width does not grow with the rest. */
  readonly plain?: boolean;
}

/** Radius of a dot among so many. */
export function radiusOf(photos: number): number {
  return Math.max(2.5, Math.min(6, 80 / Math.sqrt(photos)));
}

/** What lies on the sheet; the sheet itself is drawn by whoever wants it on a screen or in a file. */
export function MapDrawing(props: MapDrawingProps) {
  const { run, places, size, view, ink, only, at, plain } = props;
  const { labels } = run.facets!;
  const radius = radiusOf(labels.length);
  return (
    <>
      {plain
        ? places.photos.map((place, i) => {
          const [cx, cy] = seen(place, view);
          const colour = ink.colour(labels[i]!);
          return isHollow(labels[i]!)
            ? (
              <circle
                key={i}
                {...{ cx, cy, r: radius - 1, fill: ink.ground, stroke: colour }}
                stroke-width="2"
              />
            )
            : <circle key={i} {...{ cx, cy, r: radius, fill: colour, stroke: ink.ground }} />;
        })
        : (
          <g transform={`translate(${view.x} ${view.y}) scale(${view.k})`}>
            <Dots {...{ labels, places, radius, ink, only, facets: run.facets!.sizes.length }} />
          </g>
        )}
      <Photos {...props} />
      {places.centres.map((centre, facet) => {
        const [x, y] = seen(centre, view);
        if (x < -20 || y < -20 || x > size[0] + 20 || y > size[1] + 20) return null;
        return (
          <g key={facet} opacity={only === undefined || only === facet ? 1 : 0.25}>
            <circle
              {...{ cx: x, cy: y, r: 12, fill: ink.colour(facet), stroke: ink.ground }}
              stroke-width="2"
            />
            <text
              {...{ x, y: y + 4.5, fill: ink.on(facet) }}
              text-anchor="middle"
              font-size="13"
              font-weight="600"
            >
              {facet + 1}
            </text>
          </g>
        );
      })}
      {at !== undefined && (() => {
        const [cx, cy] = seen(places.photos[at]!, view);
        return (
          <circle
            {...{ cx, cy, r: radius + 5, fill: "none", stroke: ink.text }}
            stroke-width="2.5"
          />
        );
      })()}
    </>
  );
}

interface DotsProps {
  readonly labels: readonly number[];
  readonly places: Places;
  readonly radius: number;
  readonly ink: Ink;
  readonly only: number | undefined;
  readonly facets: number;
}

/**
 * All dots of a facet as one line of no length with round ends, as wide at any scale. Moving the sheet
 * draws nothing anew, however many there are.
 */
class Dots extends Component<DotsProps> {
  override shouldComponentUpdate(next: DotsProps) {
    const { labels, places, only } = this.props;
    return next.labels !== labels || next.places !== places || next.only !== only;
  }

  render({ labels, places, radius, ink, only, facets }: DotsProps) {
    const lines: string[] = Array(facets).fill("");
    labels.forEach((facet, i) => {
      const [x, y] = places.photos[i]!;
      lines[facet] += `M${x.toFixed(1)} ${y.toFixed(1)}h0`;
    });
    return (
      <g fill="none" stroke-linecap="round">
        {lines.map((d, facet) => (
          <g key={facet} opacity={only === undefined || only === facet ? 1 : 0.12}>
            {[
              { width: 2 * radius + 2, colour: ink.ground },
              { width: 2 * radius, colour: ink.colour(facet) },
              ...(isHollow(facet) ? [{ width: 2 * radius - 4, colour: ink.ground }] : []),
            ].map(({ width, colour }) => (
              <path
                key={width}
                {...{ d, stroke: colour }}
                stroke-width={width}
                vector-effect="non-scaling-stroke"
              />
            ))}
          </g>
        ))}
      </g>
    );
  }
}

/** Photos where there is room, those that speak for a facet first. */
function Photos({ run, places, size, view, ink, only, withPhotos }: MapDrawingProps) {
  if (!withPhotos) return null;
  const { labels, targets } = run.facets!;
  const speaking = targets.flatMap(({ images }) => [...images]);
  const shown = [...new Set([...speaking, ...labels.keys()])].filter((i) =>
    run.photos.get(i)?.thumbnail && (only === undefined || labels[i] === only)
  );
  // Steps of scale, so that few photos come and go at a time.
  const k = 2 ** (Math.floor(4 * Math.log2(view.k)) / 4);
  const scaled = places.photos.map((place) => seen(place, { k, x: 0, y: 0 }));
  const half = PHOTO / 2;
  return (
    <>
      {roomFor(scaled, shown, PHOTO).map((i) => {
        const [x, y] = seen(places.photos[i]!, view);
        if (x < -half || y < -half || x > size[0] + half || y > size[1] + half) return null;
        return (
          <g key={i}>
            <rect
              {...{ x: x - half + 1, y: y - half + 1, width: PHOTO - 2, height: PHOTO - 2 }}
              fill={ink.colour(labels[i]!)}
              rx="3"
              stroke={ink.ground}
              stroke-dasharray={isHollow(labels[i]!) ? "4 3" : undefined}
            />
            <image
              {...{ x: x - half + 4, y: y - half + 4, width: PHOTO - 8, height: PHOTO - 8 }}
              href={run.photos.get(i)!.thumbnail}
            />
          </g>
        );
      })}
    </>
  );
}

/** Height of a row of the legend. */
const ROW = 56;

/** The map as a sheet for a file, with its title and what the colours mean. */
export function MapSheet({ run, withPhotos, ink }: {
  readonly run: RunView;
  readonly withPhotos: boolean;
  readonly ink: Ink;
}) {
  const { sizes, judgement } = run.facets!;
  const legend = 220;
  const [top, width] = [76, 1180];
  const height = Math.max(780, sizes.length * ROW + 24);
  const size: Point = [width - legend, height];
  const places = placesOf(run, size);
  const view = { k: 1, x: 0, y: 0 };
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      {...{ width, height: top + height, viewBox: `0 0 ${width} ${top + height}` }}
      font-family="system-ui, sans-serif"
    >
      <rect width={width} height={top + height} fill={ink.ground} />
      <text x={MARGIN} y="40" font-size="22" font-weight="600" fill={ink.text}>
        {run.head.title}
      </text>
      <text x={MARGIN} y="64" font-size="14" fill={ink.quiet}>{judgement.verdict}</text>
      <g transform={`translate(0 ${top})`}>
        <MapDrawing {...{ run, places, size, view, ink, withPhotos, plain: true }} />
      </g>
      {sizes.map((_, facet) => {
        const y = top + 12 + facet * ROW;
        const picture = run.pictures[facet];
        const image = picture && bestOf(picture);
        return (
          <g key={facet} transform={`translate(${width - legend} ${y})`}>
            <rect width="48" height="48" rx="4" fill={ink.colour(facet)} />
            {image && <image href={image} x="3" y="3" width="42" height="42" />}
            <text x="60" y="21" font-size="15" fill={ink.text}>
              {picture?.name ?? `facet ${facet + 1}`}
            </text>
            <text x="60" y="40" font-size="13" fill={ink.quiet}>{photosOf(run, facet)}</text>
          </g>
        );
      })}
    </svg>
  );
}
