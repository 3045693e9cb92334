/// <reference lib="dom" />
/** What came of a run in this tab, as files. */
import type { Ended } from "../../worker/protocol.ts";
import { download } from "../drawings/save.ts";
import { count } from "../words.ts";

/** Milliseconds between files: a browser takes many at once for a mistake. */
const PAUSE = 300;

/** Buttons for them. */
export function Downloads({ ended: { pictures, manifest } }: { readonly ended: Ended }) {
  const all = async () => {
    for (const { path, png } of pictures) {
      download(path.replaceAll("/", "_"), png);
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  };
  return (
    <p class="row">
      <button type="button" onClick={all}>Download {count(pictures.length, "picture")}</button>
      {manifest !== undefined && (
        <button
          type="button"
          onClick={() =>
            download("manifest.json", new Blob([manifest], { type: "application/json" }))}
        >
          Download manifest.json
        </button>
      )}
      <span class="quiet">
        The manifest is a config of the command line, which makes the same pictures from it.
      </span>
    </p>
  );
}
