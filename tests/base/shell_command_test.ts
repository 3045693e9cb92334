import assert from "node:assert/strict";
import { shellCommand, shellQuote } from "../../base/shell_command.ts";

const WORDS = [
  ...["plain", "--set", "a=1,b=2", "photos/my ants", "it's", "''", "'", "", "$HOME", "`ls`"],
  ...['"', "a\\b", "new\nline", "*", "~", "#", "ünïcode", "-", "!", "a'b'c"],
];

Deno.test("a shell splits a quoted command into the words it was made of", () => {
  const script = `for word in ${shellCommand(WORDS)}; do printf '%s\\0' "$word"; done`;
  const { stdout } = new Deno.Command("sh", { args: ["-c", script] }).outputSync();
  assert.deepEqual(new TextDecoder().decode(stdout).split("\0").slice(0, -1), WORDS);
});

Deno.test("only what needs it is quoted", () => {
  assert.equal(shellQuote("photos/ants-2_b.jpg"), "photos/ants-2_b.jpg");
  assert.equal(shellQuote("it's"), `'it'\\''s'`);
  assert.equal(shellQuote(""), "''");
});
