/// <reference lib="dom" />
/** The page: a report, a run as it goes on, or the program itself, by what it is fed with. */
import { render } from "preact";
import { LiveFeed } from "./feeds/live.ts";
import { reportFeed } from "./feeds/report.ts";
import { TabFeed } from "./feeds/tab.ts";
import { Page } from "./page.tsx";
import { Panel } from "./setup/panel.tsx";

function page() {
  const records = [...document.querySelectorAll("script.run")];
  if (records.length > 0) return <Page feed={reportFeed(records)} />;
  if (document.querySelector("meta[name=feed][content=live]")) {
    return <Page feed={new LiveFeed()} />;
  }
  // The next visit needs no network.
  navigator.serviceWorker?.register("sw.js").catch(() => {});
  const feed = new TabFeed();
  return <Page feed={feed} above={() => <Panel feed={feed} />} />;
}

const place = document.querySelector<HTMLElement>("#page")!;
render(page(), place);
// What reads the page knows by this that all is there.
place.dataset.ready = "";
performance.mark("ready");
