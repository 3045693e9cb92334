/** Downloads from a server that truncates, stalls, resumes wrongly, redirects and lies. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { download, type DownloadOptions } from "../../base/download.ts";

const CONTENT = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 251);
const HASH = createHash("sha256").update(CONTENT).digest("hex").slice(0, 8);

/** What the server does with a request; `begin` is where its range begins. */
type Answer = (request: { headers: Map<string, string>; begin: number; count: number }) => {
  head: string;
  body?: Uint8Array;
  /** Keep the connection open without a word more. */
  stall?: boolean;
};

const OK = (length: number, more = "") =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nETag: "a"\r\n${more}`;
const PART = (begin: number, length = CONTENT.length - begin) =>
  `HTTP/1.1 206 Partial Content\r\nContent-Length: ${length}\r\n` +
  `Content-Range: bytes ${begin}-${CONTENT.length - 1}/${CONTENT.length}\r\nETag: "a"\r\n`;
const whole: Answer = () => ({ head: OK(CONTENT.length), body: CONTENT });
const resumed: Answer = ({ begin }) =>
  begin > 0
    ? { head: PART(begin), body: CONTENT.subarray(begin) }
    : { head: OK(CONTENT.length), body: CONTENT };
const cut = (at: number): Answer => () => ({
  head: OK(CONTENT.length),
  body: CONTENT.subarray(0, at),
});

/** A server that answers the first request by the first answer, and so on; the last one again. */
async function withServer(
  answers: readonly Answer[],
  body: (url: string, path: string, requests: Map<string, string>[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const requests: Map<string, string>[] = [];
  const connections: Promise<void>[] = [];
  const stalled: Deno.Conn[] = [];
  const serve = async (connection: Deno.Conn) => {
    const buffer = new Uint8Array(8192);
    const count = await connection.read(buffer) ?? 0;
    const lines = new TextDecoder().decode(buffer.subarray(0, count)).split("\r\n");
    const headers = new Map(
      lines.slice(1).map((line) => line.split(": ") as [string, string])
        .map(([key, value]) => [key.toLowerCase(), value]),
    );
    requests.push(headers);
    const begin = Number(/bytes=(\d+)-/.exec(headers.get("range") ?? "")?.[1] ?? 0);
    const answer = answers[Math.min(requests.length, answers.length) - 1]!;
    const { head, body, stall } = answer({ headers, begin, count: requests.length });
    const writer = connection.writable.getWriter();
    try {
      await writer.write(new TextEncoder().encode(`${head}Connection: close\r\n\r\n`));
      if (body) await writer.write(body);
    } catch { /* the other side has heard enough */ }
    writer.releaseLock();
    if (stall) stalled.push(connection);
    else connection.close();
  };
  const accepting = (async () => {
    for await (const connection of listener) connections.push(serve(connection).catch(() => {}));
  })();
  try {
    const { port } = listener.addr as Deno.NetAddr;
    await body(`http://127.0.0.1:${port}/net-${HASH}.pth`, join(folder, "net.pth"), requests);
  } finally {
    listener.close();
    await accepting;
    await Promise.all(connections);
    for (const connection of stalled) connection.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const QUICK = { hash: HASH, patience: 0.3, pause: 0.01, tries: 2 };
const fetched = (path: string) => assert.deepEqual(new Uint8Array(readFileSync(path)), CONTENT);

/** What a server does, and how often it is asked until the file is there. */
const GOOD: Readonly<Record<string, readonly [answers: readonly Answer[], requests: number]>> = {
  "all goes well": [[whole], 1],
  "a connection breaks off and is gone on with": [[cut(40_000), resumed], 2],
  "a connection breaks off again and again": [
    [
      cut(10),
      ({ begin }) => ({ head: PART(begin), body: CONTENT.subarray(begin, begin + 30_000) }),
    ],
    5,
  ],
  "a server that knows no parts begins again": [[cut(40_000), whole], 2],
  "a server goes on at another place": [
    [cut(40_000), () => ({ head: PART(30_000), body: CONTENT.subarray(30_000) }), whole],
    3,
  ],
  "a part that is of another file": [
    [cut(40_000), ({ begin }) => ({ head: PART(begin), body: new Uint8Array(60_000) }), whole],
    3,
  ],
  "a server has less than was received": [
    [
      cut(40_000),
      () => ({ head: "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n" }),
      whole,
    ],
    3,
  ],
  "a server is busy for a while": [
    [() => ({ head: "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n" }), whole],
    2,
  ],
  "nothing comes for a while": [
    [() => ({ head: OK(CONTENT.length), body: CONTENT.subarray(0, 5000), stall: true }), resumed],
    2,
  ],
  "a server sends on": [
    [
      () => ({ head: "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n" }),
      whole,
    ],
    2,
  ],
};

for (const [name, [answers, count]] of Object.entries(GOOD)) {
  Deno.test(`download: ${name}`, () =>
    withServer(answers, async (url, path, requests) => {
      const seen: number[] = [];
      await download({ ...QUICK, url, path, onProgress: (done) => seen.push(done) });
      fetched(path);
      assert.equal(requests.length, count);
      assert.equal(seen.at(-1), CONTENT.length);
      for (const rest of [".part", ".part.from"]) assert.ok(!existsSync(path + rest), rest);
    }));
}

/** What a server does, what is said of it, and whether something is kept for the next try. */
const BAD: Readonly<Record<string, readonly [readonly Answer[], RegExp, kept?: number]>> = {
  "there is no such file": [
    [() => ({ head: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n" })],
    /answers 404 Not Found: there is no such file/,
  ],
  "another file than the name says": [
    [() => ({ head: OK(5), body: CONTENT.subarray(0, 5) })],
    /its SHA-256 begins with [0-9a-f]{8}, expected .*was removed/,
  ],
  "a server that never answers in time": [
    [() => ({ head: OK(CONTENT.length), body: CONTENT.subarray(0, 5000), stall: true }), () => ({
      head: PART(5000),
      stall: true,
    })],
    /nothing came for 0.3 seconds; 5000 bytes are kept/,
    5000,
  ],
  "a server that fails": [
    [() => ({ head: "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n" })],
    /answers 500/,
  ],
  "sent on without end": [
    [() => ({ head: "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n" })],
    /sent on without end/,
  ],
  "sent on to a file of one's own": [
    [() => ({
      head: "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n",
    })],
    /leads to file:.*only http and https/,
  ],
};

for (const [name, [answers, message, kept = 0]] of Object.entries(BAD)) {
  Deno.test(`download: ${name}`, () =>
    withServer(answers, async (url, path) => {
      await assert.rejects(download({ ...QUICK, url, path }), { name: "UserError", message });
      assert.ok(!existsSync(path));
      const part = existsSync(`${path}.part`) ? readFileSync(`${path}.part`).length : 0;
      assert.equal(part, kept);
    }));
}

Deno.test("download: what an earlier run received is gone on with", () =>
  withServer([resumed], async (url, path, requests) => {
    writeFileSync(`${path}.part`, CONTENT.subarray(0, 60_000));
    writeFileSync(`${path}.part.from`, JSON.stringify({ url, validator: '"a"' }));
    await download({ ...QUICK, url, path });
    fetched(path);
    assert.equal(requests[0]!.get("range"), "bytes=60000-");
    assert.equal(requests[0]!.get("if-range"), '"a"');
  }));

Deno.test("download: what was received whole is not fetched again", () =>
  withServer([whole], async (url, path, requests) => {
    writeFileSync(`${path}.part`, CONTENT);
    await download({ ...QUICK, url, path });
    fetched(path);
    assert.equal(requests.length, 0);
  }));

Deno.test("download: a file that is there stays until a new one is right", () =>
  withServer([cut(1000)], async (url, path) => {
    writeFileSync(path, CONTENT);
    await download({ ...QUICK, url, path });
    const again = download({ ...QUICK, url, path, force: true });
    await assert.rejects(again, { name: "UserError", message: /1000 bytes are kept/ });
    fetched(path);
  }));

Deno.test("download: a place that cannot be written is told", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "net.pth");
  await Deno.mkdir(`${path}.part`);
  const url = "http://127.0.0.1:9/net.pth";
  await assert.rejects(download({ ...QUICK, url, path }), {
    name: "UserError",
    message: /net\.pth\.part cannot be written/,
  });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("download: two at once take turns", () =>
  withServer([whole], async (url, path, requests) => {
    const options: DownloadOptions = { ...QUICK, url, path };
    await Promise.all([download(options), download(options)]);
    fetched(path);
    assert.equal(requests.length, 1);
  }));

Deno.test("download: addresses that are none", async () => {
  for (const url of ["net.pth", "file:///etc/passwd", "ftp://host/net.pth"]) {
    const folder = await Deno.makeTempDir();
    await assert.rejects(download({ ...QUICK, url, path: join(folder, "net.pth") }), {
      name: "UserError",
    });
    await Deno.remove(folder, { recursive: true });
  }
});
