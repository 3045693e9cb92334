/** Curves over the iterations as SVG. */
// @ts-types="npm:@types/d3-array@3.2.2"
import { nice, ticks, tickStep } from "d3-array";
// @ts-types="npm:@types/d3-shape@3.1.7"
import { line } from "d3-shape";
import type { Ink } from "../colours.ts";

/** A curve. */
export interface Curve {
  readonly name: string;
  /** The picture whose colour it has. */
  readonly picture: number;
  readonly points: readonly (readonly [iteration: number, value: number])[];
  /** Whether it shares the colour of an earlier one. */
  readonly dashed: boolean;
}

/** How numbers lie along an axis. */
export interface Scale {
  readonly from: readonly [low: number, high: number];
  readonly to: readonly [start: number, end: number];
}

/** Where a chart's lines are. */
export interface Scales {
  readonly x: Scale;
  readonly y: Scale;
}

/** The pixel of a number. */
function place({ from: [low, high], to: [start, end] }: Scale, value: number): number {
  return start + (end - start) * (value - low) / (high - low);
}

/** The number at a pixel. */
export function valueAt({ from, to }: Scale, pixel: number): number {
  return place({ from: to, to: from }, pixel);
}

const EDGE = { left: 52, right: 14, top: 12, bottom: 34 };

/** Numbers beside the vertical axis, about. */
const TICKS = 5;

/** Scales for some curves, on a sheet of some size. */
export function scalesOf(
  curves: readonly Curve[],
  [width, height]: readonly [number, number],
): Scales {
  const points = curves.flatMap((curve) => curve.points);
  const range = (values: readonly number[]): [number, number] =>
    values.length === 0 ? [0, 1] : [
      values.reduce((a, b) => Math.min(a, b)),
      values.reduce((a, b) => Math.max(a, b)),
    ];
  const [first, last] = range(points.map(([x]) => x));
  const [low, high] = range(points.map(([, y]) => y));
  return {
    x: { from: [Math.min(first, last - 1), last], to: [EDGE.left, width - EDGE.right] },
    y: {
      from: low === high ? [low - 0.5, high + 0.5] : nice(low, high, TICKS),
      to: [height - EDGE.bottom, EDGE.top],
    },
  };
}

/** Curves, with their axes. */
export function CurvesDrawing({ curves, size: [width, height], ink, scales, only, at }: {
  readonly curves: readonly Curve[];
  readonly size: readonly [number, number];
  readonly ink: Ink;
  readonly scales: Scales;
  /** The picture that is looked at, if only one is. */
  readonly only?: number | undefined;
  /** The iteration that is read. */
  readonly at?: number | undefined;
}) {
  const x = (iteration: number) => place(scales.x, iteration);
  const y = (value: number) => place(scales.y, value);
  const path = line<readonly [number, number]>(([i]) => x(i), ([, v]) => y(v));
  const [low, high] = scales.y.from;
  const digits = Math.max(0, Math.min(20, -Math.floor(Math.log10(tickStep(low, high, TICKS)))));
  return (
    <>
      <g font-size="12" fill={ink.quiet}>
        {ticks(low, high, TICKS).map((value) => (
          <g key={value} transform={`translate(0 ${y(value)})`}>
            <line x1={EDGE.left} x2={width - EDGE.right} stroke={ink.line} />
            <text x={EDGE.left - 8} y="4" text-anchor="end">
              {value.toFixed(digits).replace("-", "−")}
            </text>
          </g>
        ))}
        {ticks(...scales.x.from, Math.max(2, width / 90)).filter(Number.isInteger).map((value) => (
          <text key={value} x={x(value)} y={height - EDGE.bottom + 18} text-anchor="middle">
            {value}
          </text>
        ))}
        <text x={width - EDGE.right} y={height - 3} text-anchor="end">iteration</text>
      </g>
      {at !== undefined && (
        <line
          {...{ x1: x(at), x2: x(at), y1: EDGE.top, y2: height - EDGE.bottom, stroke: ink.quiet }}
        />
      )}
      {curves.map(({ name, picture, points, dashed }) => (
        <g key={name} opacity={only === undefined || only === picture ? 1 : 0.15}>
          <path
            d={path(points) ?? ""}
            fill="none"
            stroke={ink.colour(picture)}
            stroke-width="2"
            stroke-linejoin="round"
            stroke-dasharray={dashed ? "6 4" : undefined}
          />
          {points.filter(([i, value]) =>
            i === at && Number.isFinite(value)
          ).map(([i, value]) => (
            <circle
              key={i}
              {...{ cx: x(i), cy: y(value), r: 4, fill: ink.colour(picture), stroke: ink.ground }}
            />
          ))}
        </g>
      ))}
    </>
  );
}

/** Curves as a sheet for a file. */
export function CurvesSheet({ curves, title, metric, ink }: {
  readonly curves: readonly Curve[];
  readonly title: string;
  readonly metric: string;
  readonly ink: Ink;
}) {
  const [width, height, top, legend] = [900, 480, 76, 200];
  const size = [width, height] as const;
  const full = Math.max(height, curves.length * 24 + 24) + top;
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      {...{ width: width + legend, height: full, viewBox: `0 0 ${width + legend} ${full}` }}
      font-family="system-ui, sans-serif"
    >
      <rect width={width + legend} height={full} fill={ink.ground} />
      <text x="24" y="40" font-size="22" font-weight="600" fill={ink.text}>{title}</text>
      <text x="24" y="64" font-size="14" fill={ink.quiet}>{metric}</text>
      <g transform={`translate(0 ${top})`}>
        <CurvesDrawing {...{ curves, size, ink, scales: scalesOf(curves, size) }} />
        {curves.map(({ name, picture, dashed }, i) => (
          <g key={name} transform={`translate(${width + 8} ${24 + 24 * i})`}>
            <line
              x2="24"
              stroke={ink.colour(picture)}
              stroke-width="3"
              stroke-dasharray={dashed ? "6 4" : undefined}
            />
            <text x="32" y="5" font-size="14" fill={ink.text}>{name}</text>
          </g>
        ))}
      </g>
    </svg>
  );
}
