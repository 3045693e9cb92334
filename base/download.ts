/**
 * Files from servers that may be slow, break off, or lie: what was received is kept and gone on with,
 * and a file is only there once its hash is right.
 */
import { UserError } from "./errors.ts";
import { sha256OfPieces } from "./sha256.ts";

/** What to fetch, and what is known of it. */
export interface DownloadOptions {
  /** Where from: http or https. */
  readonly url: string;
  /** Where to; what is not complete yet stands beside it, with `.part` behind its name. */
  readonly path: string;
  /** How the SHA-256 of the file begins, in hexadecimal. */
  readonly hash: string;
  /** Fetch it even where it is there and right; it stays until the new one is. */
  readonly force?: boolean | undefined;
  /** Called with the bytes there are and, where the server says it, those there will be. */
  readonly onProgress?: ((done: number, total: number | undefined) => void) | undefined;
  /** Seconds without a byte after which a connection is given up (30). */
  readonly patience?: number | undefined;
  /** How often a connection that broke off is tried again without receiving anything new (4). */
  readonly tries?: number | undefined;
  /** Seconds before the first of these, doubled each time (1). */
  readonly pause?: number | undefined;
}

/** Servers that send one on to the next, at most. */
const MOST_REDIRECTS = 5;

/** Bytes of the largest file that is taken. */
const MOST_BYTES = 2 ** 34;

/** Bytes that are hashed at a time. */
const PIECE_BYTES = 2 ** 22;

/** A problem that another try may not have. */
class Interrupted extends Error {}

/** What the part of a file is a part of: a server's own name for its state. */
interface Origin {
  readonly url: string;
  readonly validator: string | null;
}

/**
 * Fetches a file, going on with what an earlier try has received. Processes that fetch the same file
 * take turns.
 *
 * @throws {UserError} When the server has no such file, breaks off too often, or sends another one.
 */
export async function download(options: DownloadOptions): Promise<void> {
  const { path, hash, force, tries = 4, pause = 1 } = options;
  const partPath = `${path}.part`;
  using part = await openPart(partPath);
  try {
    const there = !force && await isThere(path) && hashOf(path).startsWith(hash);
    if (there) return await discard(partPath);
    let failures = 0, fresh = false;
    for (;;) {
      const before = (await part.stat()).size;
      // All of it may be here, of a run that was ended before it could say so.
      if (before > 0 && !fresh && hashOf(partPath).startsWith(hash)) break;
      try {
        await receive(part, partPath, options);
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        const after = (await part.stat()).size;
        failures = after > before ? 1 : failures + 1;
        if (failures > tries) {
          throw new UserError(
            `${options.url}: ${error.message}; ${after} bytes are kept and gone on with next time`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 1000 * pause * 2 ** (failures - 1)));
        continue;
      }
      part.syncSync();
      const found = hashOf(partPath);
      if (found.startsWith(hash)) break;
      await part.truncate(0);
      await forget(partPath);
      // Parts of two files may have come together; once more from the beginning.
      if (before === 0 || fresh) {
        throw new UserError(
          `${options.url}: its SHA-256 begins with ${
            found.slice(0, hash.length)
          }, expected ${hash}: ` +
            "it is another file than it should be, and was removed",
        );
      }
      fresh = true;
    }
    try {
      await Deno.rename(partPath, path);
    } catch (error) {
      throw new UserError(`${path} cannot be written: ${(error as Error).message}`);
    }
    await forget(partPath);
  } finally {
    await part.unlock();
  }
}

/**
 * Opens what there is of a file, for one process at a time: one that waited may find that the file it
 * holds has become the whole one, and opens another.
 */
async function openPart(path: string): Promise<Deno.FsFile> {
  try {
    for (;;) {
      const part = await Deno.open(path, { create: true, read: true, write: true });
      await part.lock(true);
      const [own, named] = [await part.stat(), await Deno.stat(path).catch(() => undefined)];
      if (named && own.ino === named.ino && own.dev === named.dev) return part;
      part.close();
    }
  } catch (error) {
    throw new UserError(`${path} cannot be written: ${(error as Error).message}`);
  }
}

