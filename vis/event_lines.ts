/** A run's events as lines of JSON: what a program that listens reads, and what a run's journal holds. */
import type { RunEvent } from "./events.ts";
import { planeOf } from "./facets/facets.ts";

/** The form of the lines: docs/events.md. It changes when what was there changes its meaning or goes. */
export const EVENTS_FORMAT = 1;

/** Places in the plane, to five digits: more than any eye or screen has. */
function pairs(values: Float64Array): number[][] {
  const short = (value: number) => Number(value.toPrecision(5));
  return Array.from(
    { length: values.length / 2 },
    (_, i) => [short(values[2 * i]!), short(values[2 * i + 1]!)],
  );
}

function plainOf(event: RunEvent): unknown {
  switch (event.kind) {
    case "facets": {
      const { kind, facets, targets, analysis: { candidates, judgement } } = event;
      const plane = planeOf(facets);
      return {
        kind,
        labels: [...facets.labels],
        sizes: [...facets.sizes],
        embedding: pairs(plane.embedding),
        centres: pairs(plane.centres),
        targets: targets.map(({ indices, weights, channels }) => ({
          images: indices,
          weights,
          channels: [...channels],
        })),
        candidates,
        judgement,
      };
    }
    case "pictures": {
      const { pictures, ...others } = event;
      return { ...others, count: pictures.length / (3 * event.size ** 2) };
    }
    case "state": {
      const { kind, first, state: { octave, snapshot } } = event;
      return { kind, first, octave, iteration: snapshot.iteration };
    }
    case "batch":
    case "finished": {
      const { kind } = event;
      const first = event.kind === "batch" ? event.first : undefined;
      // Of what looks for facets there is more, which the event `facets` has told.
      const { names, size, iterations, aborted, stopped, before, after, seconds } = event.grown;
      return {
        kind,
        first,
        grown: { names, size, iterations, aborted, stopped, before, after, seconds },
      };
    }
    default:
      return event;
  }
}

/**
 * An event as a line of JSON. Pictures and what is as large are left out; numbers that JSON has no
 * word for are the texts `NaN`, `Infinity` and `-Infinity`.
 *
 * @param more what the line says besides
 */
export function eventLine(event: RunEvent, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify(
    { ...plainOf(event) as object, ...more },
    (_, value) => typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  ) + "\n";
}
