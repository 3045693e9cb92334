/// <reference lib="dom" />
/** The page: a report, a run as it goes on, or the program itself, by what it is fed with. */
import { render } from "preact";
import { RunView } from "../state/run_view.ts";

const runs = [...document.querySelectorAll("script.run")].map((element) => {
  const run = new RunView();
  run.takeText(element.textContent ?? "");
  return run;
});
render(<h1>{runs[0]?.head.title}</h1>, document.querySelector("#page")!);
