/**
 * A page in headless Chromium, whose WebGPU (Dawn, the Tint compiler, SwiftShader) is another than
 * Deno's (wgpu, naga, the machine's driver), with the engine bundled for it.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { type BrowserContext, chromium, type Page as Tab } from "playwright-core";
import { hasShared, sharedPath } from "../goldens.ts";
import type { Page } from "./page.ts";

const ROOT = join(import.meta.dirname!, "..", "..");

/** Where distributions put it. */
const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Chromium's path: `$CHROMIUM`, or where it usually is; nothing where it is not. */
export const CHROMIUM = [Deno.env.get("CHROMIUM") ?? "", ...PATHS].find((path) => existsSync(path));

const SWITCHES = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  // It should do nothing but what it is asked for.
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** To launch and to open, on a busy machine. */
export const PATIENCE_MS = 120_000;

/** Which files the page may fetch, by the first part of the path. */
const FOLDERS: Readonly<Record<string, string>> = {
  motifs: join(ROOT, "models", "motifs"),
  goldens: sharedPath("goldens"),
  weights: sharedPath("weights"),
};

/** Bundles the page's script as a user would. */
async function bundle(): Promise<string> {
  const folder = join(ROOT, "tests", "browser");
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "browser"],
      ...["--import-map", join(folder, "import_map.json"), join(folder, "page.ts")],
    ],
  }).output();
  assert.ok(success, `deno bundle: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Headless Chromium with a tab, and a server of its own. Close it with `await using`. */
export class Browser implements AsyncDisposable {
  /** The tab. */
  readonly tab: Tab;
  /** The server's address, with a slash at its end. */
  readonly origin: string;
  readonly #context: BrowserContext;
  readonly #server: Deno.HttpServer;
  readonly #profile: string;

  private constructor(context: BrowserContext, tab: Tab, server: Deno.HttpServer, profile: string) {
    this.#context = context;
    this.tab = tab;
    this.#server = server;
    this.#profile = profile;
    this.origin = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
  }

  /**
   * Serves and launches; the tab is empty.
   *
   * @param options as playwright's, such as `bypassCSP`
   */
  static async open(
    serve: (path: string) => Promise<Response> | Response,
    options: Parameters<typeof chromium.launchPersistentContext>[1] = {},
  ): Promise<Browser> {
    // WebGPU wants a secure context: https, or loopback.
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => serve(new URL(request.url).pathname),
    );
    const profile = await Deno.makeTempDir({ prefix: "mindseye-chromium-" });
    try {
      const context = await chromium.launchPersistentContext(profile, {
        ...options,
        executablePath: CHROMIUM!,
        args: SWITCHES,
        headless: true,
        timeout: PATIENCE_MS,
      });
      return new Browser(context, context.pages()[0] ?? await context.newPage(), server, profile);
    } catch (error) {
      await server.shutdown();
      await Deno.remove(profile, { recursive: true });
      throw error;
    }
  }

  /** Another tab. */
  async newTab(): Promise<Tab> {
    return await this.#context.newPage();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    await this.#server.shutdown();
    await Deno.remove(this.#profile, { recursive: true });
  }
}

/** A page with the engine in it. Close it with `await using`. */
export class BrowserPage implements AsyncDisposable {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Bundles, serves, launches, opens and waits until the page has its adapter. */
  static async open(): Promise<BrowserPage> {
    const script = await bundle();
    const browser = await Browser.open((path) => serve(path, script));
    try {
      const { tab, origin } = browser;
      const failed = new Promise<never>((_, reject) => tab.on("pageerror", reject));
      await tab.goto(origin);
      await Promise.race([
        tab.waitForFunction("globalThis.page", undefined, { timeout: PATIENCE_MS }),
        failed,
      ]);
      return new BrowserPage(browser);
    } catch (error) {
      await browser[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Calls a function of the page. */
  async ask<K extends keyof Page>(
    name: K,
    ...args: Parameters<Page[K]>
  ): Promise<Awaited<ReturnType<Page[K]>>> {
    return await this.#browser.tab.evaluate(
      ([name, args]) =>
        (globalThis as unknown as { page: Record<string, (...args: unknown[]) => unknown> })
          .page[name as string]!(...args as unknown[]),
      [name, args] as const,
    ) as Awaited<ReturnType<Page[K]>>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser[Symbol.asyncDispose]();
  }
}

async function serve(path: string, script: string): Promise<Response> {
  if (path === "/") {
    return new Response(`<!doctype html><script type="module" src="/page.js"></script>`, {
      headers: { "content-type": "text/html" },
    });
  }
  if (path === "/page.js") {
    return new Response(script, { headers: { "content-type": "text/javascript" } });
  }
  const [, folder = "", name = ""] = path.split("/");
  if (!(folder in FOLDERS) || extname(name) !== ".safetensors") {
    return new Response(null, { status: 404 });
  }
  return new Response(await Deno.readFile(join(FOLDERS[folder]!, name)));
}

/** Whether something keeps a test in a browser from being run here; it is said loudly. */
export function lacking(name: string, files: readonly string[]): boolean {
  const missing = files.filter((file) => !hasShared(...file.split("/")));
  const lacks = CHROMIUM === undefined
    ? "no Chromium; on Debian: apt-get install chromium"
    : missing.length > 0
    ? `../shared has no ${missing.join(", ")}`
    : undefined;
  // deno-lint-ignore no-console
  if (lacks) console.warn(`SKIPPED "${name}": ${lacks}`);
  return lacks !== undefined;
}

/**
 * A test with a page of its own; skipped loudly where there is no Chromium, or without files of
 * `../shared` that it needs (given as `folder/name`).
 */
export function testInBrowser(
  name: string,
  files: readonly string[],
  body: (page: BrowserPage, t: Deno.TestContext) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: lacking(name, files),
    async fn(t) {
      await using page = await BrowserPage.open();
      await body(page, t);
    },
  });
}
