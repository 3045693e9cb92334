/// <reference lib="dom" />
/** Runs whose lines are in the page itself. */
import { RunView } from "../../state/run_view.ts";
import type { Feed } from "./feed.ts";

/** A feed of them, one for each `<script class="run">`. */
export function reportFeed(elements: readonly Element[]): Feed {
  const runs = elements.map((element) => {
    const run = new RunView();
    run.takeText(element.textContent ?? "");
    // What ended without a word was ended by others.
    if (run.version > 0) run.end();
    // They are long, and nobody needs them twice.
    element.remove();
    return run;
  });
  return { runs, subscribe() {} };
}
