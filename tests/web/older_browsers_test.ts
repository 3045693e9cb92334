/**
 * The page in browsers as old as the first ones with WebGPU: the syntax of what is built, and a
 * current browser without what they lack. With `CHROMIUM` one of those is tested itself.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "acorn";
import { pageParts, reportHtml } from "../../web/report.ts";
import type { Ended, Hello, Reply, Request } from "../../web/worker/protocol.ts";
import { Browser, lacking, PATIENCE_MS } from "../browser/browser.ts";
import { ROOT } from "../cli/mindseye.ts";
import { syntheticRun } from "./synthetic_run.ts";

declare const engine: {
  start(): Promise<Hello>;
  ask(request: Request): Promise<Reply>;
};

const DIST = join(ROOT, "web", "dist");

/** Builds the page, if it is not. */
async function buildPage(): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", "web", "--if-needed"],
    cwd: ROOT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Takes from a page or a worker what came after Chrome 113, as far as it can be taken. */
const WITHOUT = `
  for (const name of [
    "AsyncDisposableStack", "DisposableStack", "Float16Array", "Iterator", "SuppressedError",
  ]) delete globalThis[name];
  for (const [owner, ...names] of [
    [AbortSignal, "any"],
    [Array, "fromAsync"],
    [ArrayBuffer.prototype, "detached", "transfer", "transferToFixedLength"],
    [Blob.prototype, "bytes"],
    [Map, "groupBy"],
    [Object, "groupBy"],
    [Object.getPrototypeOf(Object.getPrototypeOf([].values())), "drop", "every", "filter", "find",
      "flatMap", "forEach", "map", "reduce", "some", "take", "toArray"],
    [Promise, "try", "withResolvers"],
    [ReadableStream.prototype, "values", Symbol.asyncIterator],
    [Response.prototype, "bytes"],
    [Set.prototype, "difference", "intersection", "isDisjointFrom", "isSubsetOf", "isSupersetOf",
      "symmetricDifference", "union"],
    [Uint8Array, "fromBase64", "fromHex"],
    [Uint8Array.prototype, "setFromBase64", "setFromHex", "toBase64", "toHex"],
  ]) for (const name of names) delete owner[name];
  // An adapter was asked who it is.
  if (globalThis.GPUAdapter && "info" in GPUAdapter.prototype) {
    const { get } = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, "info");
    delete GPUAdapter.prototype.info;
    GPUAdapter.prototype.requestAdapterInfo = async function () { return get.call(this); };
  }
`;

Deno.test("what is built has no syntax younger than the oldest browsers", async () => {
  await buildPage();
  const scripts = [...Deno.readDirSync(DIST)].map(({ name }) => name)
    .filter((name) => name.endsWith(".js"));
  assert.ok(scripts.length >= 4, scripts.join());
  for (const name of scripts) {
    const sourceType = name === "sw.js" ? "script" : "module";
    parse(Deno.readTextFileSync(join(DIST, name)), { ecmaVersion: 2022, sourceType });
  }
  assert.throws(() => parse("{ using a = b; }", { ecmaVersion: 2022, sourceType: "module" }));
});

Deno.test({
  name: "a browser without what is younger shows a report and grows pictures",
  ignore: lacking("the page in an older browser", []),
  async fn(t) {
    await buildPage();
    const report = reportHtml(await pageParts(), "report", [
      await syntheticRun({ facets: 2, photos: 6, iterations: 4 }),
    ]);
    const html = { "content-type": "text/html" };
    const javascript = { "content-type": "text/javascript" };
    await using browser = await Browser.open((path) => {
      const name = path.slice(1);
      if (name === "report.html") return new Response(report, { headers: html });
      if (name === "bare.html") {
        return new Response(`<script src="bare_page.js"></script>`, { headers: html });
      }
      if (name === "bare_page.js") {
        const text = Deno.readTextFileSync(join(import.meta.dirname!, name));
        return new Response(text, { headers: javascript });
      }
      try {
        const file = Deno.readFileSync(join(DIST, name || "index.html"));
        if (name === "worker.js") {
          return new Response(WITHOUT + new TextDecoder().decode(file), { headers: javascript });
        }
        return new Response(file, { headers: name.endsWith(".js") ? javascript : html });
      } catch {
        return new Response(null, { status: 404 });
      }
    });
    const { tab, origin } = browser;
    const wrong: string[] = [];
    tab.on("pageerror", ({ message }) => wrong.push(message));
    await tab.addInitScript(WITHOUT);

    await t.step("a report", async () => {
      await tab.goto(`${origin}report.html`, { timeout: PATIENCE_MS });
      await tab.waitForSelector("#page[data-ready]", { timeout: PATIENCE_MS });
      assert.equal(await tab.locator(".card").count(), 2);
      assert.deepEqual(wrong, []);
    });

    await t.step("a channel, after two iterations", async () => {
      await tab.goto(`${origin}bare.html`);
      const hello = await tab.evaluate(() => engine.start());
      assert.equal(hello.kind, "hello", JSON.stringify(hello));
      // The worker was without, and has got it.
      assert.equal(await tab.evaluate(() => "DisposableStack" in globalThis), false);
      const ended = await tab.evaluate(async () => {
        await engine.ask({ kind: "open", network: { kind: "builtin" } });
        const parameters = { iterations: 2 };
        const run = { wishes: { channels: "3" }, layer: "features.0", size: 32, parameters };
        return await engine.ask({ kind: "run", run });
      });
      assert.equal(ended.kind, "ended", JSON.stringify(ended));
      assert.equal((ended as Ended).pictures.length, 1);
      assert.deepEqual(wrong, []);
    });
  },
});
