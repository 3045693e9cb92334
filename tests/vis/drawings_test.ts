import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import type { Facets } from "../../vis/facets/facets.ts";
import type { Rgba } from "../../vis/photos/rgba.ts";
import { facetColour, facetName, layOutMap } from "../../vis/report/map.ts";
import { mapSvg } from "../../vis/report/map_svg.ts";
import { sheetSvg } from "../../vis/report/sheet_svg.ts";
import { escapeXml, svgFile, textBox } from "../../vis/report/svg.ts";
import { tileRows, webpUri } from "../../vis/report/tiles.ts";
import { CHROMIUM } from "../browser/browser.ts";

const pixel = ({ rgba, width }: Rgba, x: number, y: number) => [
  ...rgba.subarray(4 * (y * width + x), 4 * (y * width + x) + 3),
];
const grey = (level: number, size: number) => new Float32Array(3 * size * size).fill(level);

/** Names that photos may have. */
const NAMES = [
  `"><img src=x onerror=alert(1)>.jpg`,
  "]]></style><script>alert(2)</script>",
  "&amp; 'and' \"so\" on",
  "蟻の写真.png",
  "نملة.jpg",
  "line\nand\ttab\rreturn",
  "\0\u0001\u001b[31m\ufffe\ud800 unspeakable",
  "🐜".repeat(90),
];

Deno.test("text in XML is escaped, and what XML cannot say is replaced", () => {
  assert.equal(escapeXml(`<a b='c' d="e">&`), "&lt;a b=&apos;c&apos; d=&quot;e&quot;&gt;&amp;");
  assert.equal(escapeXml("\0a\u000bb\u001f\ufffec\ud83d"), "�a�b��c�");
  assert.equal(escapeXml("a\t\n\r漢🐜"), "a\t\n&#13;漢🐜");
});

Deno.test("rows of pictures keep their levels, small ones enlarged, large ones reduced", () => {
  const rows = [[grey(0, 8), grey(100, 32)], [grey(200, 16)]];
  const sheet = tileRows(rows, { tile: 16, columns: 1 });
  assert.deepEqual([sheet.width, sheet.height], [16 + 16 + 8 + 16 + 16, 2 * 48]);
  assert.deepEqual(pixel(sheet, 16 + 8, 24), [0, 0, 0]);
  assert.deepEqual(pixel(sheet, 16 + 24 + 8, 24), [100, 100, 100]);
  assert.deepEqual(pixel(sheet, 16 + 8, 48 + 24), [200, 200, 200]);
  assert.deepEqual(pixel(sheet, 16 + 24 + 8, 48 + 24), [255, 255, 255]);
  assert.equal(tileRows(rows, { tile: 16, columns: 2 }).height, 48);
  assert.throws(() => tileRows([[]], { tile: 16 }), /no picture/);
  assert.throws(() => tileRows([[new Float32Array(7)]], { tile: 16 }), RangeError);
});

const SIX: Facets = {
  embedding: Float64Array.of(0, 0, 1, 0, 0, 1, 9, 9, 10, 9, 9.5, 9.5),
  labels: Int32Array.of(0, 0, 0, 1, 1, 1),
  centres: Float64Array.of(1 / 3, 1 / 3, 9.5, 9.2),
  sizes: Int32Array.of(3, 3),
};

Deno.test("a map keeps distances, and its thumbnails off each other and off most dots", () => {
  const box = { left: 10, top: 20, right: 510, bottom: 320 };
  const map = layOutMap(SIX, { dots: box, thumbnails: box, side: 40 });
  const [a, b, c] = map.dots as [[number, number], [number, number], [number, number]];
  assert.ok(Math.abs(b[0] - a[0] - (c[1] - a[1])) < 1e-9, "one scale for both directions");
  for (const [x, y] of map.dots) assert.ok(x >= 10 && x <= 510 && y >= 20 && y <= 320);
  const [one, two] = map.thumbnails.map(({ middle }) => middle);
  assert.ok(Math.max(Math.abs(one![0] - two![0]), Math.abs(one![1] - two![1])) >= 46);
  for (const { middle: [x, y] } of map.thumbnails) {
    const under = map.dots.filter(([u, v]) => Math.abs(u - x) < 20 && Math.abs(v - y) < 20);
    assert.ok(under.length <= 1, `${under.length} dots are hidden`);
  }
  const apart = layOutMap({ embedding: [5, 5], centres: [5, 5] }, {
    ...{ dots: box, thumbnails: box, side: 40 },
  });
  assert.deepEqual(apart.dots, [[260, 170]]);
});

