/// <reference lib="dom" />
/** The page: a report, a run as it goes on, or the program itself, by what it is fed with. */
import { render } from "preact";
import type { Feed } from "./feeds/feed.ts";
import { LiveFeed } from "./feeds/live.ts";
import { reportFeed } from "./feeds/report.ts";
import { Page } from "./page.tsx";

function feedOf(): Feed {
  const records = [...document.querySelectorAll("script.run")];
  if (records.length > 0) return reportFeed(records);
  return new LiveFeed();
}

const place = document.querySelector<HTMLElement>("#page")!;
render(<Page feed={feedOf()} />, place);
// What reads the page knows by this that all is there.
place.dataset.ready = "";
performance.mark("ready");
