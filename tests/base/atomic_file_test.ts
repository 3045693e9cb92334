import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { inTurnSync, writeWhole, writeWholeSync } from "../../base/atomic_file.ts";
import { inTwoProcesses } from "../processes.ts";

async function withFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("a file is written whole, in a folder made for it, over what was there", () =>
  withFolder(async (folder) => {
    await writeWhole(folder, "a/b/c.txt", "one");
    await writeWhole(folder, "a/b/c.txt", new TextEncoder().encode("two"));
    assert.equal(Deno.readTextFileSync(join(folder, "a", "b", "c.txt")), "two");
    assert.deepEqual(readdirSync(join(folder, "a", "b")), ["c.txt"]);
  }));

Deno.test("a failure leaves no half file", () =>
  withFolder(async (folder) => {
    Deno.mkdirSync(join(folder, "taken"));
    await assert.rejects(writeWhole(folder, "taken", "text"));
    assert.throws(() => writeWholeSync(join(folder, "taken"), "text"));
    assert.deepEqual(readdirSync(folder), ["taken"]);
  }));

Deno.test("many writers of one file at a time each write it whole", () =>
  withFolder(async (folder) => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => writeWhole(folder, "f", String(i % 10).repeat(9999))),
    );
    assert.match(Deno.readTextFileSync(join(folder, "f")), /^(\d)\1{9998}$/);
    assert.deepEqual(readdirSync(folder), ["f"]);
  }));

Deno.test("two processes write into one folder", () =>
  withFolder(async (folder) => {
    await inTwoProcesses(
      `import { writeWhole } from ${
        JSON.stringify(import.meta.resolve("../../base/atomic_file.ts"))
      };
      const [folder, me] = Deno.args;
      for (let i = 0; i < 200; i++) {
        await writeWhole(folder, "losses.csv", me.repeat(50000));
        const text = Deno.readTextFileSync(folder + "/losses.csv");
        if (!/^(a+|b+)$/.test(text) || text.length !== 50000) throw new Error("a torn file");
      }`,
      folder,
    );
    assert.deepEqual(readdirSync(folder), ["losses.csv"]);
  }));

Deno.test("two processes change a file in turn", () =>
  withFolder(async (folder) => {
    await inTwoProcesses(
      `import { inTurnSync, writeWholeSync } from ${
        JSON.stringify(import.meta.resolve("../../base/atomic_file.ts"))
      };
      const path = Deno.args[0] + "/count";
      for (let i = 0; i < 200; i++) {
        inTurnSync(path, () => writeWholeSync(path, String(Number(Deno.readTextFileSync(path)) + 1)));
      }`,
      folder,
    );
    inTurnSync(join(folder, "count"), (file) => assert.equal(file.statSync().size, 3));
    assert.equal(Deno.readTextFileSync(join(folder, "count")), "400");
    assert.deepEqual(readdirSync(folder), ["count"]);
  }));
