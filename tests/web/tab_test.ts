/**
 * The engine of the page in a browser, asked as the page asks it: the same pictures as on the command
 * line, networks and photos from files, runs that are ended and gone on with, visits without a network.
 * As small as can be: nearly all of the time goes into compiling kernels.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openModel } from "../../models/open_model.ts";
import { decodePng } from "../../vis/photos/png.ts";
import type {
  Ended,
  Failed,
  Hello,
  Opened,
  Request,
  RunRequest,
} from "../../web/worker/protocol.ts";
import { Browser, lacking } from "../browser/browser.ts";
import { mindseye, ROOT } from "../cli/mindseye.ts";
import { drawPhotos } from "../draw_photos.ts";
import { sharedPath } from "../goldens.ts";
import { SMALL_PHOTOS } from "../vis/small_photos.ts";

const DIST = join(ROOT, "web", "dist");

/** The page does not lie at the root of its server. */
const PLACE = "some/where/";

/** What a run comes to, in a form that comes out of a page. */
type PlainEnded = Omit<Ended, "pictures"> & {
  readonly pictures: readonly {
    readonly name: string;
    readonly path: string;
    readonly png: string;
  }[];
};

/** What the bare page offers. */
interface BarePage {
  start(script?: string): Promise<Hello>;
  ask(request: Request): Promise<Opened | PlainEnded | Failed>;
  askUntil(request: Request, iteration: number): Promise<PlainEnded | Failed>;
  askThroughLoss(request: Request, iteration: number): Promise<PlainEnded | Failed>;
  answer(from: number, kinds: readonly string[]): Promise<{ readonly kind: string }>;
  line(request: Request, kind: string): Promise<unknown>;
  lines(from?: number): Record<string, unknown>[];
  files(...paths: string[]): Promise<File[]>;
  heard: unknown[];
}
declare const engine: BarePage;

/** Builds the page. */
async function build(): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", "web", "--if-needed"],
    cwd: ROOT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** A server of the page's folder and of some others, which may be shut. */
class Server {
  shut = false;
  readonly folders: Record<string, string>;

  constructor(folders: Record<string, string> = {}) {
    this.folders = folders;
  }

  readonly serve = (path: string): Response => {
    if (this.shut) return new Response("shut", { status: 503 });
    const asked = path.slice(1);
    if (asked === `${PLACE}bare.html`) {
      return new Response(`<!doctype html><script src="bare_page.js"></script>`, {
        headers: { "content-type": "text/html" },
      });
    }
    const name = asked.slice(PLACE.length) || "index.html";
    const [folder, ...rest] = name.split("/");
    const file = ["bare_page.js", "losing_worker.js"].includes(name)
      ? join(import.meta.dirname!, name)
      : rest.length > 0
      ? join(this.folders[folder!] ?? DIST, ...rest)
      : join(DIST, name);
    if (!asked.startsWith(PLACE) || !existsSync(file)) return new Response(null, { status: 404 });
    const type = file.endsWith(".js")
      ? "text/javascript"
      : file.endsWith(".html")
      ? "text/html"
      : "application/octet-stream";
    return new Response(Deno.readFileSync(file), { headers: { "content-type": type } });
  };
}

/** What a run came to; throws if it came to nothing. */
function asEnded(reply: { readonly kind: string }): PlainEnded {
  assert.equal(reply.kind, "ended", JSON.stringify(reply));
  return reply as PlainEnded;
}

/** Ten small iterations for an early layer. */
const RUN: RunRequest = {
  photos: { kind: "drawings" },
  layer: "features.2",
  penalty: "features.0",
  facets: 2,
  embedding: { embedding: "pca" },
  size: 48,
  preset: "soft",
  parameters: { iterations: 10 },
  seed: 3,
};

