/** Programs that run beside the tests. */
import assert from "node:assert/strict";

/** Runs a module's text twice at the same time, with arguments FOLDER and `a` or `b`; both must succeed. */
export async function inTwoProcesses(code: string, folder: string): Promise<void> {
  const outcomes = await Promise.all(["a", "b"].map((me) => {
    const args = ["run", "-A", "--no-check", "--ext=ts", "-", folder, me];
    const command = new Deno.Command(Deno.execPath(), {
      args,
      cwd: import.meta.dirname!, // where its imports' config is found
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    });
    const child = command.spawn();
    const input = new Response(code).body!.pipeTo(child.stdin);
    return Promise.all([child.output(), input]);
  }));
  for (const [{ code, stderr }] of outcomes) {
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  }
}
