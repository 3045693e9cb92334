/// <reference lib="dom" />
/** Which photos a run is of. */
import { useState } from "preact/hooks";
import type { PhotosChoice } from "../../worker/protocol.ts";
import { useId } from "../hooks.ts";
import { count } from "../words.ts";
import { DropZone } from "./drop_zone.tsx";
import { chosenFiles, type Dropped } from "./files.ts";

/** The fields. */
export function PhotoFields({ photos, choose }: {
  readonly photos: PhotosChoice | undefined;
  readonly choose: (photos: PhotosChoice | undefined) => void;
}) {
  const id = useId();
  const [own, setOwn] = useState<Dropped | undefined>();
  const take = (dropped: Dropped) => {
    if (dropped.files.length === 0) return;
    setOwn(dropped);
    choose({ kind: "files", ...dropped });
  };
  const kind = photos?.kind ?? "none";
  const radio = (value: string, label: string, pick: () => void, disabled = false) => (
    <label class="choice">
      <input
        type="radio"
        name={`${id}-photos`}
        checked={kind === value}
        disabled={disabled}
        onInput={pick}
      />
      {label}
    </label>
  );
  return (
    <DropZone title="Photos" take={take}>
      {radio("drawings", "120 drawings that come with the program", () =>
        choose({ kind: "drawings" }))}
      {radio(
        "files",
        own ? `your own: ${count(own.files.length, "file")} of “${own.folder}”` : "your own",
        () =>
          own && choose({ kind: "files", ...own }),
        !own,
      )}
      {radio("none", "none: pictures start from noise", () =>
        choose(undefined))}
      <p class="field">
        <label for={`${id}-files`}>Choose photos</label>
        <input
          id={`${id}-files`}
          type="file"
          accept="image/*"
          multiple
          onChange={(event) => take(chosenFiles(event.currentTarget.files))}
        />
      </p>
      <p class="field">
        <label for={`${id}-folder`}>or a folder</label>
        <input
          id={`${id}-folder`}
          type="file"
          multiple
          {...{ webkitdirectory: true }}
          onChange={(event) => take(chosenFiles(event.currentTarget.files))}
        />
      </p>
      <p class="quiet">or drop them here. They stay on this machine.</p>
    </DropZone>
  );
}
