/** Numbers that belong one after the other. */

function filled<T extends Float32Array | Uint8Array>(all: T, parts: readonly T[]): T {
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const lengthOf = (parts: readonly { length: number }[]) =>
  parts.reduce((sum, { length }) => sum + length, 0);

/** The numbers of some arrays as one. */
export function concatenate(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  return filled(new Float32Array(lengthOf(parts)), parts as Float32Array<ArrayBuffer>[]);
}

/** Some bytes as one piece. */
export function concatenateBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return filled(new Uint8Array(lengthOf(parts)), parts as Uint8Array<ArrayBuffer>[]);
}
