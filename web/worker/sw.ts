/**
 * The page's service worker: after the first visit the page comes from the browser's own store, so it
 * works without a network. All files of one build are stored together and replaced together; nothing
 * is asked of anybody else.
 */
/// <reference lib="dom" />

/** What the build puts before this script. */
declare const BUILD: { readonly version: string; readonly files: readonly string[] };

/** What there is only in service workers. */
interface ExtendableEvent extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: globalThis.Request;
  respondWith(response: Promise<Response>): void;
}
declare const registration: ServiceWorkerRegistration;
declare const clients: { claim(): Promise<void> };

/** Several copies of the page may share a server, hence the store. */
const OWN = `mindseye ${registration.scope} `;
const NAME = OWN + BUILD.version;

async function install(): Promise<void> {
  const cache = await caches.open(NAME);
  // The folder itself is the page.
  const paths = ["./", ...BUILD.files];
  // Past the browser's other store, which may have files of an earlier build.
  await cache.addAll(paths.map((path) => new Request(path, { cache: "reload" })));
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(OWN) && name !== NAME);
  await Promise.all(old.map((name) => caches.delete(name)));
  await clients.claim();
}

async function answer(request: globalThis.Request): Promise<Response> {
  const cache = await caches.open(NAME);
  return await cache.match(request, { ignoreSearch: true }) ?? await fetch(request);
}

addEventListener("install", (event) => (event as ExtendableEvent).waitUntil(install()));
addEventListener("activate", (event) => (event as ExtendableEvent).waitUntil(activate()));
addEventListener("fetch", (event) => {
  const { request, respondWith } = event as FetchEvent;
  if (request.method !== "GET" || !request.url.startsWith(registration.scope)) return;
  respondWith.call(event, answer(request));
});