Deno.test({
  name: "the page in a tab",
  ignore: lacking("the page in a tab", []),
  async fn(t) {
    await build();
    const folder = await Deno.makeTempDir();
    const photos = join(folder, "photos");
    await drawPhotos(photos, { count: 12, size: 40 });
    await Deno.writeTextFile(join(photos, "image_003.png"), "no picture at all");
    // One that is turned by its EXIF notes, and one that moves.
    for (const name of ["a.webp", "d.gif"] as const) {
      await Deno.writeFile(join(photos, name), SMALL_PHOTOS[name]);
    }
    const server = new Server({ photos, networks: sharedPath("networks", "exports") });
    try {
      await using browser = await Browser.open(server.serve);
      const { tab, origin } = browser;
      await tab.goto(`${origin}${PLACE}bare.html`);

      await t.step("says what there is", async () => {
        const hello = await tab.evaluate(() => engine.start("losing_worker.js"));
        assert.equal(hello.kind, "hello", JSON.stringify(hello));
        assert.equal(hello.adapter.software, true);
        assert.equal(hello.presets.soft!.iterations, 200);
        assert.ok(
          hello.parameters.some(({ name, group }) => name === "start_lr" && group === "Step"),
        );
      });

      await t.step("the drawings become what the command line makes of the manifest", async () => {
        const opened = await tab.evaluate(() =>
          engine.ask({ kind: "open", network: { kind: "builtin" } })
        ) as Opened;
        assert.equal(opened.name, "motifs");
        assert.equal(opened.classes, 20);
        assert.equal(opened.sizes.default, 192);
        assert.deepEqual(
          opened.layers.find(({ name }) => name === "features.20"),
          { name: "features.20", type: "ReLU", shape: [112, 6, 6] },
        );
        const ended = asEnded(
          await tab.evaluate((run) => engine.ask({ kind: "run", run }), RUN),
        );
        const lines = await tab.evaluate(() => engine.lines());
        await compare(folder, "drawings", ended, lines);
      });

      const names = [...Deno.readDirSync(photos)].map(({ name }) => name);
      const files = { ...RUN, embedding: undefined, parameters: { iterations: 30 } };
      /** Asks for a run of the photos, to be stopped after some iterations. */
      const runFiles = async (until: number) =>
        asEnded(
          await tab.evaluate(async ([names, run, until]) => {
            engine.heard = [];
            const files = await engine.files(...names.map((name) => `photos/${name}`));
            const photos = { kind: "files", files: files.toReversed(), folder: "photos" } as const;
            return await engine.askUntil({ kind: "run", run: { ...run, photos } }, until);
          }, [names, files, until] as const),
        );
      let whole: PlainEnded;

      await t.step("photos from files do, too, and what is none is named", async () => {
        whole = await runFiles(Infinity);
        const manifest = JSON.parse(whole.manifest!);
        assert.equal(manifest.status, "finished");
        assert.deepEqual(
          manifest.skipped,
          [{ file: "image_003.png", reason: "the browser cannot decode it" }],
        );
        await compare(folder, "files", whole, await tab.evaluate(() => engine.lines()), photos);
      });

      await t.step("a run that is ended, loses its GPU and is left is the same run", async () => {
        const first = await runFiles(10);
        assert.equal(first.aborted, true);
        assert.equal(JSON.parse(first.manifest!).status, "interrupted");
        const second = asEnded(
          await tab.evaluate(() => engine.askThroughLoss({ kind: "resume" }, 20)),
        );
        assert.equal(second.aborted, true);
        // As if the tab were closed.
        await tab.evaluate(() => engine.start());
        const kept = await tab.evaluate(() => engine.answer(0, ["kept"]));
        assert.deepEqual(kept, {
          kind: "kept",
          title: "photos in motifs features.2",
          iteration: 20,
          total: 30,
        });
        const [opened, last] = await tab.evaluate(async () => {
          const opened = await engine.ask({ kind: "resume" });
          return [opened, await engine.answer(0, ["ended", "failed"])] as const;
        });
        assert.equal(opened.kind, "opened");
        const third = asEnded(last);
        assert.equal(third.aborted, false);
        assert.deepEqual(third.pictures, whole.pictures);
        const lines = await tab.evaluate(() => engine.lines());
        const told = lines.filter(({ kind }) => kind === "iterations")
          .flatMap(({ results }) => (results as { iteration: number }[]).map((r) => r.iteration));
        assert.deepEqual([...new Set(told)], Array.from({ length: 30 }, (_, i) => i + 1));
        // It is finished: nothing is left to go on with.
        const none = await tab.evaluate(() => engine.ask({ kind: "resume" })) as Failed;
        assert.match(none.text, /no run to go on with/);
        assert.equal(none.bug, false);
      });

      await t.step("channels grow from noise", async () => {
        const ended = asEnded(
          await tab.evaluate(async () => {
            await engine.ask({ kind: "open", network: { kind: "builtin" } });
            const parameters = { iterations: 10 };
            const wishes = { channels: "3,5" };
            return await engine.ask({
              kind: "run",
              run: { wishes, layer: "features.2", size: 32, parameters },
            });
          }),
        );
        assert.deepEqual(ended.pictures.map(({ path }) => path), [
          "channel_03/final.png",
          "channel_05/final.png",
        ]);
        const { config, preset } = JSON.parse(ended.manifest!);
        assert.equal(preset, "noise");
        assert.equal(config.channels, "3,5");
        assert.equal(config.images, undefined);
      });

      await t.step("what is wrong is said, and nothing else is broken by it", async () => {
        const failures: readonly [RunRequest, RegExp][] = [
          [{ ...RUN, layer: "features.50" }, /no module "features\.50" in motifs; nearest/],
          [{ ...RUN, facets: 0 }, /facets: expected a whole number from 1 to 100, got 0/],
          [{ ...RUN, size: 7 }, /size: expected/],
          [
            { ...RUN, parameters: { iteration: 3 } },
            /no parameter "iteration"; nearest: iterations/,
          ],
          [{ layer: "features.2" }, /choose photos/],
          [{ ...RUN, photos: { kind: "files", files: [], folder: "x" } }, /0 images cannot make 2/],
        ];
        for (const [run, expected] of failures) {
          const failed = await tab.evaluate((run) => engine.ask({ kind: "run", run }), run);
          assert.equal(failed.kind, "failed");
          assert.match((failed as Failed).text, expected);
          assert.equal((failed as Failed).bug, false);
        }
      });

      await t.step("the network that a file's tensors are of is opened from it", async () => {
        const opened = await tab.evaluate(async () => {
          const files = await engine.files("motifs.safetensors");
          return await engine.ask({ kind: "open", network: { kind: "files", files } });
        }) as Opened;
        assert.equal(opened.kind, "opened", JSON.stringify(opened));
        assert.equal(opened.name, "motifs");
        assert.equal(opened.weights, "motifs.safetensors");
        const refused = await tab.evaluate(async () => {
          const text = new File(["<!doctype html><p>404"], "weights.safetensors");
          return await engine.ask({ kind: "open", network: { kind: "files", files: [text] } });
        }) as Failed;
        assert.match(refused.text, /a web page: the download went wrong/);
        assert.equal(refused.bug, false);
      });

      for (
        const [files, known] of [
          [["resnet_basic.onnx"], undefined],
          [["resnet_basic_external.data", "resnet_basic_external.onnx"], undefined],
          [["squeezenet1_1.pth"], "squeezenet1_1"],
        ] as const
      ) {
        const what = `${files.at(-1)} is opened as on the command line`;
        const paths = files.map((file) => `networks/exports/${file}`);
        await t.step({
          name: what,
          ignore: lacking(what, paths),
          async fn() {
            const opened = await tab.evaluate(async ([files, name]) => {
              const chosen = await engine.files(...files.map((file) => `networks/${file}`));
              return await engine.ask({
                kind: "open",
                network: { kind: "files", files: chosen, name },
              });
            }, [files, known] as const) as Opened;
            assert.equal(opened.kind, "opened", JSON.stringify(opened));
            const path = sharedPath("networks", "exports", files.at(-1)!);
            const { model, weights } = known
              ? await openModel(known, { weights: path })
              : await openModel(path);
            using _ = weights;
            assert.equal(opened.inputSize, model.inputSize);
            assert.equal(opened.lastMap, model.lastMap);
            const numbers = weights.names.map((key) =>
              weights.shape(key).reduce((a, b) => a * b, 1)
            );
            assert.equal(opened.parameters, numbers.reduce((a, b) => a + b));
          },
        });
      }

      await t.step("where there is no WebGPU it says what to do", async () => {
        for (
          const [lack, expected] of [
            [
              `Object.defineProperty(WorkerNavigator.prototype, "gpu", { get() {} });`,
              /no WebGPU: take a current Chrome/,
            ],
            [
              `GPU.prototype.requestAdapter = () => Promise.reject(new Error("not yet."));`,
              /refuses WebGPU \(not yet\): take a current Chrome/,
            ],
          ] as const
        ) {
          const reply = await tab.evaluate((lack) => {
            const worker = JSON.stringify(new URL("worker.js", location.href).href);
            const blob = new Blob([`${lack} import(${worker});`], { type: "text/javascript" });
            return engine.start(URL.createObjectURL(blob));
          }, lack) as unknown as { kind: string; text: string };
          assert.equal(reply.kind, "unusable");
          assert.match(reply.text, expected);
        }
      });

      await t.step("after the first visit it works without a network", async () => {
        await tab.evaluate(async () => {
          await navigator.serviceWorker.register("sw.js");
          await navigator.serviceWorker.ready;
        });
        server.shut = true;
        await tab.goto(`${origin}${PLACE}`);
        assert.equal(await tab.title(), "mindseye");
        await tab.addScriptTag({ path: join(import.meta.dirname!, "bare_page.js") });
        const [hello, opened] = await tab.evaluate(async () => {
          const hello = await engine.start();
          return [hello, await engine.ask({ kind: "open", network: { kind: "builtin" } })] as const;
        });
        assert.equal(hello.kind, "hello");
        assert.equal(opened.kind, "opened", JSON.stringify(opened));
        // What is loaded only when it is needed is there, too.
        const facets = await tab.evaluate(async (run) => {
          const files = await Promise.all(Array.from({ length: 6 }, async (_, i) => {
            const canvas = new OffscreenCanvas(16, 16);
            const context = canvas.getContext("2d")!;
            context.fillStyle = `hsl(${60 * i} 90% 50%)`;
            context.fillRect(i, 0, 8, 16);
            return new File([await canvas.convertToBlob()], `${i}.png`);
          }));
          const photos = { kind: "files", files, folder: "six" } as const;
          const embedding = { embedding: "umap" } as const;
          return await engine.line({ kind: "run", run: { ...run, photos, embedding } }, "facets");
        }, RUN);
        assert.equal((facets as { labels: number[] }).labels?.length, 6, JSON.stringify(facets));
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("page and worker are under 500 KB each", async () => {
  await build();
  for (const name of ["page.js", "worker.js"]) {
    const { size } = await Deno.stat(join(DIST, name));
    assert.ok(size < 500_000, `${name}: ${size} bytes`);
  }
});

/**
 * Has the command line do a tab's run again, from its manifest, and compares. Two devices round
 * otherwise, and every iteration goes on from the last.
 *
 * @param photos the folder of photos, where the manifest's is not there
 */
async function compare(
  folder: string,
  name: string,
  ended: PlainEnded,
  lines: readonly Record<string, unknown>[],
  photos?: string,
): Promise<void> {
  const path = join(folder, `${name}.json`);
  const out = join(folder, name);
  await Deno.writeTextFile(path, ended.manifest!);
  if (photos) {
    const missing = await mindseye(["rerun", path, "--out", out]);
    assert.equal(missing.code, 1);
    assert.match(missing.err, /there is no folder photos; give the folder that holds your photos/);
  }
  const { code, err } = photos
    ? await mindseye(["visualize", photos, "--config", path, "--out", out])
    : await mindseye(["rerun", path, "--out", out]);
  assert.equal(code, 0, err);

  assert.ok(ended.pictures.length > 0);
  let worst = 0, off = 0, count = 0;
  for (const { path, png } of ended.pictures) {
    const here = (await decodePng(await Deno.readFile(join(out, path)))).rgba;
    const there = (await decodePng(Uint8Array.fromBase64(png))).rgba;
    assert.equal(there.length, here.length);
    for (const [i, level] of here.entries()) {
      const away = Math.abs(level - there[i]!);
      worst = Math.max(worst, away);
      off += Number(away > 0);
      count++;
    }
  }
  // A level that lies on the edge between two may come out as either.
  assert.ok(worst <= 1, `pictures differ by ${worst} levels`);
  assert.ok(off < 1e-3 * count, `${off} of ${count} levels differ`);

  const [head, ...rows] = (await Deno.readTextFile(join(out, "losses.csv"))).trim().split("\n")
    .map((row) => row.split(","));
  const told = lines.filter(({ kind }) => kind === "iterations")
    .flatMap(({ results }) => results as { metrics: Record<string, number>[] }[])
    .flatMap(({ metrics }) => metrics);
  assert.equal(told.length, rows.length);
  let metric = 0;
  for (const [i, row] of rows.entries()) {
    for (const [column, key] of head!.entries()) {
      if (column < 2) continue;
      const [a, b] = [Number(row[column]), told[i]![key]!];
      metric = Math.max(metric, Math.abs(a - b) / Math.max(Math.abs(a), 1e-3));
    }
  }
  assert.ok(metric <= 1e-4, `metrics differ by ${metric} of their value`);
}
