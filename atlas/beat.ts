/** A worker's beats, as its pulse writes them and others read them. */

/** Digits of a count: all beats are of one length, so that none is ever half of two. */
const DIGITS = 12;

/** Writes a beat. */
export function beat(path: string, count: number | "ended"): void {
  Deno.writeTextFileSync(path, `${String(count).padStart(DIGITS)}\n`);
}

/** Whether a beat, as it was read, says that no other follows. */
export function isLast(text: string): boolean {
  return text.trim() === "ended";
}
