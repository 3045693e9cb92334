/** The server of runs: whom it answers, and that a page misses nothing. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { UserError } from "../../base/errors.ts";
import { type RunServer, serveRuns } from "../../web/server.ts";
import { ServerThread } from "../../web/server_thread.ts";
import { inFolder } from "../cli/run_files.ts";
import { eventsUntil, linesOf, type SentEvent, sentEvents } from "./sent_events.ts";

const PAGE = { script: "console.log('a page')", style: "p { color: red }" };

/** Serves runs in folders below a new one while the body runs. */
async function served(
  names: readonly string[],
  body: (server: RunServer, folders: string[]) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const folders = names.map((name) => join(folder, name));
    folders.forEach((each) => Deno.mkdirSync(each));
    const server = serveRuns({ page: PAGE, title: "runs", port: 0, folders: () => folders });
    try {
      await body(server, folders);
    } finally {
      await server.close();
    }
  });
}

const recordOf = (folder: string) => join(folder, "events.jsonl");
const write = (folder: string, text: string) => Deno.writeTextFileSync(recordOf(folder), text);
const add = (folder: string, text: string) =>
  Deno.writeTextFileSync(recordOf(folder), text, { append: true });

/** The status of an answer to a request as it is written. */
async function statusOf(address: string, request: string): Promise<number> {
  using connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: Number(new URL(address).port),
  });
  await connection.write(new TextEncoder().encode(request));
  const answer = new Uint8Array(4096);
  const count = await connection.read(answer) ?? 0;
  const [, status] =
    /^HTTP\/1\.1 (\d+)/.exec(new TextDecoder().decode(answer.subarray(0, count))) ??
      [];
  return Number(status);
}

async function fetchedStatus(address: string, init: RequestInit = {}): Promise<number> {
  const response = await fetch(address, init);
  await response.body?.cancel();
  return response.status;
}

Deno.test("the page comes with its policy, to whom knows the token", async () => {
  await served(["run"], async ({ address }, [folder]) => {
    write(folder!, '{"kind":"run"}\n');
    const { origin, pathname } = new URL(address);
    assert.match(pathname, /^\/[0-9a-f]{32}\/$/);
    const response = await fetch(address);
    const html = await response.text();
    assert.equal(response.status, 200);
    assert.match(html, /<meta name="feed" content="live">/);
    const policy = response.headers.get("content-security-policy")!;
    for (const text of Object.values(PAGE)) {
      assert.ok(html.includes(text));
      assert.ok(policy.includes(createHash("sha256").update(text).digest("base64")));
    }
    assert.match(policy, /default-src 'none'.*connect-src 'self'.*frame-ancestors 'none'/);
    for (
      const [name, value] of [
        ["x-content-type-options", "nosniff"],
        ["referrer-policy", "no-referrer"],
        ["cross-origin-opener-policy", "same-origin"],
        ["cross-origin-resource-policy", "same-origin"],
        ["cache-control", "no-store, no-transform"],
      ] as const
    ) assert.equal(response.headers.get(name), value);

    const other = `/${"0".repeat(32)}/`;
    const wrong = ["/", "", other, `${other}events`, pathname.slice(0, -2) + "/", "/favicon.ico"];
    for (const path of [...wrong, pathname.slice(0, -1), `${pathname}x`, `${pathname}events/`]) {
      assert.equal(await fetchedStatus(origin + path), 404, path);
    }
    for (const [path, method] of [["", "POST"], ["events", "PUT"], ["stop", "GET"]] as const) {
      assert.equal(await fetchedStatus(address + path, { method }), 405, `${method} ${path}`);
    }
  });
});

