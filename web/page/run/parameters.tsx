/** The parameters of a run: where they differ from the preset's, and all of them. */
import { findParameter, PARAMETER_GROUPS, PARAMETERS, showValue } from "../../../vis/parameters.ts";
import type { RunView } from "../../state/run_view.ts";
import { optionName } from "../../../vis/parameters.ts";

/** A parameter of a run: its value in each octave, or one where they agree. */
interface Row {
  readonly name: string;
  readonly values: string;
  readonly preset: string | undefined;
  readonly differs: boolean;
}

function rowsOf({ head }: RunView): Row[] {
  const octaves = head.octaves ?? [];
  const names = new Set(octaves.flatMap((octave) => Object.keys(octave)));
  return [...names].map((name) => {
    const values = octaves.map((octave) => showValue(octave[name]));
    const standard = head.preset_values?.[name];
    const preset = standard === undefined ? undefined : showValue(standard);
    return {
      name,
      values: new Set(values).size === 1 ? values[0]! : values.join(", then "),
      preset,
      differs: preset !== undefined && values.some((value) => value !== preset),
    };
  });
}

/** What a parameter is for; nothing is known of those of another version. */
function helpOf(name: string): string {
  try {
    const { help, unit } = PARAMETERS[findParameter(name)];
    return unit ? `${help} (${unit})` : help;
  } catch {
    return "";
  }
}

/** What is about what. */
function groupsOf(rows: readonly Row[]): { title: string; rows: Row[] }[] {
  const known = Object.entries(PARAMETER_GROUPS).map(([title, group]) => {
    const names = Object.keys(group).map(optionName);
    return { title, rows: rows.filter(({ name }) => names.includes(name)) };
  });
  const others = rows.filter((row) => !known.some((group) => group.rows.includes(row)));
  return [...known, { title: "Others", rows: others }].filter((group) => group.rows.length > 0);
}

/** The parameters. */
export function ParametersTable({ run }: { readonly run: RunView }) {
  const rows = rowsOf(run);
  if (rows.length === 0) return null;
  const changed = rows.filter(({ differs }) => differs);
  const preset = run.head.preset ?? "default";
  return (
    <section aria-labelledby="parameters">
      <h2 id="parameters">Parameters</h2>
      {changed.length === 0 ? <p>All are those of preset {preset}.</p> : (
        <Table
          rows={changed}
          preset={preset}
          caption={`Where they differ from preset ${preset}`}
        />
      )}
      <details>
        <summary>All {rows.length} parameters</summary>
        {groupsOf(rows).map(({ title, rows }) => (
          <Table key={title} rows={rows} preset={preset} caption={title} />
        ))}
      </details>
    </section>
  );
}

function Table({ rows, preset, caption }: {
  readonly rows: readonly Row[];
  readonly preset: string;
  readonly caption: string;
}) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class="parameters">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Parameter</th>
            <th scope="col">Value</th>
            <th scope="col">{preset}</th>
            <th scope="col">What it does</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, values, preset, differs }) => (
            <tr key={name}>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td>{differs ? <strong>{values}</strong> : values}</td>
              <td class="quiet">{preset ?? "–"}</td>
              <td class="help">{helpOf(name)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
