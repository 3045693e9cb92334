/** The pages of an atlas: what they are made of, and themselves in Chromium. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { type GrowJob, jobsOf, type Plan } from "../../atlas/plan.ts";
import { flowOf, folderPage, pictureAt, type SiteRun } from "../../atlas/site.ts";
import { writePlan } from "../../cli/atlas/atlas_folder.ts";
import { pictureToRgba } from "../../vis/photos/rgba.ts";
import { writePng } from "../../vis/photos/png.ts";
import { CHROMIUM, PATIENCE_MS } from "../browser/browser.ts";
import { mindseye } from "../cli/mindseye.ts";
import { filesOf, inFolder } from "../cli/run_files.ts";

const run = (name: string, layer: number, facets: number): SiteRun => ({
  ...{ name, network: 0, layer, folder: 0, objective: 0, preset: 0, place: 0, status: "done" },
  pictures: Array.from({ length: facets }, (_, i) => ({ title: `facet ${i + 1}`, folder: "x" })),
});

const labels = (facets: readonly number[]) =>
  new Map(facets.map((facet, i) => [`${i}.jpg`, facet]));

Deno.test("facets split and merge from layer to layer, and those that share photos are alike", () => {
  const [early, late] = [labels([0, 0, 0, 0, 1, 1]), labels([0, 0, 1, 1, 2, 2])];
  assert.deepEqual(flowOf(early, late, [2, 3]), [[2, 2, 0], [0, 0, 2]]);
  const page = folderPage([run("a", 0, 2), run("b", 1, 3), run("c", 3, 2)], [early, late, early]);
  assert.deepEqual(page.flows.map(({ from, to }) => [from, to]), [[0, 1], [1, 2]]);
  // Half of facet 1 is each of two facets of b, and all of it facet 1 of c.
  assert.deepEqual(page.alike[0]![0], [
    { run: 2, facet: 0, share: 1 },
    { run: 1, facet: 0, share: 0.5 },
    { run: 1, facet: 1, share: 0.5 },
  ]);
  assert.deepEqual(page.alike[1]![2], [
    { run: 0, facet: 1, share: 1 },
    { run: 2, facet: 1, share: 1 },
  ]);
});

const PLAN: Plan = {
  format: 1,
  folders: [{ name: "<b>ants & co</b>", path: "../ants", photos: 6, digest: "a" }],
  networks: [{
    ...{ name: "net", options: { model: "net" }, digest: "n" },
    layers: ["one", "two"].map((name) => ({ name, channels: 4, work: 1 })),
  }],
  objectives: [
    { photos: true, each: 8, options: { facets: 2 }, digest: "f" },
    { photos: false, each: 8, options: { channels: "3" }, digest: "c" },
  ],
  presets: [{
    ...{ name: "soft", options: {}, octaves: [], digest: "p", seen: [32], prepared: "none" },
    sights: 1,
  }],
  options: {},
  shard: 10,
};

/** Leaves a picture larger than its copy: stripes that lie, stand, or are of a colour. */
async function draw(folder: string, kind: number, wide = 8): Promise<void> {
  const side = 160;
  const planes = Float32Array.from({ length: 3 * side * side }, (_, i) => {
    const [x, y, plane] = [i % side, Math.floor(i / side) % side, Math.floor(i / side / side)];
    const on = (kind === 0 ? y : x) % (2 * wide) < wide;
    return on && (kind < 2 || plane === 0) ? 220 : 90;
  });
  const rgba = pictureToRgba(planes, side, side);
  await writePng(folder, "final.png", { rgba, width: side, height: side });
}

/** Leaves what a run of the plan would. */
async function leave(atlas: string, job: GrowJob): Promise<void> {
  const folder = join(atlas, "runs", job.name);
  const names = job.objective === 0 ? ["facet_01", "facet_02"] : ["channel_03"];
  for (const [i, name] of names.entries()) await draw(join(folder, name), i);
  const pictures = job.objective === 0
    ? {
      facets: names.map((folder, i) => ({ facet: i + 1, folder })),
      images: [1, 1, 1, 2, 2, 1 + job.layer.length % 2].map((facet, i) => {
        return { image: `${i}.jpg`, facet };
      }),
    }
    : { pictures: [{ name: "channel 3", folder: names[0] }] };
  const manifest = { format: 1, status: "finished", ...pictures };
  Deno.writeTextFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
}

