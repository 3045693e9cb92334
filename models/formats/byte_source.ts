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

/** Bytes that are in memory already. */
export function bytesInMemory(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (begin, end) => new Uint8Array(bytes.subarray(begin, end)),
    close: () => {},
  };
}