Deno.test("it answers only under its own address, and no page from elsewhere", async () => {
  await served([], async ({ address }) => {
    const { host, port, pathname } = new URL(address);
    const page = (headers: string) =>
      statusOf(address, `GET ${pathname} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);
    assert.equal(await page(`Host: ${host}\r\n`), 200);
    assert.equal(await page(`Host: localhost:${port}\r\n`), 200);
    for (const wrong of [`evil.example:${port}`, "127.0.0.1", `127.0.0.1:1${port}`, ""]) {
      assert.equal(await page(`Host: ${wrong}\r\n`), 403, wrong);
    }
    assert.notEqual(await page(""), 200);
    assert.equal(await page(`Host: ${host}\r\nOrigin: http://${host}\r\n`), 200);
    for (
      const wrong of ["null", "http://evil.example", `https://${host}`, `http://localhost:${port}`]
    ) {
      assert.equal(await page(`Host: ${host}\r\nOrigin: ${wrong}\r\n`), 403, wrong);
    }
  });
});

Deno.test("no path leads to a file", async () => {
  await served(["run"], async ({ address }, [folder]) => {
    write(folder!, '{"kind":"run"}\n');
    Deno.writeTextFileSync(join(folder!, "secret.txt"), "secret");
    const { host, pathname } = new URL(address);
    const up = ["../", "%2e%2e/", "..%2f", "%252e%252e/", "..\\", "....//"];
    const paths = [
      ...["events.jsonl", "secret.txt", "0/secret.txt", `run/secret.txt`, folder!, `/${folder}`],
      ...up.flatMap((each) => [`${each.repeat(9)}etc/passwd`, `${each}run/secret.txt`]),
      ...["events/../secret.txt", "events%00", "file:///etc/passwd"],
    ];
    for (const path of paths) {
      const status = await statusOf(
        address,
        `GET ${pathname}${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      assert.ok([400, 404].includes(status), `${path}: ${status}`);
    }
  });
});

Deno.test("after each break a page gets exactly the rest", async () => {
  await served(["a", "b"], async ({ address }, [a, b]) => {
    // Among them one that does not fit into what is read at once, and letters of several bytes.
    const lines = (name: string) =>
      Array.from({ length: 40 }, (_, i) => {
        const text = i === 20 ? "ü€🜁".repeat(130_000) : "ä".repeat(i);
        return JSON.stringify({ name, i, text }) + "\n";
      }).join("");
    write(a!, lines("a"));
    write(b!, lines("b"));
    const got: SentEvent[] = [];
    let last: string | undefined;
    for (const count of [1, 19, 2, 3, 30, Infinity]) {
      let left = count;
      const part = await eventsUntil(
        sentEvents(`${address}events`, last),
        ({ event, data }) => event === "message" && (--left === 0 || /^1 .*"i":39,/.test(data)),
      );
      last = part.at(-1)!.id;
      got.push(...part);
    }
    const messages = got.filter(({ event }) => event === "message");
    assert.equal(messages.length, 80);
    assert.equal(linesOf(got, 0), Deno.readTextFileSync(recordOf(a!)));
    assert.equal(linesOf(got, 1), Deno.readTextFileSync(recordOf(b!)));
    // An id that is none of ours says nothing: all comes again.
    for (const strange of ["0:3,1:1", "7:100", "0:99999999", "x", "0:1:2", "-1:5"]) {
      const [, first] = await eventsUntil(
        sentEvents(`${address}events`, strange),
        ({ event }) => event === "message",
      );
      assert.match(first!.data, /^0 {"name":"a","i":0,/, strange);
    }
  });
});

Deno.test("a line comes when it is whole, a run when it is begun, and anew as another one", async () => {
  await served(["a", "b"], async ({ address }, [a, b]) => {
    write(a!, '{"n":1}\n{"n":"half');
    const events = sentEvents(`${address}events`);
    const next = async () => {
      const { event, data } = (await events.next()).value as SentEvent;
      return event === "runs" ? JSON.parse(data).runs.map(({ run }: { run: number }) => run) : data;
    };
    assert.deepEqual(await next(), [0]);
    assert.equal(await next(), '0 {"n":1}');
    // What was half written is cut off by who goes on with the run.
    write(b!, '{"n":10}\n');
    assert.deepEqual(await next(), [0, 1]);
    assert.equal(await next(), '1 {"n":10}');
    Deno.truncateSync(recordOf(a!), 8);
    add(a!, '{"n":2}\n{"n":3');
    assert.equal(await next(), '0 {"n":2}');
    add(a!, "3}\n");
    assert.equal(await next(), '0 {"n":33}');
    Deno.removeSync(recordOf(a!));
    write(
      a!,
      '{"n":100, "longer": "than what was there before, so that its size does not tell"}\n',
    );
    assert.deepEqual(await next(), [1, 2]);
    assert.match(await next(), /^2 {"n":100/);
    Deno.removeSync(b!, { recursive: true });
    assert.deepEqual(await next(), [2]);
    await events.return(undefined);
  });
});

Deno.test("at the end a page has all that was written, and knows that it is the end", async () => {
  await inFolder(async (folder) => {
    write(folder, '{"n":1}\n');
    const thread = await ServerThread.begin({ page: PAGE, title: "", port: 0 });
    const port = Number(new URL(thread.address).port);
    await assert.rejects(
      () => ServerThread.begin({ page: PAGE, title: "", port }),
      (error: Error) => error instanceof UserError && error.message.includes(`port ${port}`),
    );
    const doing = { stage: "photos", done: 1, total: 3, left: 0.5 };
    thread.doing(doing);
    thread.show(folder);
    const first = Promise.withResolvers<void>();
    const events = eventsUntil(sentEvents(`${thread.address}events`), ({ event, data }) => {
      if (data === '0 {"n":1}') first.resolve();
      return event === "end";
    });
    await first.promise;
    add(folder, '{"n":2}\n');
    await thread[Symbol.asyncDispose]();
    const got = await events;
    assert.equal(linesOf(got, 0), '{"n":1}\n{"n":2}\n');
    assert.equal(got.at(-1)!.event, "end");
    const told = got.filter(({ event }) => event === "doing").map(({ data }) => JSON.parse(data));
    assert.deepEqual(told, [doing]);
  });
});
