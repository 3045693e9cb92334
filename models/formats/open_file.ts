/** Files on disk as sources of bytes. */
import { UserError } from "../../base/errors.ts";
import { unfitToRead } from "../../base/regular_file.ts";
import type { ByteSource } from "./byte_source.ts";

/**
 * A file on disk, read where it is asked for.
 *
 * @throws {UserError} If it is missing, unreadable or no file.
 */
export function openFile(path: string): ByteSource {
  const unreadable = (error: unknown): UserError => {
    if (error instanceof Deno.errors.NotFound) return new UserError(`${path}: no such file`);
    const reason = error instanceof Error ? error.message : String(error);
    return new UserError(`${path}: cannot be read (${reason})`);
  };
  let file: Deno.FsFile;
  try {
    const unfit = unfitToRead(path);
    if (unfit) throw new UserError(`${path}: ${unfit}; expected a file of weights`);
    file = Deno.openSync(path);
  } catch (error) {
    throw error instanceof UserError ? error : unreadable(error);
  }
  const info = file.statSync();
  let open = true;
  return {
    size: info.size,
    read(begin, end) {
      const bytes = new Uint8Array(end - begin);
      try {
        file.seekSync(begin, Deno.SeekMode.Start);
        for (let done = 0; done < bytes.length;) {
          const count = file.readSync(bytes.subarray(done));
          if (count === null) throw new Error("it ends too early");
          done += count;
        }
      } catch (error) {
        throw unreadable(error);
      }
      return bytes;
    },
    close() {
      if (open) file.close();
      open = false;
    },
  };
}
