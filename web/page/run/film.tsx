/// <reference lib="dom" />
/** The film of a run: which of its iterations the pictures are shown after. */
import { useEffect, useState } from "preact/hooks";
import type { Frame, PictureView, RunView } from "../../state/run_view.ts";
import { useId, usePrinting } from "../hooks.ts";

/** Milliseconds that a frame is shown. */
const FRAME_MS = 220;

/** The iterations that there are pictures of. */
export function iterationsOf(run: RunView): number[] {
  const frames = run.pictures.flatMap((
    { frames, final },
  ) => [...frames, ...(final ? [final] : [])]);
  return [...new Set(frames.map(({ iteration }) => iteration))].toSorted((a, b) => a - b);
}

/** A picture as it was after an iteration; as it is now where none is said. */
export function frameAt(picture: PictureView, iteration: number | undefined): string | undefined {
  const { frames, final } = picture;
  const all: readonly Frame[] = final ? [...frames, final] : frames;
  if (iteration === undefined) return all.at(-1)?.image;
  return (all.findLast((frame) => frame.iteration <= iteration) ?? all[0])?.image;
}

/** The controls. Where nothing is chosen, the last frame is shown, and the next one when it comes. */
export function Film({ iterations, at, show }: {
  readonly iterations: readonly number[];
  readonly at: number | undefined;
  readonly show: (iteration: number | undefined) => void;
}) {
  const [playing, setPlaying] = useState(false);
  const id = useId();
  const last = iterations.length - 1;
  const now = at === undefined ? last : iterations.findLastIndex((i) => i <= at);
  const go = (to: number) => show(to >= last ? undefined : iterations[to]);
  usePrinting(() => {
    setPlaying(false);
    show(undefined);
  });
  useEffect(() => {
    if (!playing) return;
    const timer = setTimeout(() => {
      if (now + 1 >= last) setPlaying(false);
      go(now + 1);
    }, FRAME_MS);
    return () => clearTimeout(timer);
  }, [playing, now, last]);
  if (last < 1) return null;
  const toggle = () => {
    if (!playing && now >= last) go(0);
    setPlaying(!playing);
  };
  return (
    <div class="film">
      <button type="button" onClick={toggle} aria-pressed={playing}>
        {playing ? "Pause" : "Play"}
      </button>
      <label for={id}>Film</label>
      <input
        id={id}
        type="range"
        min="0"
        max={last}
        value={now}
        aria-valuetext={`iteration ${iterations[now]} of ${iterations[last]}`}
        onInput={(event) => {
          setPlaying(false);
          go(Number(event.currentTarget.value));
        }}
      />
      <output for={id}>
        iteration {iterations[now]} of {iterations[last]}
      </output>
    </div>
  );
}
