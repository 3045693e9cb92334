/** Where the bytes of a weights file come from: memory, or a file on disk (open_safetensors.ts). */

/** Something that bytes can be read from at any place. */
export interface ByteSource {
  /** Bytes there are. */
  readonly size: number;
  /** A copy of the bytes in [begin, end). */
  read(begin: number, end: number): Uint8Array<ArrayBuffer>;
  /** Nothing is read afterwards. */
  close(): void;
}

/** Bytes of a piece of a whole file. */
const PIECE_BYTES = 2 ** 24;

/** All bytes of a source in pieces, for those who hash them. */
export function* piecesOf(source: ByteSource): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < source.size; at += PIECE_BYTES) {
    yield source.read(at, Math.min(source.size, at + PIECE_BYTES));
  }
}

/** Bytes that are in memory already. */
export function bytesInMemory(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (begin, end) => new Uint8Array(bytes.subarray(begin, end)),
    close: () => {},
  };
}
