/** All pictures of a run on one sheet, with captions. */
import type { RunView } from "../../state/run_view.ts";
import type { Ink } from "../colours.ts";
import { bestOf, factsOf, photosOf, subjectOf } from "../words.ts";

/** Characters of a caption on a sheet, each as people see it. */
function cut(text: string, most: number): string {
  const letters = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("")}…`;
}

/** The sheet. */
export function ContactSheet({ run, ink }: { readonly run: RunView; readonly ink: Ink }) {
  const many = run.pictures.length > 24;
  const side = many ? 128 : 256;
  const [gap, edge, top, caption] = [24, 36, 88, many ? 26 : 66];
  const columns = Math.max(
    many ? 4 : 3,
    Math.min(many ? 16 : 5, Math.ceil(Math.sqrt(run.pictures.length * 1.4))),
  );
  const rows = Math.ceil(run.pictures.length / columns);
  const width = 2 * edge + columns * side + (columns - 1) * gap;
  const height = top + rows * (side + caption + gap) + edge - gap;
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      {...{ width, height, viewBox: `0 0 ${width} ${height}` }}
      font-family="system-ui, sans-serif"
    >
      <rect width={width} height={height} fill={ink.ground} />
      <text x={edge} y="42" font-size="22" font-weight="600" fill={ink.text}>
        {cut(run.head.title, Math.floor(width / 13))}
      </text>
      <text x={edge} y="66" font-size="14" fill={ink.quiet}>{subjectOf(run)}</text>
      {run.pictures.map((picture, i) => {
        const x = edge + (i % columns) * (side + gap);
        const y = top + Math.floor(i / columns) * (side + caption + gap);
        const [fact] = factsOf(run, i);
        return (
          <g key={i} transform={`translate(${x} ${y})`}>
            <image href={bestOf(picture)} width={side} height={side} />
            <text y={side + 19} font-size={many ? 12 : 15} font-weight="600" fill={ink.text}>
              {cut(picture.name, Math.floor(side / 9))}
            </text>
            {!many && (
              <g font-size="13" fill={ink.quiet}>
                <text y={side + 39}>{photosOf(run, i)}</text>
                {fact?.to && <text y={side + 58}>{`${fact.name}: ${fact.from} → ${fact.to}`}</text>}
              </g>
            )}
          </g>
        );
      })}
    </svg>
  );
}