/** Receives what is missing of a file. */
async function receive(
  part: Deno.FsFile,
  partPath: string,
  { url, onProgress, patience = 30 }: DownloadOptions,
): Promise<void> {
  const known = await originOf(partPath);
  let size = (await part.stat()).size;
  if (size > 0 && (known?.url !== url || known.validator === null)) size = 0;
  const headers = new Headers({ "accept-encoding": "identity" });
  if (size > 0) {
    headers.set("range", `bytes=${size}-`);
    headers.set("if-range", known!.validator!);
  }
  using waiting = new Waiting(patience);
  const response = await ask(url, headers, waiting);
  const { body, status } = response;
  try {
    const goesOn = status === 206 && startOf(response) === size && size > 0;
    if (status === 206 && !goesOn) {
      await part.truncate(0);
      throw new Interrupted("the server went on at another place");
    }
    if (status === 416) {
      await part.truncate(0);
      throw new Interrupted("the server has less of the file than was received");
    }
    if (!goesOn) {
      size = 0;
      await part.truncate(0);
      await remember(partPath, { url, validator: validatorOf(response) });
    }
    const length = Number(response.headers.get("content-length") ?? NaN);
    const total = totalOf(response) ?? (Number.isSafeInteger(length) ? size + length : undefined);
    if (!body) throw new Interrupted("the server sends nothing");
    if ((total ?? 0) > MOST_BYTES) throw new UserError(`${url}: ${total} bytes are too many`);
    await part.seek(size, Deno.SeekMode.Start);
    onProgress?.(size, total);
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await waiting.for(reader.read());
      if (done) break;
      size += value.length;
      if (size > (total ?? MOST_BYTES)) {
        await part.truncate(0);
        throw new Interrupted("the server sends more than it said");
      }
      for (let at = 0; at < value.length;) at += await part.write(value.subarray(at));
      onProgress?.(size, total);
    }
    if (total !== undefined && size < total) {
      throw new Interrupted(`the connection broke off at ${size} of ${total} bytes`);
    }
  } catch (error) {
    if (error instanceof UserError || error instanceof Interrupted) throw error;
    if (error instanceof Deno.errors.NotCapable || isDiskError(error)) {
      throw new UserError(`${partPath} cannot be written: ${(error as Error).message}`);
    }
    throw new Interrupted(`the connection broke off (${(error as Error).message})`);
  } finally {
    await body?.cancel().catch(() => {});
  }
}

/** Sends a request, and follows to where it is sent on. */
async function ask(url: string, headers: Headers, waiting: Waiting): Promise<Response> {
  let at = url;
  for (let redirects = 0;; redirects++) {
    const { protocol } = parseUrl(at);
    if (protocol !== "https:" && protocol !== "http:") {
      throw new UserError(`${url}: leads to ${at}, and only http and https are fetched`);
    }
    if (protocol === "http:" && parseUrl(url).protocol === "https:") {
      throw new UserError(`${url}: leads to ${at}, which is not encrypted`);
    }
    let response: Response;
    try {
      response = await waiting.for(
        fetch(at, { headers, redirect: "manual", signal: waiting.signal }),
      );
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      throw new Interrupted(`no connection (${(error as Error).message})`);
    }
    const { status } = response;
    const location = response.headers.get("location");
    if (status >= 300 && status < 400 && location) {
      await response.body?.cancel();
      if (redirects >= MOST_REDIRECTS) throw new UserError(`${url}: is sent on without end`);
      at = parseUrl(location, at).href;
      continue;
    }
    if (status === 200 || status === 206 || status === 416) return response;
    await response.body?.cancel();
    if (status >= 500 || status === 429 || status === 408) {
      throw new Interrupted(`the server answers ${status}`);
    }
    throw new UserError(
      `${url}: the server answers ${status} ${response.statusText}`.trimEnd() +
        (status === 404 ? ": there is no such file" : ""),
    );
  }
}

function parseUrl(text: string, base?: string): URL {
  try {
    return new URL(text, base);
  } catch {
    throw new UserError(`"${text}" is no address; expected one with http:// or https://`);
  }
}

/** Gives up what takes too long without an answer. */
class Waiting implements Disposable {
  readonly #controller = new AbortController();
  readonly #seconds: number;

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async for<T>(answer: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Interrupted(`nothing came for ${this.#seconds} seconds`));
        this.#controller.abort();
      }, 1000 * this.#seconds);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
      answer.catch(() => {});
    }
  }

  [Symbol.dispose](): void {
    this.#controller.abort();
  }
}

/** Where a part of a file begins that a server sends. */
function startOf(response: Response): number | undefined {
  const [, start] = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "") ?? [];
  return start === undefined ? undefined : Number(start);
}

/** How large the whole is of which a server sends a part. */
function totalOf(response: Response): number | undefined {
  const [, total] = /^bytes \d+-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ??
    [];
  return total === undefined ? undefined : Number(total);
}

/** By what a server knows whether a file is still the same: a strong tag, or when it was changed. */
function validatorOf(response: Response): string | null {
  const tag = response.headers.get("etag");
  return tag && !tag.startsWith("W/") ? tag : response.headers.get("last-modified");
}

async function originOf(partPath: string): Promise<Origin | undefined> {
  try {
    const { url, validator } = JSON.parse(await Deno.readTextFile(`${partPath}.from`));
    return typeof url === "string" && (validator === null || typeof validator === "string")
      ? { url, validator }
      : undefined;
  } catch {
    return undefined;
  }
}

async function remember(partPath: string, origin: Origin): Promise<void> {
  await Deno.writeTextFile(`${partPath}.from`, JSON.stringify(origin));
}

async function forget(partPath: string): Promise<void> {
  await Deno.remove(`${partPath}.from`).catch(() => {});
}

async function discard(partPath: string): Promise<void> {
  await Deno.remove(partPath).catch(() => {});
  await forget(partPath);
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}

/** SHA-256 of a file, in hexadecimal. */
export function hashOf(path: string): string {
  using file = Deno.openSync(path);
  return sha256OfPieces((function* () {
    const piece = new Uint8Array(PIECE_BYTES);
    for (let count; (count = file.readSync(piece)) !== null;) yield piece.subarray(0, count);
  })());
}

function isDiskError(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === "ENOSPC" || code === "EROFS" || code === "EDQUOT" || code === "EIO";
}
