/// <reference lib="dom" />
/** Saves a drawing as a file. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { FILE, type Ink } from "../colours.ts";
import { save } from "../drawings/save.ts";

/** A button for each kind of file. */
export function SaveButtons({ what, title, draw }: {
  /** What it is, for people. */
  readonly what: string;
  /** What the file is called. */
  readonly title: string;
  readonly draw: (ink: Ink) => VNode;
}) {
  const [trouble, setTrouble] = useState("");
  const start = async (format: "svg" | "png") => {
    try {
      setTrouble("");
      await save(draw(FILE), title, format);
    } catch (error) {
      setTrouble((error as Error).message);
    }
  };
  return (
    <span class="save">
      {(["svg", "png"] as const).map((format) => (
        <button
          key={format}
          type="button"
          class="small"
          aria-label={`Save ${format.toUpperCase()} of the ${what}`}
          onClick={() => start(format)}
        >
          Save {format.toUpperCase()}
        </button>
      ))}
      {trouble && <span role="alert" class="warning">{trouble}</span>}
    </span>
  );
}
