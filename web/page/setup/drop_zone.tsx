/// <reference lib="dom" />
/** A part of the page on which files may be dropped. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type Dropped, droppedFiles } from "./files.ts";

/** What files are dropped on. */
export function DropZone({ take, title, children }: {
  readonly take: (files: Dropped) => void;
  readonly title: string;
  readonly children: ComponentChildren;
}) {
  const [over, setOver] = useState(false);
  return (
    <fieldset
      class={over ? "zone over" : "zone"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={async (event) => {
        event.preventDefault();
        setOver(false);
        const dropped = await droppedFiles(event.dataTransfer!);
        if (dropped.files.length > 0) take(dropped);
      }}
    >
      <legend>{title}</legend>
      {children}
    </fieldset>
  );
}
