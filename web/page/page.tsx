/// <reference lib="dom" />
/** The page: its title, runs side by side where they are several, and all of one. */
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Feed } from "./feeds/feed.ts";
import { usePrinting } from "./hooks.ts";
import { Compare } from "./run/compare.tsx";
import { Run } from "./run/run.tsx";
import { statusOf, subjectOf } from "./words.ts";

/** Draws anew when the feed has something new, at most once a frame. */
function useFeed(feed: Feed): void {
  const [, redraw] = useState(0);
  const asked = useRef(false);
  useEffect(() => {
    const changed = () => {
      if (asked.current) return;
      asked.current = true;
      // A page that nobody sees gets no frames, but should know how far it is when it is seen.
      const wait = document.hidden ? (f: () => void) => setTimeout(f, 500) : requestAnimationFrame;
      wait(() => {
        asked.current = false;
        redraw((n) => n + 1);
      });
    };
    feed.subscribe(changed);
    // It may have heard something before anyone listened.
    changed();
  }, [feed]);
}

/** Opens what is folded up while the page is printed. */
function useOpenDetails(): void {
  const opened = useRef<HTMLDetailsElement[]>([]);
  usePrinting(() => {
    // All photos of a facet are more than a printer should be given unasked.
    opened.current = [
      ...document.querySelectorAll<HTMLDetailsElement>("details:not([open]):not(.all)"),
    ];
    for (const details of opened.current) details.open = true;
  }, () => {
    for (const details of opened.current) details.open = false;
  });
}

/** The page. */
export function Page({ feed, above }: {
  readonly feed: Feed;
  /** What stands above the runs. */
  readonly above?: () => VNode;
}) {
  useFeed(feed);
  useOpenDetails();
  const [chosen, choose] = useState(0);
  const { runs, trouble } = feed;
  const run = runs[Math.min(chosen, runs.length - 1)];
  const several = runs.length > 1;
  const title = several ? runs.map(({ head }) => head.title).join(", ") : run?.head.title;
  const going = runs.filter((each) => each.running && each.version > 0);
  useEffect(() => {
    if (title) document.title = going.length > 0 ? `… ${title}` : title;
  }, [title, going.length]);
  return (
    <>
      <a class="skip" href="#content">Skip to the pictures</a>
      <header class="top">
        <p class="name">mindseye</p>
        <h1>
          <bdi>{several ? "Runs side by side" : title || "What does a layer see?"}</bdi>
        </h1>
        {!several && run && run.version > 0 && (
          <p class="quiet">{subjectOf(run)} · {statusOf(run)}</p>
        )}
        {trouble && <p role="alert" class="warning">{trouble}</p>}
      </header>
      <main id="content" tabIndex={-1}>
        {above?.()}
        {several && <Compare runs={runs} chosen={chosen} choose={choose} />}
        {several && run && (
          <h2 class="which">
            <bdi>{run.head.title}</bdi>
          </h2>
        )}
        {run && run.version > 0 && (
          <Run
            key={chosen}
            run={run}
            stop={feed.stop && (() => feed.stop!(run))}
          />
        )}
      </main>
    </>
  );
}
