/// <reference lib="dom" />
/** How far a run is. */
import { useRef, useState } from "preact/hooks";
import type { RunView } from "../../state/run_view.ts";
import { TimeLeft } from "../time_left.ts";
import { duration, percent, statusOf } from "../words.ts";

/** How far it is; nothing of a run that is over. */
export function Progress({ run, stop }: {
  readonly run: RunView;
  /** Ends it and keeps what there is. */
  readonly stop?: (() => Promise<void>) | undefined;
}) {
  const watch = useRef<TimeLeft>();
  const [stopping, setStopping] = useState<"no" | "asked" | string>("no");
  if (run.status === "finished") return null;
  if (run.status === "ended") return <p class="warning">{statusOf(run)}.</p>;
  const { progress, status } = run;
  watch.current ??= new TimeLeft();
  const left = progress === undefined
    ? undefined
    : watch.current.watch(statusOf(run), progress, performance.now() / 1000);
  const ask = async () => {
    setStopping("asked");
    try {
      await stop!();
    } catch (error) {
      setStopping((error as Error).message);
    }
  };
  return (
    <div class="progress">
      {progress === undefined
        ? <progress aria-label={statusOf(run)} />
        : <progress value={progress} aria-label={statusOf(run)} />}
      <p>
        {statusOf(run)}
        {progress !== undefined && <>: {percent(progress)}</>}
        {status === "growing" && run.total !== undefined &&
          <span class="quiet">, iteration {run.iteration} of {run.total}</span>}
        {left !== undefined && <span class="quiet">, {duration(left)} left</span>}
      </p>
      {/* Not every step is read aloud, only every tenth of the way. */}
      <p class="hidden" role="status">
        {statusOf(run)}
        {progress !== undefined && `: ${10 * Math.floor(10 * progress)} %`}
      </p>
      {stop && (
        <button type="button" disabled={stopping === "asked"} onClick={ask}>
          {stopping === "asked" ? "Stopping after this iteration" : "Stop and keep"}
        </button>
      )}
      {stopping !== "no" && stopping !== "asked" && <p role="alert" class="warning">{stopping}</p>}
    </div>
  );
}