Deno.test("the map shows each image's name and each facet's colour, many and few", () => {
  const names = NAMES.slice(0, 6);
  const thumbnails = ["a", "b"].map((name) => ({ href: "data:image/webp;base64,", name }));
  const svg = mapSvg(SIX, { names, thumbnails, title: "six images", note: "clear facets" });
  for (const name of names) assert.ok(svg.includes(`<title>${escapeXml(name)}</title>`), name);
  for (const facet of [0, 1]) assert.ok(svg.includes(`fill="${facetColour(facet)}"`));
  assert.throws(
    () => mapSvg(SIX, { names, thumbnails: [], title: "", note: "" }),
    /2 facets of 6 images, but 0 thumbnails/,
  );
  assert.equal(facetName(0, 42), "facet 1 (42 images)");
  assert.equal(facetName(1, 1), "facet 2 (1 image)");
  for (const count of [1, 25]) {
    const facets: Facets = {
      embedding: Float64Array.from({ length: 2 * count }, (_, i) => i * i % 17),
      labels: Int32Array.from({ length: count }, (_, i) => i),
      centres: Float64Array.from({ length: 2 * count }, (_, i) => i * i % 17),
      sizes: new Int32Array(count).fill(1),
    };
    const many = Array.from({ length: count }, (_, i) => ({ href: "data:,", name: `${i}` }));
    const drawn = mapSvg(facets, {
      ...{ names: many.map(({ name }) => name), thumbnails: many, title: "", note: "" },
    });
    assert.ok(!drawn.includes("NaN"));
    assert.equal(drawn.match(/<image /g)!.length, count);
  }
});

Deno.test({
  name: "a browser opens the drawings, and names in them are names",
  ignore: !CHROMIUM,
  async fn() {
    const href = await webpUri(grey(90, 64), 32);
    assert.match(href, /^data:image\/webp;base64,UklGR/);
    const pictures = NAMES.map((caption) => ({ href, caption }));
    const sheet = sheetSvg([{ title: NAMES[0]!, pictures }], {
      ...{ title: NAMES[1]!, description: NAMES[6]!, tile: 96 },
    });
    const map = mapSvg(SIX, {
      ...{ names: NAMES.slice(0, 6), title: NAMES[0]!, note: NAMES[7]! },
      thumbnails: [{ href, name: NAMES[0]! }, { href, name: NAMES[3]! }],
    });
    const browser = await chromium.launch({
      executablePath: CHROMIUM!,
      args: ["--no-sandbox"],
      timeout: 120_000,
    });
    try {
      for (const [drawing, images] of [[sheet, NAMES.length], [map, 2]] as const) {
        const tab = await browser.newPage();
        const said: string[] = [];
        tab.on("dialog", async (dialog) => {
          said.push(dialog.message());
          await dialog.dismiss();
        });
        await tab.goto("data:image/svg+xml;base64," + new TextEncoder().encode(drawing).toBase64());
        const seen = await tab.evaluate(() => {
          // deno-lint-ignore no-explicit-any
          const { document } = globalThis as any;
          const all = (selector: string) => [...document.querySelectorAll(selector)];
          return {
            wrong: all("parsererror, script, img").length,
            images: all("image").length,
            titles: all("title").map(({ textContent }) => textContent as string),
            // What is shown, of what browsers and of what other programs read.
            html: all("foreignObject").every((e) => e.getBoundingClientRect().width > 0),
            plain: all("switch > text").some((e) => e.getBoundingClientRect().width > 0),
            colour: all("div").map((e) => e.ownerDocument.defaultView.getComputedStyle(e).color)[0],
          };
        });
        assert.deepEqual(said, []);
        assert.deepEqual([seen.wrong, seen.images, seen.html, seen.plain], [
          0,
          images,
          true,
          false,
        ]);
        for (const name of NAMES.slice(0, 6)) assert.ok(seen.titles.includes(name), name);
        await tab.emulateMedia({ colorScheme: "dark" });
        const dark = await tab.evaluate(() => {
          // deno-lint-ignore no-explicit-any
          const { document, getComputedStyle } = globalThis as any;
          return getComputedStyle(document.querySelector("div")).color;
        });
        assert.notEqual(dark, seen.colour);
        await tab.close();
      }
    } finally {
      await browser.close();
    }
  },
});

Deno.test("a text that is too long for other programs than browsers ends in an ellipsis", () => {
  const box = { x: 0, y: 0, width: 59, size: 10 };
  const shown = (text: string) => />([^<]*)<\/text>/.exec(textBox(text, box))![1];
  assert.equal(shown("0123456789"), "0123456789");
  assert.equal(shown("01234567890"), "012345678…");
  assert.equal(shown("蟻蟻蟻蟻蟻蟻"), "蟻蟻蟻蟻…");
  assert.match(
    svgFile({ width: 9.5, height: 3, title: "a", description: "b", body: "" }),
    /^<svg [^>]*width="10" height="3" viewBox="0 0 10 3" role="img"/,
  );
});
