/** The program as a person runs it. */
import { join } from "node:path";

/** The root of the project. */
export const ROOT = join(import.meta.dirname!, "..", "..");

/** What came of it. */
export interface Outcome {
  code: number;
  out: string;
  err: string;
}

function command(
  args: string[],
  env: Record<string, string>,
  permissions: readonly string[] = ["-A"],
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      ...permissions,
      "--no-check",
      join(ROOT, "cli", "main.ts"),
      ...args,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  });
}

/** Runs it with some arguments. */
export async function mindseye(
  args: string[],
  env: Record<string, string> = {},
  permissions?: readonly string[],
): Promise<Outcome> {
  return await outcomeOf(command(args, env, permissions).spawn());
}

/** Begins to run it. */
export function begin(
  args: string[],
  env: Record<string, string> = {},
  permissions?: readonly string[],
): Deno.ChildProcess {
  return command(args, env, permissions).spawn();
}

/** Waits for its end. */
export async function outcomeOf(child: Deno.ChildProcess): Promise<Outcome> {
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}
