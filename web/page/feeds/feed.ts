/** Where a page's runs come from. */
import type { RunView } from "../../state/run_view.ts";

/** A source of lines, and what they have come to so far. */
export interface Feed {
  /** The runs, those that are only announced too. */
  readonly runs: readonly RunView[];
  /** What is wrong between the page and the source, for people. */
  readonly trouble?: string | undefined;
  /** Asks to be called when something has changed. */
  subscribe(changed: () => void): void;
  /** Ends a run that goes on; what there is of it is kept. */
  stop?: ((run: RunView) => Promise<void>) | undefined;
}
