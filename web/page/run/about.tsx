/// <reference lib="dom" />
/** How a run was made: its command, where, how long, and what a person should know. */
import { useState } from "preact/hooks";
import type { RunView } from "../../state/run_view.ts";
import { count, duration } from "../words.ts";

/** All that. */
export function About({ run }: { readonly run: RunView }) {
  const { head, seconds, notes } = run;
  const { adapter, versions, skipped = [] } = head;
  const rows: [string, string | undefined][] = [
    ["Network", [head.model, head.weights && `weights ${head.weights}`].filter(Boolean).join(", ")],
    ["Layer", [head.layer ?? []].flat().join(", ")],
    ["Size", head.size ? `${head.size} pixels` : undefined],
    ["Starts from", head.init],
    ["Seed", head.seed?.toString()],
    ["GPU", adapter?.name && adapter.name + (adapter.software ? " (software, not a GPU)" : "")],
    [
      "Time",
      seconds &&
      `${duration(seconds.loop)} for the iterations, ${duration(seconds.compile)} to prepare them`,
    ],
    ["mindseye", head.version],
    ["Runs on", versions && Object.entries(versions).map((each) => each.join(" ")).join(", ")],
  ];
  return (
    <section aria-labelledby="about">
      <h2 id="about">How it was made</h2>
      {head.command && <Command text={head.command} />}
      <dl class="about">
        {rows.filter(([, value]) => value).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {notes.size > 0 && (
        <>
          <h3>Notes</h3>
          <ul>{[...notes].map((text) => <li key={text}>{text}</li>)}</ul>
        </>
      )}
      {skipped.length > 0 && (
        <details open={skipped.length <= 5}>
          <summary>{count(skipped.length, "file was", "files were")} skipped</summary>
          <ul>
            {skipped.map(({ file, reason }) => (
              <li key={file}>
                <bdi>{file}</bdi>: {reason}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

/** A command, to be copied. */
function Command({ text }: { readonly text: string }) {
  const [said, say] = useState("");
  const copy = async () => {
    say(await copied(text) ? "Copied" : "It could not be copied; select it instead");
    setTimeout(() => say(""), 4000);
  };
  return (
    <div class="command">
      <code tabIndex={0} role="region" aria-label="The command">{text}</code>
      <button type="button" onClick={copy}>Copy the command</button>
      <span role="status">{said}</span>
    </div>
  );
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not every browser lends its clipboard to a page from a disk.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    try {
      return document.execCommand("copy");
    } finally {
      area.remove();
    }
  }
}
