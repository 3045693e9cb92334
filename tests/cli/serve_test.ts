/** Pages of runs, served by the run itself and by another process; and the page in a tab. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { drawPhotos } from "../draw_photos.ts";
import { eventsUntil, linesOf, sentEvents } from "../web/sent_events.ts";
import { mindseye } from "./mindseye.ts";
import { exists, inFolder } from "./run_files.ts";
import { ADDRESS, Watched } from "./watched.ts";

Deno.test("a run is seen, stopped and kept from a page, its own or that of another process", async () => {
  await inFolder(async (folder) => {
    const images = join(folder, "drawings");
    await drawPhotos(images, { count: 8, size: 32 });
    const run = join(folder, "runs", "run");
    Deno.mkdirSync(join(folder, "runs"));
    const other = new Watched(["serve", join(folder, "runs")]);
    const working = new Watched([
      ...["visualize", images, "--model", "motifs", "--layer", "features.12", "--size", "32"],
      ...["--facets", "2", "--iterations", "5000", "--no-tune", "--serve", "--out", run],
    ]);
    try {
      const addresses = [await working.says(ADDRESS), await other.says(ADDRESS)] as const;
      const own = eventsUntil(sentEvents(`${addresses[0]}events`), ({ event }) => event === "end");
      const grows = Promise.withResolvers<void>();
      const others = eventsUntil(sentEvents(`${addresses[1]}events`), ({ data }) => {
        if (data.startsWith('0 {"kind":"iterations"')) grows.resolve();
        return data.startsWith('0 {"kind":"finished"');
      });
      await grows.promise;
      const stop = async (run: string) => {
        const response = await fetch(`${addresses[1]}stop`, { method: "POST", body: run });
        await response.text();
        return response.status;
      };
      assert.equal(await stop("1"), 404);
      assert.equal(await stop("0"), 202);
      assert.equal(await working.code(), 130);
      await working.says(/asked to stop/);
      const record = Deno.readTextFileSync(join(run, "events.jsonl"));
      assert.match(record, /"kind":"finished".*"aborted":true/);
      assert.equal(linesOf(await own, 0), record);
      assert.equal(linesOf(await others, 0), record);
      assert.equal(await stop("0"), 409);
      const { status } = JSON.parse(Deno.readTextFileSync(join(run, "manifest.json")));
      assert.equal(status, "interrupted");
      assert.ok(exists(join(run, "report.html")));
      assert.ok(!exists(join(run, ".run", "stop")));
      const again = new Watched(["resume", run]);
      await again.says(/going on after iteration [1-9]/);
      await again.end("SIGKILL");
      assert.equal(await other.end("SIGINT"), 0);
    } finally {
      await other.end("SIGKILL");
      await working.end("SIGKILL");
    }
  });
});

Deno.test("the page in a tab is served whole, and nothing beside it", async () => {
  const serving = new Watched(["web", "--port", "0"]);
  try {
    const address = await serving.says(ADDRESS);
    const types = { "": "text/html", "page.js": "text/javascript", "page.css": "text/css" };
    for (const [name, type] of Object.entries(types)) {
      const response = await fetch(address + name);
      assert.equal(response.status, 200, name);
      assert.ok(response.headers.get("content-type")!.startsWith(type));
      assert.match(response.headers.get("content-security-policy")!, /default-src 'none'/);
      assert.ok((await response.text()).length > 0);
    }
    for (const path of ["version", "../server.ts", "%2e%2e/server.ts", "..%2fserver.ts", "x"]) {
      const response = await fetch(address + path);
      assert.equal(response.status, 404, path);
      await response.body?.cancel();
    }
    const { code, err } = await mindseye(["web", "--port", new URL(address).port]);
    assert.equal(code, 1);
    assert.match(err, /^error: port \d+ cannot be listened on .*name another one$/m);
    assert.equal(await serving.end("SIGINT"), 0);
  } finally {
    await serving.end("SIGKILL");
  }
});

Deno.test("what makes no sense about serving is said", async () => {
  for (
    const [args, code, says] of [
      [["demo", "--port", "80"], 2, /--port goes with --serve/],
      [
        ["demo", "--serve", "--port", "66000"],
        2,
        /--port: expected a whole number from 0 to 65535/,
      ],
      [["serve", "/nowhere/at/all"], 1, /\/nowhere\/at\/all is no folder/],
      [["layers", "--model", "motifs", "--serve"], 2, /no option --serve/],
    ] as const
  ) {
    const outcome = await mindseye([...args]);
    assert.equal(outcome.code, code, outcome.err);
    assert.match(outcome.err, says);
  }
});
