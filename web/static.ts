/** The page as the program itself in a browser tab: the files of web/dist, and nothing else. */
import { UserError } from "../base/errors.ts";
import { readBeside } from "../base/host.ts";
import { listen, reply } from "./loopback.ts";

const DIST = new URL("./dist/", import.meta.url);

/** Kinds of files that a page may ask for, by their endings. */
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  json: "application/json",
  webmanifest: "application/manifest+json",
  svg: "image/svg+xml",
  png: "image/png",
  safetensors: "application/octet-stream",
};

/** What the page may do: run its own scripts, and ask this server alone. */
const policy = (scripts: string) =>
  [
    "default-src 'none'",
    `script-src ${scripts}`,
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self' data: blob:",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

/** A worker has the policy it came with. The engine's makes scripts of its kernels' templates. */
const policyOf = (path: string) =>
  policy(path === "/worker.js" ? "'self' 'unsafe-eval'" : "'self'");

/**
 * Serves the page until the signal.
 *
 * @returns where it is
 * @throws {UserError} when it was not built, or the port cannot be listened on.
 */
export async function serveTab(port: number, signal: AbortSignal): Promise<string> {
  const files = new Map<string, { type: string; bytes: Uint8Array<ArrayBuffer> }>();
  for (const name of namesOf(DIST)) {
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
    if (type) files.set(`/${name}`, { type, bytes: await readBeside(new URL(name, DIST)) });
  }
  const index = files.get("/index.html");
  if (!index) {
    throw new UserError("the page is not built (web/dist/index.html is not there): deno task web");
  }
  files.set("/", index);
  const { addr } = listen(port, signal, (path, { method }) => {
    const file = files.get(path);
    if (!file) return reply(404, "there is nothing here");
    if (method !== "GET" && method !== "HEAD") {
      return reply(405, "only GET", { Allow: "GET, HEAD" });
    }
    return new Response(file.bytes, {
      headers: { "Content-Type": file.type, "Content-Security-Policy": policyOf(path) },
    });
  });
  return `http://${addr.hostname}:${addr.port}/`;
}

function namesOf(folder: URL): string[] {
  try {
    return [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
