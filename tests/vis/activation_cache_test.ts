import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CODE_VERSION } from "../../base/code_version.ts";
import { ActivationCache, type CacheKey, sha256 } from "../../vis/photos/activation_cache.ts";
import { inTwoProcesses } from "../processes.ts";

const CACHE_MODULE = import.meta.resolve("../../vis/photos/activation_cache.ts");

const KEY: CacheKey = {
  ...{ model: "net", options: { classes: "3" }, weights: "ab", layer: "a/b.1", channels: 3 },
  size: 64,
  normalisation: { mean: [0, 0, 0], std: [1, 1, 1] },
  prepared: "none",
};

const A = sha256("a");
const B = sha256("b");
const C = sha256("c");
const values = (...numbers: number[]) => Float32Array.from(numbers);

/** A folder with the answers to A and B kept in it, gone afterwards. */
function withCache(body: (folder: string, path: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    const cache = new ActivationCache(join(folder, "kept"), KEY);
    assert.deepEqual(
      readdirSync(folder),
      [],
      "nothing is written before there is something to keep",
    );
    cache.add([[A, values(1, 2, 3)]]);
    cache.add([[B, values(0.1, -0, 1e-40)]]);
    body(join(folder, "kept"), cache.path);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Opens the cache anew; what it knows of A and B, and what it noted. */
function reopen(folder: string, key = KEY) {
  const notes: string[] = [];
  const cache = new ActivationCache(folder, key, (note) => notes.push(note));
  return { cache, notes, known: [A, B].map((hash) => cache.get(hash)) };
}

Deno.test("activations come back bit by bit, and none of other photos", () => {
  withCache((folder, path) => {
    const { known, notes, cache } = reopen(folder);
    assert.deepEqual(known, [values(1, 2, 3), values(0.1, -0, 1e-40)]);
    assert.deepEqual(notes, []);
    assert.equal(cache.get(C), undefined);
    assert.equal(cache.path, path);
    assert.ok(!path.slice(folder.length + 1).includes("/"), "a layer's name is no folder");
  });
});

Deno.test("anything else in the key is another cache", () => {
  withCache((folder) => {
    const others: Partial<CacheKey>[] = [
      { model: "other" },
      { options: { classes: "4" } },
      { weights: "ac" },
      { layer: "b.2" },
      { channels: 4 },
      { size: 65 },
      { prepared: "bgr" },
      { normalisation: { mean: [0, 0, 0.1], std: [1, 1, 1] } },
    ];
    for (const other of others) {
      const { cache, notes } = reopen(folder, { ...KEY, ...other });
      assert.equal(cache.size, 0, JSON.stringify(other));
      assert.deepEqual(notes, []);
    }
    const b2 = { ...KEY, layer: "b.2" };
    reopen(folder, b2).cache.add([[A, values(4, 5, 6)]]);
    assert.deepEqual(reopen(folder, b2).known[0], values(4, 5, 6));
    assert.deepEqual(reopen(folder).known[0], values(1, 2, 3));
  });
});

Deno.test("damage is noted, costs only what is damaged, and is mended by the next addition", async (t) => {
  const record = 32 + 3 * 4 + 4;
  const damages: [string, (bytes: Buffer) => Uint8Array, RegExp, boolean[]][] = [
    ["a bit of a value", (b) => flip(b, b.length - 6), /1 of 2 records are damaged/, [true, false]],
    ["a bit of a hash", (b) => flip(b, b.length - 2 * record), /1 of 2 records/, [false, true]],
    ["cut off", (b) => b.subarray(0, b.length - 5), /its end is damaged/, [true, false]],
    ["something appended", (b) => Buffer.concat([b, Buffer.from("xyz")]), /its end/, [true, true]],
    ["another header", (b) => flip(b, 3), /does not say what it should/, [false, false]],
    ["a foreign file", () => Buffer.from("GIF89a"), /does not say what it should/, [false, false]],
  ];
  for (const [name, damage, note, left] of damages) {
    await t.step(name, () =>
      withCache((folder, path) => {
        writeFileSync(path, damage(readFileSync(path)));
        const { cache, known, notes } = reopen(folder);
        assert.deepEqual(known.map((values) => values !== undefined), left);
        assert.equal(notes.length, 1);
        assert.match(notes[0]!, note);
        cache.add([[A, values(1, 2, 3)], [B, values(7, 8, 9)], [C, values(4, 5, 6)]]);
        const mended = reopen(folder);
        assert.deepEqual(mended.notes, []);
        assert.equal(mended.cache.size, 3);
        assert.deepEqual(mended.known[0], values(1, 2, 3));
        assert.deepEqual(readdirSync(folder).length, 1, "no half file is left");
      }));
  }
});

Deno.test("an empty file is as good as none", () => {
  withCache((folder, path) => {
    writeFileSync(path, "");
    const { cache, notes } = reopen(folder);
    cache.add([[C, values(4, 5, 6)]]);
    assert.deepEqual(notes, []);
    assert.deepEqual(reopen(folder).cache.get(C), values(4, 5, 6));
  });
});

Deno.test("what is kept of other code is not used", () => {
  withCache((folder, path) => {
    const text = readFileSync(path, "latin1");
    assert.ok(text.startsWith(`{"format":"mindseye activations 1","code":"${CODE_VERSION}",`));
    writeFileSync(path, text.replace(CODE_VERSION, "0123456789abcdef"), "latin1");
    assert.equal(reopen(folder).cache.size, 0);
  });
});

Deno.test("two processes add to one cache and lose nothing", async () => {
  const folder = Deno.makeTempDirSync();
  const photos = 150;
  // Each keeps its own photos one at a time, and every tenth is one of the other's.
  const code = `
    import { ActivationCache, sha256 } from ${JSON.stringify(CACHE_MODULE)};
    const [folder, me] = Deno.args;
    const cache = new ActivationCache(folder, ${JSON.stringify(KEY)}, (text) => {
      throw new Error(text);
    });
    for (let i = 0; i < ${photos}; i++) {
      const whose = i % 10 === 9 ? "both" : me;
      cache.add([[sha256(whose + i), Float32Array.of(i, me === "a" ? 1 : 2, 3)]]);
    }`;
  try {
    await inTwoProcesses(code, folder);
    const { cache, notes } = reopen(folder);
    assert.deepEqual(notes, []);
    for (const [i, me] of [...Array(photos).keys()].flatMap((i) => [[i, "a"], [i, "b"]] as const)) {
      const found = cache.get(sha256((i % 10 === 9 ? "both" : me) + i));
      assert.equal(found?.[0], i);
    }
    assert.equal(cache.size, photos * 2 - photos / 10);
    assert.equal(readdirSync(folder).length, 1, "no half file is left");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a cache that cannot be read or written is noted, never thrown or waited for", () => {
  const pipe = (path: string) => new Deno.Command("mkfifo", { args: [path] }).outputSync();
  for (const put of [Deno.mkdirSync, pipe]) {
    withCache((folder, path) => {
      Deno.removeSync(path);
      put(path);
      const { cache, notes } = reopen(folder);
      assert.match(notes[0]!, /is not used/);
      cache.add([[C, values(1, 1, 1)]]);
      cache.add([[A, values(2, 2, 2)]]);
      assert.equal(notes.length, 2);
      assert.match(notes[1]!, /activations are not kept/);
      assert.deepEqual(cache.get(C), values(1, 1, 1));
    });
  }
});

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 4;
  return copy;
}