async function gatherAgain(folder: string): Promise<string> {
  const { code, out, err } = await mindseye(["atlas", "gather", folder]);
  assert.equal(code, 0, err);
  return out;
}

Deno.test("an atlas is gathered, with what is not done yet, and looked through", async (t) => {
  await inFolder(async (folder) => {
    writePlan(folder, PLAN);
    const jobs = jobsOf(PLAN).filter((job) => job.kind === "grow");
    const done = jobs.slice(0, -1);
    for (const job of done) await leave(folder, job);
    Deno.mkdirSync(join(folder, "workers"));
    const lines = done.map(({ name }) => JSON.stringify({ job: name, seconds: 1 }) + "\n");
    Deno.writeTextFileSync(join(folder, "workers", "w.jsonl"), lines.join(""));
    const out = await gatherAgain(folder);
    assert.match(out, /index\.html: 5 pictures, small copies made of 5\n/);
    const index = Deno.readTextFileSync(join(folder, "site", "index.js"));
    assert.match(index, /"done":1,"total":2/);
    const small = (job: GrowJob) => join(folder, "small", job.name, "facet_01.webp");
    assert.match(
      new TextDecoder("latin1").decode(Deno.readFileSync(small(done[0]!))),
      /^RIFF.*WEBP/s,
    );

    await t.step("again, with nothing new but one picture", async () => {
      const copies = () => done.map(({ name }) => filesOf(join(folder, "small", name)));
      const before = copies();
      const again = await gatherAgain(folder);
      assert.match(again, /5 pictures\n$/);
      assert.deepEqual(copies(), before);
      await draw(join(folder, "runs", done[0]!.name, "facet_01"), 0, 5);
      assert.match(await gatherAgain(folder), /5 pictures, small copies made of 1\n/);
      const after = copies();
      assert.notEqual(after[0]!.get("facet_01.webp"), before[0]!.get("facet_01.webp"));
      assert.deepEqual(after.slice(1), before.slice(1));
      await draw(join(folder, "runs", done[0]!.name, "facet_01"), 0);
      await gatherAgain(folder);
      assert.deepEqual(copies(), before);
    });

    await t.step({
      name: "in Chromium, as files",
      ignore: CHROMIUM === undefined,
      fn: async () => {
        const browser = await chromium.launch({
          executablePath: CHROMIUM!,
          args: ["--no-sandbox", "--disable-quic", "--no-first-run"],
          timeout: PATIENCE_MS,
        });
        try {
          const page = await browser.newPage();
          page.setDefaultTimeout(PATIENCE_MS);
          const errors: string[] = [];
          page.on("pageerror", (error) => errors.push(error.message));
          await page.goto(pathToFileURL(join(folder, "index.html")).href);
          await page.getByText("1 of 2 done").waitFor();
          await page.getByRole("link", { name: "<b>ants & co</b>" }).click();
          await page.getByText("where the photos of each facet go in net two").waitFor();
          assert.equal(await page.locator("svg path").count(), 2);
          await page.getByText("Facets like these elsewhere").first().click();
          await page.getByText("% of the photos shared").first().waitFor();
          await page.getByText("% alike").first().waitFor();
          const sources = await page.locator("img").evaluateAll((images) =>
            images.map((image) => image.getAttribute("src"))
          );
          assert.ok(
            sources.every((source) => source!.endsWith(".webp")),
            "pages show small copies",
          );
          const broken = await page.locator("img").evaluateAll((images) =>
            images.filter((image) => !(image as unknown as { naturalWidth: number }).naturalWidth)
              .length
          );
          assert.equal(broken, 0);
          // A picture opens large, and what looks like it opens from there.
          await page.locator(".atlas-row button").first().click();
          const large = page.locator("dialog img").first();
          assert.equal(
            await large.getAttribute("src"),
            pictureAt.full(done[0]!.name, "facet_01"),
          );
          await page.locator("dialog .atlas-alike").last().getByRole("button").first().click();
          await page.getByRole("dialog").getByText("net two, <b>ants & co</b>").first().waitFor();
          await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
          await page.getByRole("searchbox").fill("3");
          await page.getByRole("link", { name: "channel 3 in net two" }).click();
          await page.getByText("Nothing here is called channel 3").waitFor();
          await page.getByRole("link", { name: "Show all" }).click();
          await page.getByText("not done yet").waitFor();
          assert.deepEqual(errors, []);
        } finally {
          await browser.close();
        }
      },
    });
  });
});
