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

/** Runs it with some arguments. */
export async function mindseye(
  args: string[],
  env: Record<string, string> = {},
): Promise<Outcome> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", join(ROOT, "cli", "main.ts"), ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}
