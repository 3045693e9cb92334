/// <reference lib="dom" />
/** The page in Chromium: reports opened from disk, and a run that goes on. */
import axe from "axe-core";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import type { Page as Tab } from "playwright-core";
import { decodePng } from "../../vis/photos/png.ts";
import { RECORD } from "../../vis/report/record_file.ts";
import { type PageParts, pageParts, reportHtml } from "../../web/report.ts";
import { serveTab } from "../../web/static.ts";
import { type RunServer, type ServeOptions, serveRuns } from "../../web/server.ts";
import { Browser, lacking, PATIENCE_MS } from "../browser/browser.ts";
import { HOSTILE, manyChannels, syntheticRun } from "./synthetic_run.ts";

/** Builds the page, if it is not. */
async function build(): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      join(import.meta.dirname!, "../../scripts/web.ts"),
      "--if-needed",
    ],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** A tab that keeps what goes wrong in it. */
interface Watched {
  readonly tab: Tab;
  readonly wrong: string[];
}

async function open(browser: Browser, address: string): Promise<Watched> {
  const tab = await browser.newTab();
  const wrong: string[] = [];
  tab.on("console", (message) => wrong.push(`console: ${message.text()}`));
  tab.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  tab.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  tab.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !/^(data|blob):/.test(url)) wrong.push(`request: ${url}`);
  });
  await tab.goto(address, { timeout: PATIENCE_MS });
  await tab.waitForSelector("#page[data-ready]", { timeout: PATIENCE_MS });
  return { tab, wrong };
}

/** What axe finds that is serious, in the colours of day and night; of what is alike, it sees some. */
async function serious(tab: Tab, part = "body"): Promise<string[]> {
  const found: string[] = [];
  await tab.evaluate(axe.source);
  for (const [colorScheme, rules] of [["light", []], ["dark", ["color-contrast"]]] as const) {
    await tab.emulateMedia({ colorScheme });
    const violations = await tab.evaluate(async ([part, rules]) => {
      const { axe: found } = globalThis as unknown as { axe: typeof axe };
      const { violations } = await found.run(
        {
          include: [[part]],
          exclude: [["svg *"], [".card:nth-child(n+3)"], [".tiles li:nth-child(n+3)"]],
        },
        {
          resultTypes: ["violations"],
          ...(rules.length > 0 ? { runOnly: { type: "rule" as const, values: [...rules] } } : {}),
        },
      );
      return violations.map(({ id, impact, nodes }) => ({
        id,
        impact,
        html: nodes.map(({ html }) => html).slice(0, 3),
      }));
    }, [part, [...rules]] as const);
    for (const { id, impact, html } of violations) {
      if (impact !== "serious" && impact !== "critical") continue;
      found.push(`${colorScheme}: ${id}: ${html.join("\n")}`);
    }
  }
  await tab.emulateMedia({ colorScheme: "light" });
  return found;
}

/** The pictures that did not load. */
const broken = (tab: Tab) =>
  tab.evaluate(async () => {
    const images = [...document.images];
    await Promise.allSettled(images.map((image) => image.decode()));
    return images.filter(({ naturalWidth }) => naturalWidth === 0).map(({ alt }) => alt);
  });

/** A file that the page gives when a button is pressed. */
async function saved(tab: Tab, name: string): Promise<{ name: string; bytes: Uint8Array }> {
  const [download] = await Promise.all([
    tab.waitForEvent("download"),
    tab.getByRole("button", { name }).click(),
  ]);
  return {
    name: download.suggestedFilename(),
    bytes: await Deno.readFile(await download.path()),
  };
}

