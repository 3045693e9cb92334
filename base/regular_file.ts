/** Whether a path may be opened at all: a pipe or a device would hang the program, or never end. */

/**
 * Why a file given by a person should not be read, as a phrase; nothing if it may. Links are followed.
 *
 * @param most Bytes it may have.
 * @throws {Error} as `Deno.statSync` does, when there is no such file or it may not be looked at.
 */
export function unfitToRead(path: string, most = Infinity): string | undefined {
  const { isFile, isDirectory, size } = Deno.statSync(path);
  if (isDirectory) return "a folder and no file";
  if (!isFile) return "no regular file but a pipe, socket or device";
  if (size > most) return `its ${size} bytes are too many; at most ${most}`;
}
