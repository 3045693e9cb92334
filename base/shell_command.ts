/** Commands as a shell reads them. */

/** A word as a POSIX shell takes it for itself: quoted where it has to be. */
export function shellQuote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  // Nothing means anything between single quotes but the quote itself.
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command line that a shell splits into these words again. */
export function shellCommand(words: readonly string[]): string {
  return words.map(shellQuote).join(" ");
}