Deno.test({
  name: "the page in a browser",
  ignore: lacking("the page in a browser", []),
  async fn(t) {
    await build();
    const parts = await pageParts();
    const folder = await Deno.makeTempDir({ prefix: "mindseye-page-" });
    const write = (name: string, ...records: string[]) => {
      const path = join(folder, name);
      Deno.writeTextFileSync(path, reportHtml(parts, name, records));
      return `file://${path}`;
    };
    const browser = await Browser.open(() => new Response(null, { status: 404 }), {
      reducedMotion: "reduce",
      viewport: { width: 1280, height: 900 },
    });
    try {
      const title = "drawings · рисунки · 絵";
      const one = write("one.html", await syntheticRun({ facets: 10, photos: 500, title }));
      await oneRun(t, browser, one);
      const small = { photos: 24, iterations: 20 };
      const runs = await Promise.all(
        [2, 3, 2, 4, 2, 3].map((facets, seed) =>
          syntheticRun({ ...small, facets, seed, title: `run ${seed}` })
        ),
      );
      await liveRun(t, browser, parts, join(folder, "run"));
      await setUp(t, browser);
      await severalRuns(t, browser, write("several.html", ...runs));
      await many(t, browser, write("many.html", await manyChannels(512, 512)));
    } finally {
      await browser[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function oneRun(t: Deno.TestContext, browser: Browser, path: string): Promise<void> {
  const { tab, wrong } = await open(browser, path);
  const ready = await tab.evaluate(() => performance.getEntriesByName("ready")[0]!.startTime);
  // deno-lint-ignore no-console
  console.log(`ready after ${Math.round(ready)} ms (10 facets, 500 photos)`);

  await t.step("it has a card for each facet, its photos beside it", async () => {
    assert.equal(await tab.locator(".card").count(), 10);
    const first = tab.locator(".card").first();
    assert.equal(await first.locator(".photos img").count(), 10);
    assert.deepEqual(await broken(tab), []);
    assert.match(await tab.locator("h1").innerText(), /рисунки/);
    assert.match(await tab.locator("#verdict").innerText(), /10 clear facets/);
  });

  await t.step("names are names", async () => {
    assert.ok(await tab.getByAltText(HOSTILE, { exact: true }).count() > 0);
    assert.match(await tab.locator("main").innerText(), /onerror=alert\(1\)>\.jpg\.txt: it is no/);
    assert.equal(await tab.locator("img[src=x]").count(), 0);
  });

  await t.step("it can be walked by the keys, and seen where one is", async () => {
    await tab.keyboard.press("Tab");
    assert.equal(await tab.evaluate(() => document.activeElement!.className), "skip");
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) {
      await tab.keyboard.press("Tab");
      const outline = await tab.evaluate(() => {
        const { tagName, className } = document.activeElement!;
        const { outlineStyle } = getComputedStyle(document.activeElement!);
        return [`${tagName}.${className}`, outlineStyle];
      });
      assert.notEqual(outline[1], "none", outline[0]);
      seen.add(outline[0]!);
    }
    assert.ok(seen.has("DIV.plane") && seen.has("INPUT.") && seen.has("SELECT."), [...seen].join());
  });

  await t.step("a facet's other photos are there when they are asked for", async () => {
    const first = tab.locator(".card").first();
    assert.equal(await first.locator(".wall img").count(), 0);
    await first.getByText("All 50 photos").click();
    await first.locator(".wall img").nth(49).waitFor();
    await first.getByText("All 50 photos").click();
  });

  await t.step("the film goes to any iteration, and plays", async () => {
    const slider = tab.getByLabel("Film");
    const picture = tab.locator(".card .picture img").first();
    const last = await picture.getAttribute("src");
    await slider.focus();
    await tab.keyboard.press("Home");
    assert.match(await tab.locator(".film output").innerText(), /iteration 0 of 60/);
    const first = await picture.getAttribute("src");
    assert.notEqual(first, last);
    await tab.keyboard.press("ArrowRight");
    assert.match(await tab.locator(".film output").innerText(), /iteration 10 of 60/);
    await tab.getByRole("button", { name: "Play" }).click();
    await tab.getByRole("button", { name: "Pause" }).waitFor();
    await tab.getByRole("button", { name: "Play" }).waitFor();
    assert.equal(await picture.getAttribute("src"), last);
  });

  await t.step("the map is enlarged by button, wheel and key", async () => {
    const plane = tab.getByRole("application", { name: "Map" });
    const scale = async () => {
      const transform = await plane.locator("svg > g").first().getAttribute("transform");
      return Number(/scale\((.*)\)/.exec(transform!)![1]);
    };
    await plane.scrollIntoViewIfNeeded();
    await tab.getByRole("button", { name: "Enlarge the map" }).click();
    assert.ok(Math.abs(await scale() - 1.6) < 1e-6);
    await tab.getByRole("button", { name: "Whole map" }).click();
    assert.equal(await scale(), 1);
    await plane.focus();
    await plane.hover({ position: { x: 200, y: 200 } });
    await tab.mouse.wheel(0, -300);
    await tab.waitForFunction(() => document.querySelector(".plane.enlarged"));
    assert.ok(await scale() > 1.2);
    await tab.keyboard.press("0");
    assert.equal(await scale(), 1);
    await tab.keyboard.press("+");
    assert.ok(await scale() > 1);
    await tab.keyboard.press("0");
  });

  await t.step("the map shows a photo under the pointer and for the keys", async () => {
    const plane = tab.getByRole("application", { name: "Map" });
    const peek = tab.locator(".peek");
    await plane.focus();
    await tab.keyboard.press("ArrowRight");
    const name = await peek.locator("img").getAttribute("alt");
    assert.ok(name);
    await tab.keyboard.press("ArrowRight");
    assert.notEqual(await peek.locator("img").getAttribute("alt"), name);
    assert.match(await tab.locator(".sheet [role=status]").innerText(), /facet \d+/);
    await tab.keyboard.press("Enter");
    assert.equal(await tab.locator(".legend li button[aria-pressed=true]").count(), 1);
    await tab.keyboard.press("Escape");
    assert.equal(await tab.locator(".legend li button[aria-pressed=true]").count(), 0);
    assert.equal(await peek.count(), 0);
    const image = await plane.locator("svg image").first().boundingBox();
    await tab.mouse.move(image!.x + image!.width / 2, image!.y + image!.height / 2);
    await peek.waitFor();
    await tab.mouse.down();
    await tab.mouse.up();
    assert.equal(await tab.locator(".legend li button[aria-pressed=true]").count(), 1);
    await tab.mouse.move(0, 0);
    assert.equal(await peek.count(), 0);
    await tab.locator(".legend li button").nth(3).click();
    assert.equal(
      await tab.locator(".card button[aria-pressed=true]").evaluate((button) =>
        button.closest("article")!.getAttribute("aria-label")
      ),
      "facet 4",
    );
    await tab.getByRole("button", { name: "Show all facets" }).click();
  });

  await t.step("curves of any metric are read by the keys", async () => {
    await tab.getByLabel("Metric").selectOption({ label: "Own activation" });
    const at = tab.getByLabel(/^after iteration/);
    await at.focus();
    await tab.keyboard.press("Home");
    assert.match((await at.getAttribute("aria-valuetext"))!, /^iteration 1: facet 1 0\.313/);
    assert.match(await tab.locator(".readout td").first().innerText(), /0\.313/);
    assert.equal(await tab.locator(".chart path").count(), 10);
  });

  await t.step("parameters that differ from the preset", async () => {
    const names = await tab.locator("#parameters ~ .scroll tbody th").allInnerTexts();
    assert.deepEqual(names, ["start_lr"]);
  });

  await t.step("the command is copied", async () => {
    await tab.getByRole("button", { name: "Copy the command" }).click();
    await tab.getByText("Copied", { exact: true }).waitFor();
    const search = tab.locator("body");
    await search.evaluate((body) => {
      const area = document.createElement("textarea");
      area.id = "pasted";
      body.append(area);
      area.focus();
    });
    await tab.keyboard.press("ControlOrMeta+v");
    assert.equal(
      await tab.locator("#pasted").inputValue(),
      `mindseye visualize "drawn photos" --facets 10`,
    );
    await tab.locator("#pasted").evaluate((area) => area.remove());
  });

  await t.step("drawings are saved as SVG and PNG", async () => {
    for (const what of ["contact sheet", "map", "curves"]) {
      const { name, bytes } = await saved(tab, `Save SVG of the ${what}`);
      assert.match(name, /^drawings_рисунки_絵.*\.svg$/);
      const text = new TextDecoder().decode(bytes);
      assert.match(text, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
      assert.ok(text.includes("рисунки") && !text.includes("var(") && !text.includes("style="));
    }
    const { bytes } = await saved(tab, "Save PNG of the map");
    const { width, height, rgba } = await decodePng(bytes);
    assert.deepEqual([width, height], [2360, 1712]);
    // It has the photos in it: more colours than inks and their edges.
    const colours = new Set<number>();
    for (let at = 0; at < rgba.length; at += 4 * 97) {
      colours.add(rgba[at]! << 16 | rgba[at + 1]! << 8 | rgba[at + 2]!);
    }
    assert.ok(colours.size > 1000, `${colours.size} colours`);
  });

  await t.step("on paper everything is opened, and the film at its end", async () => {
    await tab.getByLabel("Film").focus();
    await tab.keyboard.press("Home");
    const opened = () =>
      tab.evaluate(() =>
        [...document.querySelectorAll<HTMLDetailsElement>("details:not(.all)")]
          .map(({ open }) => open)
      );
    const before = await opened();
    assert.ok(before.includes(false));
    await tab.evaluate(() => dispatchEvent(new Event("beforeprint")));
    assert.ok((await opened()).every((open) => open));
    assert.match(await tab.locator(".film output").innerText(), /iteration 60 of 60/);
    await tab.evaluate(() => dispatchEvent(new Event("afterprint")));
    assert.deepEqual(await opened(), before);
  });

  await t.step("axe finds nothing serious", async () => assert.deepEqual(await serious(tab), []));

  await t.step("nothing is wider than a small screen", async () => {
    await tab.setViewportSize({ width: 400, height: 800 });
    await tab.waitForFunction(() => document.documentElement.scrollWidth === 400);
  });
  assert.deepEqual(wrong, []);
  await tab.close();
}

async function liveRun(
  t: Deno.TestContext,
  browser: Browser,
  page: PageParts,
  folder: string,
): Promise<void> {
  await t.step("a run is followed while it goes on, and asked to stop", async () => {
    const lines = (await syntheticRun({ facets: 2, photos: 12, iterations: 40 })).split(/(?<=\n)/);
    const record = join(folder, RECORD);
    const begun = lines.findIndex((line) => line.includes('"iteration":20,"size"'));
    await Deno.mkdir(folder);
    await using server = serving({ page, title: "a run", folders: () => [folder] });
    await Deno.writeTextFile(record, lines[0]!);
    const { tab, wrong } = await open(browser, server.address);
    await tab.getByText("Waiting for the run to begin").first().waitFor();
    await Deno.writeTextFile(record, lines.slice(1, begun + 1).join(""), { append: true });
    await tab.getByText("Growing the pictures: 50").first().waitFor();
    assert.equal(await tab.locator(".card").count(), 2);
    const picture = tab.locator(".card .picture img").first();
    const half = await picture.getAttribute("src");
    // Nobody is at work on it.
    await tab.getByRole("button", { name: "Stop and keep" }).click();
    await tab.getByRole("alert").getByText("No process is at work on this run.").waitFor();
    assert.equal(wrong.splice(0).filter((text) => !text.includes("409")).length, 0);
    await Deno.writeTextFile(record, lines.slice(begun + 1).join(""), { append: true });
    await tab.getByText("Finished").waitFor();
    assert.notEqual(await picture.getAttribute("src"), half);
    assert.equal(await tab.locator(".progress").count(), 0);
    assert.equal(await tab.locator(".chart path").count(), 2);
    assert.deepEqual(wrong, []);
    await tab.close();
  });
}

async function setUp(t: Deno.TestContext, browser: Browser): Promise<void> {
  await t.step("in a tab a run is set up, and what is wrong with it is said", async () => {
    const ending = new AbortController();
    const { tab, wrong } = await open(browser, await serveTab(0, ending.signal));
    try {
      await tab.getByText(/^motifs: [\d,]+ parameters/).waitFor({ timeout: PATIENCE_MS });
      assert.equal(await tab.getByLabel("Layer").inputValue(), "features.20");
      assert.equal(await tab.getByLabel("Iterations").getAttribute("placeholder"), "60");
      await tab.getByLabel("Preset").selectOption("soft");
      assert.equal(await tab.getByLabel("Iterations").getAttribute("placeholder"), "200");
      await tab.getByLabel("Choose photos").setInputFiles({
        name: HOSTILE,
        mimeType: "image/jpeg",
        buffer: Buffer.from("no picture"),
      });
      assert.ok(await tab.getByText("your own: 1 file of “photos”").isVisible());
      assert.deepEqual(await serious(tab), []);
      await tab.getByText("Other parameters").click();
      await tab.getByLabel("One a line").fill("start_lrr = 0.1");
      await tab.getByRole("button", { name: "Grow the pictures" }).click();
      const alert = tab.getByRole("alert");
      await alert.getByText("start_lrr").waitFor();
      assert.match(await alert.innerText(), /start_lr\b/);
      await tab.getByLabel("One a line").fill("");
      await tab.getByRole("button", { name: "Grow the pictures" }).click();
      await alert.getByText("cannot make 3 facets").waitFor();
      assert.deepEqual(wrong, []);
    } finally {
      await tab.close();
      ending.abort();
    }
  });
}

/** A server of runs that ends with the block. */
function serving(options: Omit<ServeOptions, "port">): RunServer & AsyncDisposable {
  const server = serveRuns({ ...options, port: 0 });
  return { address: server.address, close: server.close, [Symbol.asyncDispose]: server.close };
}

async function severalRuns(t: Deno.TestContext, browser: Browser, path: string): Promise<void> {
  await t.step("six runs are side by side, and one of them is looked at", async () => {
    const { tab, wrong } = await open(browser, path);
    assert.equal(await tab.locator(".compare thead button").count(), 6);
    assert.equal(await tab.locator(".compare tbody img").count(), 16);
    await tab.getByRole("button", { name: "run 3" }).click();
    assert.equal(await tab.locator(".card").count(), 4);
    assert.deepEqual(await serious(tab, ".compare"), []);
    assert.deepEqual(wrong, []);
    await tab.close();
  });
}

async function many(t: Deno.TestContext, browser: Browser, path: string): Promise<void> {
  await t.step("512 channels are a wall, in which one is found and looked at", async () => {
    const { tab, wrong } = await open(browser, path);
    assert.equal(await tab.locator(".tiles li").count(), 512);
    assert.deepEqual(await broken(tab), []);
    await tab.getByLabel("Find").fill("channel 511");
    assert.equal(await tab.locator(".tiles li").count(), 1);
    await tab.getByRole("button", { name: "channel 511" }).click();
    assert.match(await tab.locator("dialog").innerText(), /channel 511/);
    assert.deepEqual(await serious(tab, "dialog"), []);
    await tab.keyboard.press("Escape");
    assert.equal(await tab.locator("dialog[open]").count(), 0);
    assert.deepEqual(wrong, []);
    await tab.close();
  });
}
