import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../base/errors.ts";
import { requireWritableFolder } from "../../base/writable_folder.ts";

Deno.test("a folder that can be written, there or not, stays as it is", () => {
  const folder = Deno.makeTempDirSync();
  try {
    requireWritableFolder(folder);
    requireWritableFolder(join(folder, "a", "b", "c"));
    assert.deepEqual(readdirSync(folder), []);
    Deno.mkdirSync(join(folder, "a"));
    requireWritableFolder(join(folder, "a", "b"));
    assert.deepEqual(readdirSync(folder, { recursive: true }), ["a"]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("one that cannot be written is an error of one line that names it", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const file = join(folder, "file");
    Deno.writeTextFileSync(file, "");
    for (const path of [file, join(file, "below"), "/proc/nothing/here"]) {
      assert.throws(() => requireWritableFolder(path), (error: Error) => {
        assert.ok(error instanceof UserError);
        assert.ok(error.message.includes(path) && !error.message.includes("\n"), error.message);
        return true;
      });
    }
    assert.deepEqual(readdirSync(folder), ["file"]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
