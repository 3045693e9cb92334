/** Running the references that are Python, where a Python with what they import is at hand. */
import assert from "node:assert/strict";
import { join } from "node:path";

const MODULES = ["torch", "torchvision", "cv2", "skimage", "sklearn", "numpy", "onnx"];

/** What {@linkcode findPython} looks for, for messages. */
export const WANTED_PYTHON = `a python3 with ${MODULES.join(", ")}`;

/** A Python that has all the references import. */
export function findPython(): string | undefined {
  const look = `import sys, importlib.util as u\nsys.exit(not all(map(u.find_spec, ${
    JSON.stringify(MODULES)
  })))`;
  return ["python3", "/usr/bin/python3"].find((command) => {
    try {
      return new Deno.Command(command, { args: ["-c", look], stdout: "null", stderr: "null" })
        .outputSync().success;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}

/**
 * Runs a script of this folder with some arguments and, as the last, a new folder to write into;
 * `read` reads what it wrote, then the folder is gone.
 */
export async function runReference<T>(
  python: string,
  script: string,
  args: readonly string[],
  read: (folder: string) => T,
): Promise<T> {
  const out = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command(python, {
      args: [join(import.meta.dirname!, script), ...args, out],
      env: { PYTHONDONTWRITEBYTECODE: "1" },
    }).output();
    assert.ok(success, `${script} failed:\n${new TextDecoder().decode(stderr)}`);
    return read(out);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

/** A raw file of float32 numbers. */
export function readFloats(path: string): Float32Array<ArrayBuffer> {
  return new Float32Array(Deno.readFileSync(path).buffer);
}
