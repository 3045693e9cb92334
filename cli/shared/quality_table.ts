/** What is measured of pictures, and the table of it. */
import type { Sureness } from "../../vis/quality.ts";

/** Numbers of a facet's photos, of the picture it starts from, and of the final one. */
export interface Measured<T> {
  readonly photos: T;
  readonly start: T;
  readonly final: T;
}

/** What is measured of one facet. */
export interface Quality {
  readonly preset: string;
  readonly model: string;
  readonly layer: string;
  readonly seed: number;
  /** From 1. */
  readonly facet: number;
  /** The own channels' activation over the photos'. */
  readonly own: Measured<number>;
  /** Mean |out − target| over the other channels; of photos nobody asks. */
  readonly distance: Measured<number | undefined>;
  /** Mean difference between neighbouring pixels, in levels of 255. */
  readonly variation: Measured<number>;
  /** Share of saturated pixels. */
  readonly saturated: Measured<number>;
  /** Centred cosine to the target in each other network, by its name. */
  readonly transfer: Readonly<Record<string, Measured<number>>>;
  /** How sure classifiers are that it shows what it should, by their names. */
  readonly judged: Readonly<Record<string, Measured<Sureness>>>;
}

/** Which picture a line is about. */
type Kind = keyof Measured<unknown>;

const mean = (values: readonly number[]) =>
  values.reduce((total, value) => total + value, 0) / values.length;

/** Standard deviation over seeds. */
function spread(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}

/** A column: its title, digits, and a row's number; undefined where there is none. */
interface Column {
  readonly title: string;
  readonly digits: number;
  readonly of: (row: Quality, kind: Kind) => number | undefined;
}

function columnsOf(judges: readonly string[]): Column[] {
  return [
    { title: "own", digits: 2, of: (row, kind) => row.own[kind] },
    {
      title: "distance",
      digits: 2,
      of: ({ distance }, kind) => {
        const value = distance[kind];
        return value === undefined ? undefined : value / distance.start!;
      },
    },
    { title: "variation", digits: 1, of: (row, kind) => row.variation[kind] },
    { title: "saturated %", digits: 1, of: (row, kind) => 100 * row.saturated[kind] },
    {
      title: "transfer",
      digits: 2,
      of: ({ transfer }, kind) => {
        const values = Object.values(transfer).map((each) => each[kind]);
        return values.length > 0 ? mean(values) : undefined;
      },
    },
    ...judges.flatMap((judge): Column[] => [
      { title: `${judge}, best`, digits: 2, of: (row, kind) => row.judged[judge]?.[kind].best },
      { title: "mean", digits: 2, of: (row, kind) => row.judged[judge]?.[kind].mean },
    ]),
  ];
}

/**
 * The table: for each preset and network a line for its photos, one for the pictures it starts from,
 * one for each facet and one for all; of several seeds their mean, and how far they are apart.
 */
export function qualityTable(rows: readonly Quality[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const columns = columnsOf([...new Set(rows.flatMap(({ judged }) => Object.keys(judged)))]);
  const cell = ({ digits, of }: Column, some: readonly Quality[], kind: Kind, all: boolean) => {
    const bySeed = Object.values(Object.groupBy(some, ({ seed }) => seed)) as Quality[][];
    const means = bySeed.map((group) => {
      const values = group.map((row) => of(row, kind)).filter((value) => value !== undefined);
      return values.length > 0 ? mean(values) : NaN;
    }).filter((value) => !Number.isNaN(value));
    if (means.length === 0) return "—";
    const apart = all && means.length > 1 ? ` ± ${spread(means).toFixed(digits)}` : "";
    return mean(means).toFixed(digits) + apart;
  };
  const groups = Object.values(
    Object.groupBy(rows, ({ preset, model, layer }) => `${preset} ${model} ${layer}`),
  ) as Quality[][];
  const lines = groups.flatMap((group) => {
    const { preset, model, layer } = group[0]!;
    const facets = [...new Set(group.map(({ facet }) => facet))];
    const described = (picture: string, some: readonly Quality[], kind: Kind, all: boolean) =>
      line([
        ...[preset, `${model} ${layer}`, picture],
        ...columns.map((column) => cell(column, some, kind, all)),
      ]);
    return [
      described("photos", group, "photos", true),
      described("start", group, "start", true),
      ...facets.map((facet) => {
        const own = group.filter((row) => row.facet === facet);
        return described(`facet ${facet}`, own, "final", false);
      }),
      described("all facets", group, "final", true),
    ];
  });
  const head = ["preset", "network and layer", "picture", ...columns.map(({ title }) => title)];
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}
